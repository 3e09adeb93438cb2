#include "providers/key_ring.h"

#include <array>
#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

using Event = KeyRing::Event;
using State = KeyRing::State;

constexpr Nanos kNow = 1000 * kSecond;

KeyRing::Tried tried(std::initializer_list<size_t> keys) {
  KeyRing::Tried bits = 0;
  for (const size_t key : keys) bits |= KeyRing::Tried{1} << key;
  return bits;
}

TEST(KeyRing, PicksByWeight) {
  KeyRing ring({{"a", 3}, {"b", 1}});
  std::array<int, 2> counts{};
  for (uint64_t random = 0; random < 400; ++random) ++counts[*ring.pick(kNow, random)];
  EXPECT_EQ(counts, (std::array<int, 2>{300, 100}));
}

TEST(KeyRing, AWeightOfZeroCountsAsOne) {
  KeyRing ring({{"a", 0}, {"b", 1}});
  EXPECT_EQ(ring.pick(kNow, 0), 0U);
  EXPECT_EQ(ring.pick(kNow, 1), 1U);
}

TEST(KeyRing, WithoutKeysThereIsNothingToPick) {
  EXPECT_EQ(KeyRing({}).pick(kNow, 0), std::nullopt);
}

TEST(KeyRing, ALimitedKeyRestsWhileAnotherIsUsed) {
  KeyRing ring({{"a", 1}, {"b", 1}});
  EXPECT_EQ(ring.limited(0, kNow, kNow + 10 * kSecond), Event::Rests);
  EXPECT_EQ(ring.state(0, kNow), State::Resting);
  for (uint64_t random = 0; random < 10; ++random) EXPECT_EQ(ring.pick(kNow, random), 1U);
  const Nanos later = kNow + 10 * kSecond;
  EXPECT_EQ(ring.state(0, later), State::InService);
  EXPECT_EQ(ring.pick(later, 0), 0U);
}

TEST(KeyRing, RET_8_ALongerRestStays) {
  KeyRing ring({{"a", 1}, {"b", 1}});
  ring.limited(0, kNow, kNow + 60 * kSecond);
  EXPECT_EQ(ring.limited(0, kNow, kNow + kSecond), Event::None);
  EXPECT_EQ(ring.state(0, kNow + 59 * kSecond), State::Resting);
}

TEST(KeyRing, RET_7_TheLastKeyIsNeverRestedAway) {
  KeyRing lone({{"a", 1}});
  lone.limited(0, kNow, kNow + 60 * kSecond);
  EXPECT_EQ(lone.pick(kNow, 0), 0U);
  KeyRing two({{"a", 1}, {"b", 1}});
  two.limited(0, kNow, kNow + 60 * kSecond);
  two.limited(1, kNow, kNow + 30 * kSecond);
  EXPECT_EQ(two.pick(kNow, 0), 1U);  // it rests for less long
  EXPECT_EQ(two.pick(kNow, 0, tried({1})), 0U);
  EXPECT_EQ(two.pick(kNow, 0, tried({0, 1})), std::nullopt);
}

TEST(KeyRing, RET_5_ARefusedKeyIsTakenOutAndTheEventIsTold) {
  KeyRing ring({{"a", 1}, {"b", 1}});
  EXPECT_EQ(ring.refused(0, kNow, kNow + KeyRing::kProbeAfter), Event::TakenOut);
  EXPECT_EQ(ring.refused(0, kNow, kNow + KeyRing::kProbeAfter), Event::None);
  EXPECT_EQ(ring.state(0, kNow), State::Out);
  for (uint64_t random = 0; random < 10; ++random) EXPECT_EQ(ring.pick(kNow, random), 1U);
  EXPECT_EQ(ring.pick(kNow, 0, tried({1})), std::nullopt);
}

TEST(KeyRing, OneRequestProbesARefusedKeyAfterFiveMinutes) {
  KeyRing ring({{"a", 1}, {"b", 1}});
  ring.refused(0, kNow, kNow + KeyRing::kProbeAfter);
  const Nanos due = kNow + KeyRing::kProbeAfter;
  EXPECT_EQ(ring.pick(due - 1, 0), 1U);
  EXPECT_EQ(ring.pick(due, 0), 0U);
  EXPECT_EQ(ring.pick(due, 0), 1U);
  EXPECT_EQ(ring.accepted(0), Event::Back);
  EXPECT_EQ(ring.state(0, due), State::InService);
  EXPECT_EQ(ring.pick(due, 0), 0U);
}

TEST(KeyRing, AProbeThatIsRefusedWaitsAgain) {
  KeyRing ring({{"a", 1}});
  ring.refused(0, kNow, kNow + KeyRing::kProbeAfter);
  EXPECT_EQ(ring.pick(kNow, 0), std::nullopt);
  const Nanos due = kNow + KeyRing::kProbeAfter;
  EXPECT_EQ(ring.pick(due, 0), 0U);
  EXPECT_EQ(ring.refused(0, due, due + KeyRing::kProbeAfter), Event::None);
  EXPECT_EQ(ring.pick(due + kSecond, 0), std::nullopt);
}

TEST(KeyRing, AProbeThatIsLimitedShowsThatTheKeyIsGood) {
  KeyRing ring({{"a", 1}, {"b", 1}});
  ring.refused(0, kNow, kNow + KeyRing::kProbeAfter);
  EXPECT_EQ(ring.limited(0, kNow, kNow + kSecond), Event::Back);
  EXPECT_EQ(ring.state(0, kNow), State::Resting);
}

TEST(KeyRing, AcceptedKeysThatWereNeverInTroubleAreNoNews) {
  KeyRing ring({{"a", 1}});
  EXPECT_EQ(ring.accepted(0), Event::None);
}

TEST(KeyLabel, IsTheNameOrThePlaceWithTheEndOfALongKey) {
  EXPECT_EQ(key_label("prod", 1, Secret("sk-0123456789abcdefghij")), "prod");
  EXPECT_EQ(key_label("", 1, Secret("sk-0123456789abcdefghij")), "#2 (...ghij)");
  EXPECT_EQ(key_label("", 0, Secret("short-key")), "#1");
}

}  // namespace
}  // namespace sluice::providers
