// How a Router decides between model, task and classifier, and what data may go where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/router.h"

namespace sluice::routing {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

NodeOptions to(std::string target) {
  return {.target = std::move(target)};
}
NodeOptions in_order(std::vector<std::string> targets) {
  NodeOptions node{.mode = Mode::Fallback};
  for (std::string& target : targets) node.children.push_back(to(std::move(target)));
  return node;
}

// The configuration of docs/architecture.md, and a little more.
RouterOptions example() {
  RouterOptions options;
  options.providers = {{.name = "portkey", .open = false},
                       {.name = "openai", .models = {"gpt-5"}},
                       {.name = "openrouter"},
                       {.name = "cortex", .open = false, .local = true}};
  options.tiers = {{"tier1", {"portkey/gpt4", "openai/gpt-4"}},
                   {"tier2", {"portkey/haiku", "cortex/llama", "openai/gpt-4o-mini"}}};
  options.routes = {
      {.name = "code_generation", .kind = RouteKind::Task, .root = to("tier1")},
      {.name = "chat", .kind = RouteKind::Task, .root = to("tier2")},
      {.name = "embeddings", .kind = RouteKind::Task, .root = in_order({"cortex/arctic"})},
      {.name = "experimental", .kind = RouteKind::Task, .root = in_order({"openrouter/*"})},
      {.name = "payroll", .kind = RouteKind::Task, .root = to("tier2"), .restricted = true},
  };
  options.classifier =
      builtin_rules({"code_generation", "chat", "embeddings", "experimental", "payroll"});
  return options;
}

Router make(const RouterOptions& options) {
  Result<Router> router = Router::make(options);
  EXPECT_TRUE(router) << router.error().param() << ": " << router.error().message();
  return *std::move(router);
}

Error refusal(const RouterOptions& options) {
  Result<Router> router = Router::make(options);
  EXPECT_FALSE(router);
  return router ? Error(Outcome::Ok, "") : std::move(router).error();
}

class Decide : public testing::Test {
 protected:
  Facts asked(std::string_view model, std::string_view task = "") {
    Facts facts;
    facts.model = model;
    facts.task = task;
    facts.path = "/v1/chat/completions";
    return facts;
  }
  std::vector<std::string> models(const Facts& facts) {
    const Result<Decision> decision = router.decide(facts);
    EXPECT_TRUE(decision) << decision.error().message();
    std::vector<std::string> models;
    if (decision) {
      for (const Target& target : decision->route().targets) models.push_back(target.model);
    }
    return models;
  }
  std::string reason(const Facts& facts) {
    const Result<Decision> decision = router.decide(facts);
    EXPECT_TRUE(decision) << decision.error().message();
    return decision ? decision->reason() : "";
  }
  Error refused(const Facts& facts) {
    Result<Decision> decision = router.decide(facts);
    EXPECT_FALSE(decision) << decision->reason();
    return decision ? Error(Outcome::Ok, "") : std::move(decision).error();
  }

  Router router = make(example());
};

TEST_F(Decide, ATaskIsNamedByHeaderOrAsAModel) {
  EXPECT_THAT(models(asked("", "code_generation")), ElementsAre("gpt4", "gpt-4"));
  EXPECT_THAT(models(asked("auto", "code_generation")), ElementsAre("gpt4", "gpt-4"));
  EXPECT_THAT(models(asked("task/code_generation")), ElementsAre("gpt4", "gpt-4"));
  EXPECT_EQ(reason(asked("", "code_generation")),
            "task code_generation (x-sluice-task) -> tier1, in order");
  EXPECT_EQ(reason(asked("task/code_generation")), "task code_generation -> tier1, in order");
  const Result<Decision> decision = router.decide(asked("", "code_generation"));
  EXPECT_EQ(decision->route().alias, "task/code_generation");
}

TEST_F(Decide, AnswersThatNeverChangeAreNotMadeAgain) {
  for (const Facts& facts : {asked("tier1"), asked("", "chat"), asked("openai/gpt-5")}) {
    Result<Decision> decision = router.decide(facts);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision->take(), nullptr);
  }
  EXPECT_EQ(&router.decide(asked("tier1"))->route(), router.find("tier1"));
  EXPECT_EQ(router.find("tier1")->reason, "tier tier1, in order");
  EXPECT_EQ(router.find("gpt-5")->reason, "model gpt-5 -> openai/gpt-5");
  EXPECT_EQ(router.find("openai/gpt-5")->reason, "model openai/gpt-5");
}

TEST_F(Decide, AModelThatIsKnownStandsAboveTheTaskOfTheHeader) {
  EXPECT_THAT(models(asked("gpt-5", "chat")), ElementsAre("gpt-5"));
  EXPECT_EQ(reason(asked("gpt-5", "chat")),
            "model gpt-5 -> openai/gpt-5; the model named stands above task chat");
  EXPECT_THAT(models(asked("tier1", "chat")), ElementsAre("gpt4", "gpt-4"));
  EXPECT_THAT(models(asked("openrouter/new", "chat")), ElementsAre("new"));
  EXPECT_EQ(reason(asked("task/chat", "chat")), "task chat -> tier2, in order");
}

TEST_F(Decide, TheTaskStandsAboveAModelThatNobodyKnows) {
  EXPECT_THAT(models(asked("gpt-4o", "code_generation")), ElementsAre("gpt4", "gpt-4"));
  EXPECT_EQ(reason(asked("gpt-4o", "code_generation")),
            "task code_generation (x-sluice-task) -> tier1, in order; model gpt-4o is not known "
            "here");
  // A closed provider does not take the name, so nobody knows it.
  EXPECT_THAT(models(asked("portkey/gpt-9", "code_generation")), ElementsAre("gpt4", "gpt-4"));
}

TEST_F(Decide, AnyModelOfAProviderIsTheOneTheCallerNames) {
  EXPECT_THAT(models(asked("mistral/large", "experimental")), ElementsAre("mistral/large"));
  EXPECT_EQ(reason(asked("mistral/large", "experimental")),
            "task experimental (x-sluice-task) -> openrouter/*");
  const Error error = refused(asked("task/experimental"));
  EXPECT_EQ(error.outcome(), Outcome::BadRequest);
  EXPECT_THAT(error.message(), HasSubstr("name one as `model`"));
}

TEST_F(Decide, AnUnknownTaskIsRefusedWithTheNearestOnes) {
  const Error by_header = refused(asked("gpt-5", "code_generaton"));
  EXPECT_EQ(by_header.outcome(), Outcome::BadRequest);
  EXPECT_EQ(by_header.param(), "x-sluice-task");
  EXPECT_THAT(by_header.message(), HasSubstr("did you mean 'code_generation'?"));
  const Error by_model = refused(asked("task/cht"));
  EXPECT_EQ(by_model.outcome(), Outcome::ModelNotFound);
  EXPECT_EQ(by_model.param(), "model");
  EXPECT_THAT(by_model.message(), HasSubstr("'chat'"));
  EXPECT_THAT(refused(asked("gpt-5", "zzzzzz")).message(), HasSubstr("there is 'code_generation'"));
  RouterOptions without = example();
  without.routes.clear();
  without.classifier.reset();
  router = make(without);
  EXPECT_THAT(refused(asked("gpt-5", "chat")).message(), HasSubstr("no task is configured"));
  // Without tasks "task/" is the beginning of a name like any other.
  without.default_provider = "openrouter";
  router = make(without);
  EXPECT_THAT(models(asked("task/cht")), ElementsAre("task/cht"));
}

TEST_F(Decide, AnUnknownModelIsRefusedWithTheNearestOnes) {
  EXPECT_EQ(refused(asked("tier3")).outcome(), Outcome::ModelNotFound);
  EXPECT_THAT(refused(asked("tier3")).message(), HasSubstr("'tier1'"));
  EXPECT_EQ(refused(asked("")).outcome(), Outcome::ModelNotFound);
}

TEST_F(Decide, ACallersNameStaysShortAndOnOneLineWhereverItIsRepeated) {
  const std::string name = "openrouter/a\r\nb" + std::string(111, 'x') + "\xc3\xa9" + "tail";
  const std::string said = "openrouter/a  b" + std::string(111, 'x') + "\xc3\xa9";
  ASSERT_EQ(said.size(), 128u);
  EXPECT_THAT(reason(asked(name)), HasSubstr("model " + said + " -> openrouter, which"));
  const std::string cut = "openrouter/x" + name.substr(11);
  EXPECT_THAT(reason(asked(cut)), HasSubstr(std::string(111, 'x') + " -> openrouter"));
  EXPECT_EQ(refused(asked("a\nb")).message().find('\n'), std::string::npos);
  EXPECT_EQ(refused(asked("", "a\nb")).message().find('\n'), std::string::npos);
}

TEST_F(Decide, AutoIsTheTaskThatTheClassifierFinds) {
  Facts facts = asked("auto");
  const auto prompt = [] {
    return Prompt{.last_user = "Fix this function, here is the stack trace"};
  };
  facts.prompt = prompt;
  EXPECT_THAT(models(facts), ElementsAre("gpt4", "gpt-4"));
  EXPECT_THAT(reason(facts), testing::StartsWith("auto: code_generation (0."));
  EXPECT_THAT(reason(facts), HasSubstr("'stack trace', 'function'"));
  EXPECT_THAT(reason(facts), testing::EndsWith(" -> tier1, in order"));
  const Result<Decision> decision = router.decide(facts);
  EXPECT_EQ(decision->route().alias, "task/code_generation");
}

TEST_F(Decide, AutoReadsNoTextWhereThePathSaysTheTask) {
  Facts facts = asked("auto");
  facts.path = "/v1/embeddings";
  EXPECT_EQ(reason(facts), "auto: embeddings (the path /v1/embeddings) -> cortex/arctic");
  EXPECT_THAT(models(facts), ElementsAre("arctic"));
}

TEST_F(Decide, AutoWithoutAnythingToReadIsTheDefaultTask) {
  EXPECT_EQ(reason(asked("auto")), "auto: chat (no sign of any other task) -> tier2, in order");
}

TEST_F(Decide, WithoutAClassifierAutoIsANameLikeAnyOther) {
  RouterOptions options = example();
  options.classifier.reset();
  router = make(options);
  EXPECT_EQ(refused(asked("auto")).outcome(), Outcome::ModelNotFound);
  options.default_provider = "openrouter";
  router = make(options);
  EXPECT_THAT(models(asked("auto")), ElementsAre("auto"));
}

TEST_F(Decide, RestrictedDataGoesToLocalTargetsOnly) {
  Facts facts = asked("tier2");
  facts.restricted = true;
  EXPECT_THAT(models(facts), ElementsAre("llama"));
  EXPECT_EQ(reason(facts), "tier tier2, in order; 2 targets skipped: not local");
  facts.model = "cortex/llama";
  EXPECT_THAT(models(facts), ElementsAre("llama"));
  EXPECT_EQ(reason(facts), "model cortex/llama");
}

TEST_F(Decide, RestrictedDataIsRefusedOnEveryPathWithoutALocalTarget) {
  for (const Facts& with : {asked("tier1"), asked("gpt-5"), asked("openai/gpt-5"),
                            asked("openai/anything"), asked("task/code_generation"),
                            asked("", "code_generation"), asked("unknown", "code_generation"),
                            asked("mistral", "experimental"), asked("openrouter/x", "chat")}) {
    Facts facts = with;
    facts.restricted = true;
    const Error error = refused(facts);
    EXPECT_EQ(error.outcome(), Outcome::Forbidden) << facts.model;
    EXPECT_EQ(error.param(), "x-sluice-data");
    EXPECT_THAT(error.message(), HasSubstr("no target marked local"));
  }
  Facts facts = asked("auto");
  facts.restricted = true;
  const auto prompt = [] { return Prompt{.last_user = "debug this python function"}; };
  facts.prompt = prompt;
  EXPECT_EQ(refused(facts).outcome(), Outcome::Forbidden);
}

TEST_F(Decide, ARestrictedTaskKeepsItsDataHoweverItIsNamed) {
  EXPECT_THAT(models(asked("", "payroll")), ElementsAre("llama"));
  EXPECT_THAT(models(asked("task/payroll")), ElementsAre("llama"));
  // A model named by hand decides where to go, not that the data may leave.
  EXPECT_EQ(refused(asked("gpt-5", "payroll")).outcome(), Outcome::Forbidden);
  EXPECT_EQ(refused(asked("openrouter/x", "payroll")).outcome(), Outcome::Forbidden);
  EXPECT_THAT(models(asked("tier2", "payroll")), ElementsAre("llama"));
}

TEST_F(Decide, ARestrictedRouteStaysSoInsideAnother) {
  RouterOptions options = example();
  options.routes.push_back({.name = "inner", .root = to("tier2"), .restricted = true});
  options.routes.push_back({.name = "outer", .root = in_order({"inner", "openai/gpt-4"})});
  router = make(options);
  EXPECT_THAT(models(asked("outer")), ElementsAre("llama", "gpt-4"));
}

TEST_F(Decide, ARestrictedWeightedRouteDrawsAmongItsLocalTargets) {
  RouterOptions options = example();
  options.providers.push_back({.name = "vllm", .local = true});
  NodeOptions root{.mode = Mode::Weighted,
                   .children = {to("openai/gpt-5"), to("cortex/llama"), to("vllm/qwen")},
                   .weights = {98, 1, 1}};
  options.routes.push_back({.name = "mix", .root = root});
  router = make(options);
  Facts facts = asked("mix");
  facts.restricted = true;
  int llama = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    facts.random = i;
    const std::vector<std::string> targets = models(facts);
    ASSERT_EQ(targets.size(), 2u);
    llama += targets[0] == "llama";
  }
  EXPECT_NEAR(llama, 1000, 90);
}

TEST(Router, ARestrictedRouteWithoutALocalTargetIsAConfigurationError) {
  RouterOptions options = example();
  options.routes.push_back({.name = "eu", .root = in_order({"openai/gpt-5"}), .restricted = true});
  const Error error = refusal(options);
  EXPECT_EQ(error.param(), "routes.eu");
  EXPECT_THAT(error.message(), HasSubstr("none of its targets is marked local"));
}

TEST(Router, ARouteThatIsOnlyAnothersNameFollowsItsSettings) {
  RouterOptions options = example();
  options.routes.push_back(
      {.name = "first", .root = to("tier1"), .continues = true, .fallback = false});
  options.routes.push_back({.name = "fast", .kind = RouteKind::Alias, .root = to("first")});
  const Router router = make(options);
  EXPECT_TRUE(router.find("fast")->continues);
  EXPECT_FALSE(router.find("fast")->fallback);
  EXPECT_FALSE(router.find("tier1")->continues);
  EXPECT_TRUE(router.find("tier1")->fallback);
  EXPECT_EQ(router.find("fast")->reason, "alias fast -> first -> tier1, in order");
}

TEST(Router, NamesThatCollideAreRefused) {
  RouterOptions options = example();
  options.routes.push_back({.name = "tier1", .root = to("openai/gpt-5")});
  EXPECT_EQ(refusal(options).param(), "routes.tier1");
  options = example();
  options.routes.push_back({.name = "auto", .root = to("openai/gpt-5")});
  EXPECT_THAT(refusal(options).message(), HasSubstr("'auto'"));
  options = example();
  options.routes.push_back({.name = "task/x", .root = to("openai/gpt-5")});
  EXPECT_THAT(refusal(options).message(), HasSubstr("task/"));
}

TEST(Router, ATierMayHaveTheNameOfATask) {
  RouterOptions options = example();
  options.tiers.push_back({"chat", {"openai/gpt-5"}});
  const Router router = make(options);
  EXPECT_EQ(router.find("chat")->targets[0].model, "gpt-5");
  EXPECT_EQ(router.find("task/chat")->targets[0].model, "haiku");
}

TEST(Router, OffersTasksAndAutoBetweenTiersAndModels) {
  const std::vector<std::string> names = make(example()).names();
  EXPECT_THAT(std::vector<std::string>(names.begin(), names.begin() + 9),
              ElementsAre("tier1", "tier2", "task/code_generation", "task/chat", "task/embeddings",
                          "task/experimental", "task/payroll", "auto", "gpt-5"));
  EXPECT_THAT(names, testing::Not(Contains("openrouter/*")));
}

TEST(Router, TargetsOfATaskHaveTheirOwnSlots) {
  const Router router = make(example());
  const uint32_t slot = router.find("task/chat")->targets[0].slot;
  EXPECT_EQ(router.slots()[slot].alias, "task/chat");
  EXPECT_NE(slot, router.find("tier2")->targets[0].slot);
  const Result<Decision> by_header = router.decide({.task = "chat"});
  EXPECT_EQ(by_header->route().targets[0].slot, slot);
}

TEST(Router, MovingItKeepsItsTargets) {
  RouterOptions options = example();
  options.routes.push_back(
      {.name = "slow", .root = to("openai/gpt-5"), .timeouts = {.total = 9 * kSecond}});
  Router router = make(options);
  const Router moved = std::move(router);
  EXPECT_EQ(moved.find("slow")->targets[0].timeouts->total, 9 * kSecond);
}

}  // namespace
}  // namespace sluice::routing
