#include "routing/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RouterOptions two_providers() {
  RouterOptions options;
  options.providers = {{"openai", {"gpt-5", "gpt-5-mini"}, false}, {"lab", {}, true}};
  options.tiers = {{"tier1", {"openai/gpt-5", "lab/chat"}}, {"cheap", {"openai/gpt-5-mini"}}};
  return options;
}

Router make(const RouterOptions& options) {
  Result<Router> router = Router::make(options);
  EXPECT_TRUE(router) << router.error().message();
  return *std::move(router);
}

std::vector<std::string> models(const Route& route) {
  std::vector<std::string> models;
  for (const Target& target : route.targets) models.push_back(target.model);
  return models;
}

TEST(Router, ATierIsItsTargetsInOrder) {
  const Router router = make(two_providers());
  const Route* route = router.find("tier1");
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->alias, "tier1");
  EXPECT_THAT(models(*route), ElementsAre("gpt-5", "chat"));
  EXPECT_EQ(route->targets[1].provider, 1);
}

TEST(Router, AListedModelIsKnownByBothItsNames) {
  const Router router = make(two_providers());
  EXPECT_THAT(models(*router.find("gpt-5")), ElementsAre("gpt-5"));
  EXPECT_THAT(models(*router.find("openai/gpt-5")), ElementsAre("gpt-5"));
  EXPECT_EQ(router.find("gpt-5")->alias, "");
}

TEST(Router, AnOpenProviderTakesAnyNameBehindItsPrefix) {
  const Router router = make(two_providers());
  EXPECT_EQ(router.find("lab/new-model"), nullptr);
  const Result<Route> route = router.resolve_open("lab/a/b");
  ASSERT_TRUE(route);
  EXPECT_THAT(models(*route), ElementsAre("a/b"));
  EXPECT_EQ(router.slots()[route->targets[0].slot].model, "*");
}

TEST(Router, AnUnknownNameIsRefusedWithTheNearestOnes) {
  const Router router = make(two_providers());
  const Result<Route> route = router.resolve_open("gpt-5-mni");
  ASSERT_FALSE(route);
  EXPECT_EQ(route.error().outcome(), Outcome::ModelNotFound);
  EXPECT_EQ(route.error().param(), "model");
  EXPECT_THAT(route.error().message(), HasSubstr("did you mean 'gpt-5-mini'"));
}

TEST(Router, AmongSeveralProvidersOnlyTheOneNamedAsDefaultTakesUnknownNames) {
  RouterOptions options;
  options.providers = {{"first", {}, true}, {"second", {}, true}};
  EXPECT_EQ(make(options).resolve_open("new-model").error().outcome(), Outcome::ModelNotFound);
  EXPECT_TRUE(make(options).resolve_open("second/new-model"));
  options.default_provider = "second";
  const Router router = make(options);
  const Result<Route> route = router.resolve_open("new-model");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->targets[0].provider, 1);
}

TEST(Router, TheOnlyProviderTakesUnknownNames) {
  RouterOptions options;
  options.providers = {{"only", {}, true}};
  EXPECT_TRUE(make(options).resolve_open("new-model"));
}

TEST(Router, TheSameTargetKnownByTwoNamesHasTwoSlots) {
  const Router router = make(two_providers());
  EXPECT_NE(router.find("tier1")->targets[0].slot, router.find("gpt-5")->targets[0].slot);
  EXPECT_EQ(router.find("gpt-5")->targets[0].slot, router.find("openai/gpt-5")->targets[0].slot);
}

TEST(Router, RefusesATierThatNamesNoProvider) {
  RouterOptions options = two_providers();
  options.tiers.push_back({"broken", {"opnai/gpt-5"}});
  const Result<Router> router = Router::make(options);
  ASSERT_FALSE(router);
  EXPECT_EQ(router.error().param(), "tiers.broken");
  EXPECT_THAT(router.error().message(), HasSubstr("'opnai'"));
}

TEST(Router, OffersTiersThenModels) {
  EXPECT_THAT(make(two_providers()).names(),
              ElementsAre("tier1", "cheap", "gpt-5", "openai/gpt-5", "gpt-5-mini",
                          "openai/gpt-5-mini", "lab/chat"));
}

}  // namespace
}  // namespace sluice::routing
