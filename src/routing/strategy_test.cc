// Strategies as a Router of the configuration evaluates them.
#include "routing/strategy.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <random>

#include "routing/router.h"

namespace sluice::routing {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

NodeOptions to(std::string target) {
  return {.target = std::move(target)};
}
NodeOptions fallback(std::vector<NodeOptions> children) {
  return {.mode = Mode::Fallback, .children = std::move(children)};
}
NodeOptions weighted(std::vector<std::pair<NodeOptions, double>> children) {
  NodeOptions node{.mode = Mode::Weighted};
  for (auto& [child, weight] : children) {
    node.children.push_back(std::move(child));
    node.weights.push_back(weight);
  }
  return node;
}
// The last child is `otherwise`.
NodeOptions conditional(std::vector<std::pair<std::string, NodeOptions>> rules,
                        NodeOptions otherwise) {
  NodeOptions node{.mode = Mode::Conditional};
  for (auto& [when, child] : rules) {
    node.rules.push_back({.when = when, .child = node.children.size()});
    node.children.push_back(std::move(child));
  }
  node.otherwise = node.children.size();
  node.children.push_back(std::move(otherwise));
  return node;
}

RouterOptions with_route(NodeOptions root, Sticky sticky = Sticky::None) {
  RouterOptions options;
  options.providers = {
      {.name = "a", .local = true}, {.name = "b"}, {.name = "c", .local = true}, {.name = "d"}};
  options.routes = {{.name = "r", .root = std::move(root), .sticky = sticky}};
  return options;
}

Router make(const RouterOptions& options) {
  Result<Router> router = Router::make(options);
  EXPECT_TRUE(router) << router.error().param() << ": " << router.error().message();
  return *std::move(router);
}

Error refusal(const RouterOptions& options) {
  const Result<Router> router = Router::make(options);
  EXPECT_FALSE(router);
  return router ? Error(Outcome::Ok, "")
                : Error(router.error().outcome(), router.error().message(), router.error().param());
}

std::vector<std::string> models(const Router& router, const Facts& facts) {
  const Result<Decision> decision = router.decide(facts);
  EXPECT_TRUE(decision) << decision.error().message();
  std::vector<std::string> models;
  if (decision) {
    for (const Target& target : decision->route().targets) models.push_back(target.model);
  }
  return models;
}

std::string reason(const Router& router, const Facts& facts) {
  const Result<Decision> decision = router.decide(facts);
  EXPECT_TRUE(decision) << decision.error().message();
  return decision ? decision->reason() : "";
}

Facts asked(std::string_view model) {
  Facts facts;
  facts.model = model;
  return facts;
}

// Draws `count` times; how often each model came first.
std::map<std::string, int> firsts(const Router& router, int count) {
  std::mt19937_64 random(20'261'123);
  std::map<std::string, int> firsts;
  Facts facts = asked("r");
  for (int i = 0; i < count; ++i) {
    facts.random = random();
    ++firsts[models(router, facts).front()];
  }
  return firsts;
}

std::string user_name(size_t number) {
  return "user-" + std::to_string(number);
}

// By user: the provider of the first target.
std::vector<uint16_t> first_by_user(const Router& router, size_t users) {
  std::vector<uint16_t> firsts;
  Facts facts = asked("r");
  for (size_t i = 0; i < users; ++i) {
    const std::string user = user_name(i);
    facts.user = user;
    firsts.push_back(router.decide(facts)->route().targets.front().provider);
  }
  return firsts;
}

int moved(const std::vector<uint16_t>& before, const std::vector<uint16_t>& after) {
  int count = 0;
  for (size_t i = 0; i < before.size(); ++i) count += before[i] != after[i];
  return count;
}

constexpr uint16_t kB = 1;

TEST(Strategy, AFallbackIsItsTargetsInOrderWithoutRepetition) {
  const Router router =
      make(with_route(fallback({to("b/x"), to("a/y"), fallback({to("b/x"), to("c/z")})})));
  EXPECT_THAT(models(router, asked("r")), ElementsAre("x", "y", "z"));
  EXPECT_EQ(reason(router, asked("r")), "route r, in order");
}

TEST(Strategy, WeightsAreKeptWithinTolerance) {
  const Router router =
      make(with_route(weighted({{to("a/x"), 70}, {to("b/y"), 20}, {to("c/z"), 10}})));
  const std::map<std::string, int> drawn = firsts(router, 10'000);
  // Four standard deviations of 10,000 draws.
  EXPECT_NEAR(drawn.at("x"), 7000, 4 * std::sqrt(10'000 * 0.7 * 0.3));
  EXPECT_NEAR(drawn.at("y"), 2000, 4 * std::sqrt(10'000 * 0.2 * 0.8));
  EXPECT_NEAR(drawn.at("z"), 1000, 4 * std::sqrt(10'000 * 0.1 * 0.9));
}

TEST(Strategy, TheSecondOfAWeightedChoiceIsDrawnByWeightAmongTheOthers) {
  const Router router =
      make(with_route(weighted({{to("a/x"), 80}, {to("b/y"), 15}, {to("c/z"), 5}})));
  std::mt19937_64 random(7);
  Facts facts = asked("r");
  int x_first = 0;
  int y_second = 0;
  for (int i = 0; i < 10'000; ++i) {
    facts.random = random();
    const std::vector<std::string> order = models(router, facts);
    ASSERT_EQ(order.size(), 3u);
    if (order[0] != "x") continue;
    ++x_first;
    y_second += order[1] == "y";
  }
  EXPECT_NEAR(static_cast<double>(y_second) / x_first, 0.75, 0.02);
}

TEST(Strategy, WeightZeroIsNeverFirstAndAlwaysLast) {
  const Router router =
      make(with_route(weighted({{to("a/x"), 0}, {to("b/y"), 1}, {to("c/z"), 1}})));
  std::mt19937_64 random(3);
  Facts facts = asked("r");
  for (int i = 0; i < 500; ++i) {
    facts.random = random();
    const std::vector<std::string> order = models(router, facts);
    ASSERT_EQ(order.size(), 3u);
    EXPECT_EQ(order.back(), "x");
  }
}

TEST(Strategy, TheSameDrawGivesTheSameOrder) {
  const Router router = make(with_route(weighted({{to("a/x"), 1}, {to("b/y"), 1}})));
  Facts facts = asked("r");
  facts.random = 42;
  const std::vector<std::string> once = models(router, facts);
  EXPECT_EQ(models(router, facts), once);
  EXPECT_EQ(models(make(with_route(weighted({{to("a/x"), 1}, {to("b/y"), 1}}))), facts), once);
}

TEST(Strategy, AB_1_ASubjectKeepsItsArmAndEightyTwentyMovesOnlyTheTenth) {
  const auto split = [](double a, double b) {
    return make(with_route(weighted({{to("a/x"), a}, {to("b/y"), b}}), Sticky::User));
  };
  constexpr size_t kUsers = 100'000;
  const std::vector<uint16_t> before = first_by_user(split(90, 10), kUsers);
  const std::vector<uint16_t> after = first_by_user(split(80, 20), kUsers);
  int b = 0;
  int b_lost = 0;
  for (size_t i = 0; i < kUsers; ++i) {
    b += before[i] == kB;
    b_lost += before[i] == kB && after[i] != kB;
  }
  EXPECT_NEAR(b, 0.1 * kUsers, 0.003 * kUsers);
  EXPECT_EQ(b_lost, 0);
  EXPECT_NEAR(moved(before, after), 0.1 * kUsers, 0.003 * kUsers);
  // Another instance, or this one after a restart.
  const std::vector<uint16_t> again = first_by_user(split(9, 1), 1000);
  EXPECT_TRUE(std::equal(again.begin(), again.end(), before.begin()));
}

// These are the arms of today for good: whoever changes the hash moves everybody.
TEST(Strategy, AB_1_TheArmsAreTheSameOnEveryMachine) {
  const Router router = make(with_route(weighted({{to("a/x"), 1}, {to("b/y"), 1}}), Sticky::User));
  EXPECT_THAT(first_by_user(router, 12), ElementsAre(0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0));
}

TEST(Strategy, AB_3_AUserStaysOnItsTargetAndMovesOnlyWhenThatGoes) {
  const Router three =
      make(with_route(weighted({{to("a/x"), 1}, {to("b/y"), 1}, {to("c/z"), 1}}), Sticky::User));
  const Router two = make(with_route(weighted({{to("a/x"), 1}, {to("c/z"), 1}}), Sticky::User));
  constexpr size_t kUsers = 10'000;
  const std::vector<uint16_t> before = first_by_user(three, kUsers);
  const std::vector<uint16_t> after = first_by_user(two, kUsers);
  int had_b = 0;
  for (size_t i = 0; i < kUsers; ++i) {
    if (before[i] != kB) {
      ASSERT_EQ(after[i], before[i]);
      continue;
    }
    ++had_b;
    // While b is unhealthy its users go to the second of their lists, each turn to the same one:
    // where they would go if b were gone.
    const std::string user = user_name(i);
    Facts facts = asked("r");
    facts.user = user;
    ASSERT_EQ(three.decide(facts)->route().targets[1].provider, after[i]);
  }
  EXPECT_EQ(moved(before, after), had_b);
  EXPECT_NEAR(had_b, kUsers / 3.0, 4 * std::sqrt(kUsers * 2.0 / 9));
}

TEST(Strategy, AB_3_TurnsOfAConversationStayTogetherWhateverTheDraw) {
  const Router router =
      make(with_route(weighted({{to("a/x"), 1}, {to("b/y"), 1}}), Sticky::Conversation));
  Facts facts = asked("r");
  facts.conversation = "c-17";
  const std::vector<std::string> first_turn = models(router, facts);
  for (uint64_t turn = 1; turn < 50; ++turn) {
    facts.random = turn * 0x9e3779b97f4a7c15u;
    EXPECT_EQ(models(router, facts), first_turn);
  }
  EXPECT_THAT(reason(router, facts), EndsWith("for this conversation"));
}

TEST(Strategy, WithoutASubjectAStickyChoiceIsDrawn) {
  const Router router = make(with_route(weighted({{to("a/x"), 1}, {to("b/y"), 1}}), Sticky::Key));
  EXPECT_EQ(firsts(router, 1000).size(), 2u);
  Facts facts = asked("r");
  EXPECT_THAT(reason(router, facts), HasSubstr("weighted 50/50 drew"));
}

TEST(Strategy, TheFirstRuleThatMatchesWins) {
  const Router router = make(with_route(
      conditional({{R"({"key": "one"})", to("a/x")}, {R"({"key": {"$regex": "o"}})", to("b/y")}},
                  fallback({to("c/z"), to("d/w")}))));
  Facts facts = asked("r");
  facts.key = "one";
  EXPECT_THAT(models(router, facts), ElementsAre("x"));
  EXPECT_EQ(reason(router, facts), "route r: key is 'one' -> a/x");
  facts.key = "two";
  EXPECT_THAT(models(router, facts), ElementsAre("y"));
  facts.key = "three";
  EXPECT_THAT(models(router, facts), ElementsAre("z", "w"));
  EXPECT_EQ(reason(router, facts), "route r: no rule matches, in order");
}

TEST(Strategy, NestedNodesTellWhatLedToTheFirstTarget) {
  RouterOptions options =
      with_route(conditional({{R"({"metadata.plan": "paid"})", to("tier2")}}, to("d/w")));
  options.routes.push_back(
      {.name = "tier2",
       .kind = RouteKind::Tier,
       .root = fallback({weighted({{to("a/x"), 70}, {to("b/y"), 30}}), to("c/z")})});
  const Router router = make(options);
  Facts facts = asked("r");
  const auto metadata = [](std::string_view name) {
    return name == "plan" ? Value::of("paid") : Value{};
  };
  facts.metadata = metadata;
  const std::vector<std::string> order = models(router, facts);
  ASSERT_EQ(order.size(), 3u);
  EXPECT_EQ(order[2], "z");
  EXPECT_EQ(reason(router, facts),
            "route r: metadata.plan is 'paid' -> tier2, in order; weighted 70/30 drew " +
                std::string(order[0] == "x" ? "a/x" : "b/y"));
}

TEST(Strategy, ATargetsTimeoutsAreTheClosestOnes) {
  NodeOptions close = to("a/x");
  close.timeouts.first_byte = 2 * kSecond;
  NodeOptions group = fallback({close, to("b/y"), to("inner")});
  group.timeouts = {.first_byte = 5 * kSecond, .idle = 7 * kSecond};
  RouterOptions options = with_route(group);
  options.routes[0].timeouts.total = 60 * kSecond;
  options.routes.push_back(
      {.name = "inner", .root = to("c/z"), .timeouts = {.total = 30 * kSecond}});
  const Router router = make(options);
  const Result<Decision> decision = router.decide(asked("r"));
  ASSERT_TRUE(decision);
  const std::vector<Target>& targets = decision->route().targets;
  ASSERT_EQ(targets.size(), 3u);
  EXPECT_EQ(targets[0].timeouts->first_byte, 2 * kSecond);
  EXPECT_EQ(targets[0].timeouts->idle, 7 * kSecond);
  EXPECT_EQ(targets[0].timeouts->total, 60 * kSecond);
  EXPECT_EQ(targets[0].timeouts->connect, std::nullopt);
  EXPECT_EQ(targets[1].timeouts->first_byte, 5 * kSecond);
  EXPECT_EQ(targets[2].timeouts->total, 30 * kSecond);
  EXPECT_EQ(router.find("a/x")->targets[0].timeouts, nullptr);
}

TEST(Strategy, ReferencesThatLeadBackAreRefused) {
  RouterOptions options = with_route(to("s"));
  options.routes.push_back({.name = "s", .root = fallback({to("a/x"), to("r")})});
  EXPECT_THAT(refusal(options).message(), HasSubstr("leads back to itself"));
  EXPECT_THAT(refusal(with_route(to("r"))).message(), HasSubstr("'r' leads back to itself"));
}

TEST(Strategy, DepthAndNumberOfTargetsAreBounded) {
  NodeOptions deep = to("a/x");
  for (int i = 0; i < kMaxNesting; ++i) deep = fallback({deep});
  EXPECT_TRUE(Router::make(with_route(deep)));
  EXPECT_THAT(refusal(with_route(fallback({deep}))).message(), HasSubstr("nested more than 32"));
  // Each doubles the one before it.
  RouterOptions doubling = with_route(fallback({to("a/x"), to("b/x")}));
  for (int i = 0; i < 20; ++i) {
    const std::string before = i == 0 ? "r" : "r" + std::to_string(i - 1);
    doubling.routes.push_back(
        {.name = "r" + std::to_string(i), .root = fallback({to(before), to(before)})});
  }
  EXPECT_THAT(refusal(doubling).message(), HasSubstr("more than 256 targets"));
}

TEST(Strategy, FaultsNameTheirNode) {
  EXPECT_EQ(refusal(with_route(fallback({to("a/x"), fallback({})}))).param(),
            "routes.r.children[1]");
  EXPECT_EQ(
      refusal(with_route(conditional({{R"({"$or": [{"key": {"$x": 1}}]})", to("a/x")}}, to("b/y"))))
          .param(),
      "routes.r.rules[0].when.$or[0].key.$x");
  EXPECT_THAT(refusal(with_route(to("tier9"))).message(),
              HasSubstr("'tier9' is no provider/model"));
  NodeOptions rules = conditional({{R"({"key": "a"})", to("a/x")}}, to("b/y"));
  rules.rules[0].child = 2;
  EXPECT_EQ(refusal(with_route(rules)).param(), "routes.r.rules[0]");
  rules.rules[0].child = 1;
  rules.otherwise = 2;
  EXPECT_THAT(refusal(with_route(rules)).message(), HasSubstr("`otherwise`"));
  rules.rules.clear();
  EXPECT_THAT(refusal(with_route(rules)).message(), HasSubstr("needs a rule"));
}

TEST(Strategy, WeightsThatMeanNothingAreRefused) {
  const auto pair = [](double a, double b) {
    return with_route(weighted({{to("a/x"), a}, {to("b/y"), b}}));
  };
  EXPECT_THAT(refusal(pair(0, 0)).message(), HasSubstr("one at least above 0"));
  EXPECT_THAT(refusal(pair(-1, 2)).message(), HasSubstr("from 0 up"));
  EXPECT_THAT(refusal(pair(std::nan(""), 2)).message(), HasSubstr("from 0 up"));
  RouterOptions missing = pair(1, 1);
  missing.routes[0].root.weights.pop_back();
  EXPECT_THAT(refusal(missing).message(), HasSubstr("each target needs a weight"));
}

TEST(Strategy, TheSameTargetTwiceInAWeightedNodeHasBothShares) {
  const Router router =
      make(with_route(weighted({{to("a/x"), 1}, {to("a/x"), 1}, {to("b/y"), 1}})));
  EXPECT_NEAR(firsts(router, 9000).at("x"), 6000, 4 * std::sqrt(9000 * 2.0 / 9));
}

}  // namespace
}  // namespace sluice::routing
