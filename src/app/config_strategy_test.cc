#include "app/config_strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_test_support.h"
#include "app/router_builder.h"

namespace sluice::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "code line:column" of each complaint, in the order of the file.
std::vector<std::string> complaints_about(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& diagnostic : load(input_of(text)).diagnostics)
    found.push_back(code_of(diagnostic.rule) + " " + std::to_string(diagnostic.place.line) + ":" +
                    std::to_string(diagnostic.place.column));
  return found;
}

constexpr auto kProviders =
    "providers: {openai: {kind: openai}, house: {kind: openai, preset: ollama}}\n"
    "tiers: {tier1: [openai/a, house/b]}\n";

TEST(ConfigStrategy, ReadsEachKindOfNode) {
  const Strategy strategy = read_strategy("r", R"({
    "strategy": "conditional", "sticky": "user", "restricted": true, "continue": true,
    "fallback": false, "timeouts": {"idle": "3s"},
    "conditions": [{"when": {"metadata.plan": "paid"},
                    "then": {"strategy": "weighted",
                             "targets": [{"target": "a/x", "weight": 3}, "b/y"]}}],
    "default": ["a/x", {"target": "b/y", "timeouts": {"first_byte": "10s"}}]})");
  ASSERT_THAT(strategy.faults, IsEmpty());
  const routing::RouteOptions& options = strategy.options;
  EXPECT_EQ(options.sticky, routing::Sticky::User);
  EXPECT_TRUE(options.restricted);
  EXPECT_TRUE(options.continues);
  EXPECT_FALSE(options.fallback);
  EXPECT_EQ(options.root.mode, routing::Mode::Conditional);
  EXPECT_EQ(options.root.timeouts.idle, 3 * kSecond);
  ASSERT_EQ(options.root.children.size(), 2U);
  EXPECT_THAT(options.root.children[0].weights, ElementsAre(3, 1));
  EXPECT_EQ(options.root.otherwise, 1U);
  EXPECT_EQ(options.root.children[1].mode, routing::Mode::Fallback);
  EXPECT_EQ(options.root.children[1].children[1].timeouts.first_byte, 10 * kSecond);
  ASSERT_EQ(strategy.targets.size(), 4U);
  EXPECT_EQ(strategy.targets[3].path, "routes.r.default[1].target");
}

TEST(ConfigStrategy, CFG_4_EveryFaultOfARouteIsFoundAtItsPlace) {
  EXPECT_THAT(complaints_about(std::string(kProviders) + "routes:\n"
                                                         "  split:\n"
                                                         "    strategy: weighted\n"
                                                         "    targets:\n"
                                                         "      - {target: openia/a, weight: 1}\n"
                                                         "      - {target: tier1, weight: many}\n"
                                                         "    stikcy: user\n"),
              ElementsAre("SL501 7:18", "SL301 8:33", "SL201 9:5"));
}

TEST(ConfigStrategy, CFG_4_ACircleThroughATierIsFoundWhereItCloses) {
  EXPECT_THAT(complaints_about("providers: {openai: {kind: openai}}\n"
                               "tiers: {a: [b]}\n"
                               "routes: {b: {strategy: fallback, targets: [openai/x, a]}}\n"),
              ElementsAre("SL503 2:13"));
}

TEST(ConfigStrategy, ARestrictedRouteNeedsALocalTarget) {
  const std::string before = std::string(kProviders) + "routes: {r: {strategy: fallback, targets: ";
  EXPECT_THAT(complaints_about(before + "[openai/a], restricted: true}}\n"),
              ElementsAre("SL508 3:67"));
  EXPECT_THAT(complaints_about(before + "[tier1], restricted: true}}\n"), IsEmpty());
}

// What no check of its own finds, the router finds, and still it is said at a place.
TEST(ConfigStrategy, CFG_4_WhatTheRouterRefusesDoesNotPass) {
  std::string deep = "house/b";
  for (int i = 0; i < 20; ++i) deep = "[" + deep + "]";
  const std::string text =
      std::string(kProviders) + "routes:\n  one: " + deep +
      "\n  two: {strategy: fallback, targets: [[[[[[[[[[[[[one]]]]]]]]]]]]]}\n";
  const auto outcome = load(input_of(text));
  ASSERT_FALSE(outcome.loaded);
  EXPECT_EQ(outcome.diagnostics.front().rule, Rule::BadRouting);
  EXPECT_GT(outcome.diagnostics.front().place.line, 0);
}

TEST(ConfigStrategy, CFG_4_WhatPassesMakesARouter) {
  const auto outcome = load(input_of(std::string(kProviders) +
                                     "tasks: {chat: split, code: [tier1]}\n"
                                     "auto: {phrases: {code: [\"stack trace: 2.5\"]}}\n"
                                     "routes:\n"
                                     "  split:\n"
                                     "    strategy: weighted\n"
                                     "    targets: [{target: tier1, weight: 7}, task/code]\n"));
  ASSERT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  const auto options = router_options(outcome.loaded->settings);
  ASSERT_TRUE(options);
  const auto router = routing::Router::make(*options);
  ASSERT_TRUE(router) << router.error().message();
  EXPECT_THAT(router->names(), testing::IsSupersetOf({"split", "tier1", "task/chat", "auto"}));
}

}  // namespace
}  // namespace sluice::app
