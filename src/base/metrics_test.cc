#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "base/thread.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr MetricLabel kLabels[] = {{"model", true}, {"outcome"}};
constexpr int64_t kBounds[] = {10'000, 2'500'000};
constexpr MetricDef kCalls{.name = "calls_total", .help = "Calls made.", .labels = kLabels};
constexpr MetricDef kMoney{.name = "money_dollars_total", .help = "Spent.", .decimals = 9};
constexpr MetricDef kTime{.name = "time_seconds",
                          .help = "Took so long.",
                          .type = MetricType::Histogram,
                          .decimals = 6,
                          .labels = kLabels,
                          .bounds = kBounds};
constexpr MetricDef kOpen{.name = "open_things", .help = "Now.", .type = MetricType::Gauge};

TEST(Metrics, SumTheLanes) {
  Registry registry(2);
  const Counter calls = registry.counter(kCalls, {"a", "ok"});
  calls.add(0);
  calls.add(1, 4);
  calls.add_shared(10);
  EXPECT_EQ(calls.value(), 15);
  EXPECT_THAT(registry.text(), HasSubstr("calls_total{model=\"a\",outcome=\"ok\"} 15\n"));
}

TEST(Metrics, GiveTheSameSeriesForTheSameLabels) {
  Registry registry(1);
  registry.counter(kCalls, {"a", "ok"}).add(0);
  registry.counter(kCalls, {"a", "ok"}).add(0);
  EXPECT_EQ(registry.counter(kCalls, {"a", "ok"}).value(), 2);
  EXPECT_EQ(registry.counter(kCalls, {"a", "error"}).value(), 0);
}

TEST(Metrics, KeepMoneyExactly) {
  Registry registry(1);
  const Counter money = registry.counter(kMoney);
  for (int i = 0; i < 1'000'000; ++i) money.add(0, 1);  // 1e6 nano-dollars
  money.add(0, 54'399'000);
  EXPECT_THAT(registry.text(), HasSubstr("money_dollars_total 0.055399\n"));
}

TEST(Metrics, WriteHistogramsCumulativelyWithInfinity) {
  Registry registry(1);
  const Histogram time = registry.histogram(kTime, {"a", "ok"});
  for (const int64_t micros : {10'000, 10'001, 2'500'001, 1}) time.observe(0, micros);
  EXPECT_EQ(time.count(), 4);
  EXPECT_THAT(registry.text(),
              HasSubstr("# HELP time_seconds Took so long.\n# TYPE time_seconds histogram\n"
                        "time_seconds_bucket{model=\"a\",outcome=\"ok\",le=\"0.01\"} 2\n"
                        "time_seconds_bucket{model=\"a\",outcome=\"ok\",le=\"2.5\"} 3\n"
                        "time_seconds_bucket{model=\"a\",outcome=\"ok\",le=\"+Inf\"} 4\n"
                        "time_seconds_sum{model=\"a\",outcome=\"ok\"} 2.520003\n"
                        "time_seconds_count{model=\"a\",outcome=\"ok\"} 4\n"));
}

TEST(Metrics, EscapeLabelValues) {
  Registry registry(1);
  registry.counter(kCalls, {"a\"b\\c\nd", "ok"}).add(0);
  EXPECT_THAT(registry.text(), HasSubstr(R"(calls_total{model="a\"b\\c\nd",outcome="ok"} 1)"));
}

TEST(Metrics, ReadWatchedValuesWhenScraped) {
  Registry registry(1);
  int64_t value = 3;
  registry.watch(kOpen, {}, [&value] { return value; });
  EXPECT_THAT(registry.text(), HasSubstr("open_things 3\n"));
  value = -2;
  EXPECT_THAT(registry.text(), HasSubstr("open_things -2\n"));
}

TEST(Metrics, LeaveOutHistogramsWithoutObservations) {
  Registry registry(1);
  EXPECT_EQ(registry.histogram(kTime, {"a", "ok"}).count(), 0);
  EXPECT_THAT(registry.text(), Not(HasSubstr("time_seconds")));
}

TEST(Metrics, OBS_2_BeyondTheCapCountUnderOtherAndSaySo) {
  Registry registry(1, 50);
  for (int i = 0; i < 1000; ++i) {
    registry.counter(kCalls, {"model-" + std::to_string(i), "ok"}).add(0);
  }
  EXPECT_LE(registry.series(), 51U);  // the series named other stands above the cap
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("calls_total{model=\"model-0\",outcome=\"ok\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("model-999")));
  EXPECT_THAT(text, HasSubstr("calls_total{model=\"other\",outcome=\"ok\"} 952\n"));
  EXPECT_THAT(text, HasSubstr("llm_metrics_overflow_total 952\n"));
}

// What `promtool check metrics` demands of a page, in short.
TEST(Metrics, PageObeysTheTextFormat) {
  Registry registry(1);
  registry.counter(kCalls, {"a", "ok"}).add(0);
  registry.counter(kCalls, {"b", "ok"}).add(0);
  registry.histogram(kTime, {"a", "ok"}).observe(0, 5);
  std::istringstream page(registry.text());
  std::map<std::string, std::string> types;
  std::string last;
  for (std::string line; std::getline(page, line);) {
    ASSERT_FALSE(line.empty());
    if (line.starts_with("# HELP ")) {
      last = line.substr(7, line.find(' ', 7) - 7);
      ASSERT_FALSE(types.contains(last)) << "a family appears once";
      ASSERT_GT(line.size(), 8 + last.size()) << "help is not empty";
    } else if (line.starts_with("# TYPE ")) {
      ASSERT_TRUE(line.starts_with("# TYPE " + last + " "));
      types[last] = line.substr(8 + last.size());
      if (types[last] == "counter") EXPECT_TRUE(last.ends_with("_total")) << last;
    } else {
      ASSERT_TRUE(line.starts_with(last)) << line << " stands under " << last;
    }
  }
  EXPECT_EQ(types["calls_total"], "counter");
  EXPECT_EQ(types["time_seconds"], "histogram");
}

TEST(Metrics, CountersOnlyRiseWhileScraped) {
  Registry registry(2);
  const Counter calls = registry.counter(kCalls, {"a", "ok"});
  constexpr int kEach = 50'000;
  NamedThread one("one", [&] {
    for (int i = 0; i < kEach; ++i) calls.add(0);
  });
  NamedThread two("two", [&] {
    for (int i = 0; i < kEach; ++i) calls.add(1);
  });
  int64_t last = 0;
  while (last < 2 * kEach) {
    const int64_t now = calls.value();
    ASSERT_GE(now, last);
    last = now;
  }
  one.join();
  two.join();
  EXPECT_EQ(calls.value(), 2 * kEach);
}

}  // namespace
}  // namespace sluice
