#include "routing/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Breaker::Admission::Kind;

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    for (const char* name : {"a/m", "b/m", "c/m"}) {
      Target target;
      target.slot = static_cast<uint32_t>(breakers_.size());
      target.provider = static_cast<uint16_t>(breakers_.size());
      target.model = "m";
      chain_.push_back(target);
      breakers_.push_back(table_.breaker(name, {}));
    }
  }
  void cool(size_t i, Nanos pause, Breaker::Hint hint = Breaker::Hint::Pause) {
    breakers_[i]->cool_until(now_ + pause, hint, now_);
  }
  Candidates among(TargetSet set, size_t start = 0) {
    return {.chain = chain_, .breakers = breakers_, .among = set, .start = start};
  }

  HealthTable table_{1};
  std::vector<Target> chain_;
  std::vector<std::shared_ptr<Breaker>> breakers_;
  SkipNotes notes_;
  Nanos now_ = 1000 * kSecond;
};

TEST_F(HealthTest, TheFirstAdmittedOneIsTaken) {
  auto chosen = first_admitted(among(0b111), now_, notes_);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->target, 0u);
  EXPECT_THAT(notes_.text(), IsEmpty());
}

TEST_F(HealthTest, SaysWhomItPassedOverAndWhyOnce) {
  cool(0, 4 * kSecond);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(first_admitted(among(0b111), now_, notes_)->target, 1u);
  EXPECT_EQ(notes_.text(), "a/m skipped: open for another 4 s: it asked for a pause");
}

TEST_F(HealthTest, TheRingBeginsWhereItIsTold) {
  EXPECT_EQ(first_admitted(among(0b111, 2), now_, notes_)->target, 2u);
  cool(2, kSecond);
  EXPECT_EQ(first_admitted(among(0b111, 2), now_, notes_)->target, 0u);
  EXPECT_EQ(first_admitted(among(0b010, 2), now_, notes_)->target, 1u);
  EXPECT_FALSE(first_admitted(among(0, 2), now_, notes_));
}

TEST_F(HealthTest, RET_7_IfNoneIsAdmittedTheOneWhosePauseEndsFirstIsCalled) {
  cool(0, 5 * kSecond);
  cool(1, 2 * kSecond);
  cool(2, 9 * kSecond);
  EXPECT_FALSE(first_admitted(among(0b111), now_, notes_));
  const auto chosen = first_anyway(among(0b111), now_);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->target, 1u);
  EXPECT_EQ(chosen->kind, Kind::Anyway);
  EXPECT_EQ(first_anyway(among(0b101), now_)->target, 0u);
}

TEST_F(HealthTest, RET_14_AHeldOneIsPassedOverForOneThatOnlyRests) {
  cool(0, 10 * kSecond, Breaker::Hint::Quota);
  cool(1, 20 * kSecond);
  EXPECT_EQ(first_anyway(among(0b011), now_)->target, 0u) << "now and then it is asked";
  EXPECT_EQ(first_anyway(among(0b011), now_)->target, 1u);
  EXPECT_FALSE(first_anyway(among(0b001), now_));
}

TEST_F(HealthTest, WithoutBreakersAllAreAdmitted) {
  const Candidates candidates{.chain = chain_, .breakers = {}, .among = 0b110};
  EXPECT_EQ(first_admitted(candidates, now_, notes_)->target, 1u);
}

TEST_F(HealthTest, WhatIsKnownSurvivesAReload) {
  cool(0, 60 * kSecond);
  EXPECT_EQ(table_.breaker("a/m", {}), breakers_[0]);
  EXPECT_FALSE(table_.breaker("a/m", {})->admit(now_));
}

TEST_F(HealthTest, NewOptionsHoldFromTheReloadOn) {
  table_.breaker("a/m", {.failures_in_a_row = 1});
  breakers_[0]->admit(now_).ticket.failed({.outcome = Outcome::UpstreamError}, now_);
  EXPECT_FALSE(breakers_[0]->admit(now_));
}

TEST_F(HealthTest, RET_12_ATargetThatWasRemovedIsNotCalledByExchangesThatBeganBefore) {
  const std::vector<std::string> names = {"b/m", "c/m"};
  table_.keep_only(names);
  EXPECT_EQ(first_admitted(among(0b111), now_, notes_)->target, 1u);
  EXPECT_FALSE(first_anyway(among(0b001), now_));
  EXPECT_THAT(notes_.text(), HasSubstr("a/m skipped: retired"));
  EXPECT_TRUE(table_.breaker("a/m", {})->admit(now_)) << "named again it begins anew";
}

TEST_F(HealthTest, ListsAllWithTheirState) {
  cool(1, 4 * kSecond);
  const auto rows = table_.rows(now_);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].name, "a/m");
  EXPECT_EQ(rows[0].status.text, "closed");
  EXPECT_EQ(rows[1].status.state, Breaker::State::Open);
  EXPECT_EQ(rows[1].status.text, "open for another 4 s: it asked for a pause");
}

TEST(SkipNotes, AreBounded) {
  SkipNotes notes;
  for (int i = 0; i < 1000; ++i) notes.add("a clause that is not short at all");
  EXPECT_LE(notes.text().size(), SkipNotes::kMaxLength + 2);
}

}  // namespace
}  // namespace sluice::routing
