#include "base/id.h"

#include <gtest/gtest.h>
#include <set>

namespace sluice {
namespace {

constexpr int64_t kNow = 1'795'420'800'000'000;

TEST(IdSource, KeysRiseAndStayPositiveEvenWhenTheClockGoesBack) {
  IdSource ids(3, 1);
  uint64_t last = 0;
  for (int i = 0; i < 100'000; ++i) {
    const int64_t clock = i % 7 == 0 ? kNow - 5'000'000 : kNow + i;
    const uint64_t key = ids.next_key(clock);
    ASSERT_GT(key, last);
    ASSERT_GT(static_cast<int64_t>(key), 0);
    last = key;
  }
}

TEST(IdSource, MoreKeysThanAMillisecondHoldsBorrowFromTheNext) {
  IdSource ids(0, 1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 70'000; ++i) seen.insert(ids.next_key(kNow));
  EXPECT_EQ(seen.size(), 70'000U);
  EXPECT_EQ(*seen.begin(), first_key_at(kNow));
  EXPECT_GE(*seen.rbegin(), first_key_at(kNow + 2000));
}

TEST(IdSource, LanesNeverShareAKey) {
  IdSource one(0, 1);
  IdSource two(63, 1);
  for (int i = 0; i < 1000; ++i) EXPECT_NE(one.next_key(kNow), two.next_key(kNow));
}

TEST(IdSource, StartsAboveTheLastKeyOfAnEarlierRunThoughTheClockWasSetBack) {
  IdSource before(0, 1);
  const uint64_t last = before.next_key(kNow);
  IdSource after(0, 2, last);
  EXPECT_GT(after.next_key(kNow - 3'600'000'000), last);
}

TEST(IdSource, IsTheSameForTheSameSeed) {
  IdSource one(0, 7);
  IdSource two(0, 7);
  EXPECT_EQ(one.request_id(5), two.request_id(5));
  EXPECT_EQ(one.trace_id(), two.trace_id());
  EXPECT_NE(one.trace_id(), one.trace_id());
}

TEST(RequestId, GivesBackItsKey) {
  IdSource ids(1, 9);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t key = ids.next_key(kNow + i * 1000);
    const std::string id = ids.request_id(key);
    ASSERT_EQ(id.size(), 30U);
    const auto parts = parse_request_id(id);
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->key, key);
    EXPECT_EQ(format_request_id(*parts), id);
  }
}

TEST(RequestId, SortsAsItsKeyDoes) {
  EXPECT_LT(format_request_id({.key = 41, .tail = ~uint64_t{0}}),
            format_request_id({.key = 42, .tail = 0}));
}

TEST(RequestId, RefusesWhatIsNone) {
  const std::string good = format_request_id({.key = 1, .tail = 2});
  EXPECT_TRUE(parse_request_id(good));
  EXPECT_FALSE(parse_request_id(""));
  EXPECT_FALSE(parse_request_id(good.substr(1)));
  EXPECT_FALSE(parse_request_id(good + "0"));
  EXPECT_FALSE(parse_request_id("req_u0000000000000000000000000"));  // not in the alphabet
  EXPECT_FALSE(parse_request_id("req_80000000000000000000000000"));  // over 128 bits
  EXPECT_FALSE(parse_request_id("REQ_00000000000000000000000000"));
}

constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceParent, IsReadAndWrittenAlike) {
  const auto parent = parse_traceparent(kParent);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(parent->parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(parent->flags, 1);
  std::string text;
  append_traceparent(text, parent->trace_id, 0x00f067aa0ba902b7, parent->flags);
  EXPECT_EQ(text, kParent);
}

TEST(TraceParent, OfALaterVersionMayGoOn) {
  std::string later = kParent;
  later[1] = '1';
  EXPECT_TRUE(parse_traceparent(later));
  EXPECT_TRUE(parse_traceparent(later + "-more"));
  EXPECT_FALSE(parse_traceparent(later + "more"));
  EXPECT_FALSE(parse_traceparent(std::string(kParent) + "-more"));
}

TEST(TraceParent, RefusesWhatTheStandardRefuses) {
  const std::string good = kParent;
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(parse_traceparent(good.substr(0, i))) << i;
    std::string bad = good;
    bad[i] = 'G';
    EXPECT_FALSE(parse_traceparent(bad)) << i;
  }
  EXPECT_FALSE(parse_traceparent("ff" + good.substr(2)));
  EXPECT_FALSE(parse_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  EXPECT_FALSE(parse_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
}

}  // namespace
}  // namespace sluice
