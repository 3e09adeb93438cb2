#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config.h"
#include "app/config_test_support.h"

namespace sluice::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

// The example of the architecture page, but for the cache.
constexpr auto kExample = R"(
providers:
  portkey:    {kind: portkey,    api_key: ${PORTKEY_API_KEY}, virtual_keys: {gpt4: prod-gpt4-primary, claude: prod-claude-primary}}
  openrouter: {kind: openrouter, api_key: ${OPENROUTER_API_KEY}}
  cortex:     {kind: cortex, account: acme-prod, user: SLUICE, private_key_file: /run/secrets/sf.p8}
  openai:     {kind: openai,     api_key: ${OPENAI_API_KEY}}
  anthropic:  {kind: anthropic,  api_key: ${ANTHROPIC_API_KEY}}
tiers:
  tier1: [portkey/gpt4, portkey/claude, openai/gpt-4, anthropic/claude]
  tier2: [portkey/gpt-3.5, portkey/haiku, openai/gpt-4o-mini]
tasks:
  code_generation: tier1
  business_intelligence: tier1
  chat: tier2
  embeddings: [cortex/snowflake-arctic-embed]
  experimental: [openrouter/*]
resilience: {attempts: 3, backoff: exponential, timeout: 30s}
)";

const Words kKeys{{"PORTKEY_API_KEY", "a"},
                  {"OPENROUTER_API_KEY", "b"},
                  {"OPENAI_API_KEY", "c"},
                  {"ANTHROPIC_API_KEY", "d"}};

Settings settings_of(const std::string& text) {
  auto outcome = load(input_of(text, kKeys));
  EXPECT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  return outcome.loaded ? std::move(outcome.loaded->settings) : Settings{};
}

std::vector<std::string> complaints_about(const std::string& text) {
  std::vector<std::string> messages;
  for (const auto& diagnostic : load(input_of(text, kKeys)).diagnostics)
    messages.push_back(diagnostic.message);
  return messages;
}

TEST(ConfigProvider, TheExampleOfTheArchitectureLoads) {
  const auto settings = settings_of(kExample);
  ASSERT_THAT(settings.providers, SizeIs(5));
  EXPECT_THAT(
      settings.providers[0].portkey.virtual_keys,
      ElementsAre(Pair("gpt4", "prod-gpt4-primary"), Pair("claude", "prod-claude-primary")));
  EXPECT_EQ(settings.providers[2].base_url,
            (BaseUrl{true, "acme-prod.snowflakecomputing.com", 443, ""}));
  EXPECT_TRUE(settings.providers[2].local);
  EXPECT_FALSE(settings.providers[0].local);
  ASSERT_THAT(settings.tasks, SizeIs(5));
  EXPECT_THAT(settings.tasks[0].targets, SizeIs(4)) << "a tier's name stands for its targets";
  EXPECT_EQ(settings.tasks[4].targets.front().model, "*");
  EXPECT_EQ(settings.timeouts.first_byte, std::chrono::seconds(30));
  EXPECT_EQ(settings.auto_.fallback, "chat");
}

TEST(ConfigProvider, ListsAreFetchedWhereThereAreSomeUnlessSaidOtherwise) {
  const auto settings = settings_of(kExample);
  EXPECT_EQ(settings.provider("openrouter")->list_refresh, std::chrono::hours(6));
  EXPECT_EQ(settings.provider("cortex")->list_refresh, std::chrono::hours(6));
  EXPECT_EQ(settings.provider("portkey")->list_refresh, Duration(0));
  const auto own = settings_of(R"(
providers:
  a: {kind: openrouter, list_refresh: 0}
  b: {kind: openrouter, list_refresh: 15m}
)");
  EXPECT_EQ(own.provider("a")->list_refresh, Duration(0));
  EXPECT_EQ(own.provider("b")->list_refresh, std::chrono::minutes(15));
  EXPECT_THAT(complaints_about("providers: {openai: {kind: openai, list_refresh: 1h}}"),
              ElementsAre(HasSubstr("only for kinds `openrouter` and `cortex`")));
}

TEST(ConfigProvider, AStrategyKeepsItsShapeAndTheKindsOfItsValues) {
  const auto settings = settings_of(R"(
providers: {openai: {kind: openai, api_key: ${OPENAI_API_KEY}}}
routes:
  split:
    strategy: weighted
    targets: [{target: openai/a, weight: 0.7}, {target: openai/b, name: "3"}]
    sticky: user
    continue: true
tasks: {chat: split}
)");
  ASSERT_THAT(settings.routes, SizeIs(1));
  EXPECT_EQ(settings.routes.front().tree.json,
            R"({"strategy":"weighted","targets":[{"target":"openai/a","weight":0.7},)"
            R"({"target":"openai/b","name":"3"}],"sticky":"user","continue":true})");
  EXPECT_EQ(settings.tasks.front().strategy, "split");
  EXPECT_THAT(settings.tasks.front().targets, IsEmpty());
}

TEST(ConfigProvider, WhatOneKindKnowsIsRefusedElsewhere) {
  EXPECT_THAT(
      complaints_about(
          "providers: {openai: {kind: openai, app_title: Mine, virtual_keys: {a: b}}}"),
      ElementsAre(HasSubstr("only for kind `openrouter`"), HasSubstr("only for kind `portkey`")));
}

TEST(ConfigProvider, APresetSaysWhereItsServiceIs) {
  const auto settings = settings_of(
      "providers: {fast: {kind: openai, preset: groq, api_key: ${OPENAI_API_KEY}}, "
      "house: {kind: openai, preset: ollama}}");
  EXPECT_EQ(settings.providers[0].base_url, (BaseUrl{true, "api.groq.com", 443, "/openai/v1"}));
  EXPECT_FALSE(settings.providers[0].local);
  EXPECT_TRUE(settings.providers[1].local);
  EXPECT_THAT(complaints_about("providers: {a: {kind: openai, preset: azure}}"),
              ElementsAre(HasSubstr("needs `base_url`")));
  EXPECT_THAT(complaints_about("providers: {a: {kind: openai, preset: grok}}"),
              ElementsAre(HasSubstr("`grok` is no preset")));
}

TEST(ConfigProvider, CFG_4_AConfigOfPortkeyIsAnIdOrJson) {
  EXPECT_THAT(complaints_about("providers: {p: {kind: portkey, config: '{bad'}}"),
              ElementsAre(HasSubstr("`providers.p.config`: the Portkey config is not valid JSON")));
  EXPECT_THAT(complaints_about("providers: {p: {kind: portkey, config: pc-lab}}"), IsEmpty());
}

TEST(ConfigProvider, CortexNeedsOneWayToShowWhoItIs) {
  EXPECT_THAT(complaints_about("providers: {c: {kind: cortex, account: a}}"),
              ElementsAre(HasSubstr("needs one of `private_key_file`, `token`")));
  EXPECT_THAT(complaints_about("providers: {c: {kind: cortex, base_url: http://x/api/v2/cortex/v1, "
                               "private_key_file: k}}"),
              ElementsAre(HasSubstr("needs `providers.c.account` and")));
}

TEST(ConfigProvider, TR_10_TheBaseUrlOfCortexMayCarryItsPath) {
  const auto settings = settings_of(
      "providers: {c: {kind: cortex, base_url: http://x/api/v2/cortex/v1, "
      "token: ${OPENAI_API_KEY}}}");
  EXPECT_EQ(settings.providers.front().base_url, (BaseUrl{false, "x", 80, ""}));
}

TEST(ConfigProvider, SeveralKeysHaveNamesAndWeights) {
  const auto settings = settings_of(R"(
providers:
  openai:
    kind: openai
    keys: {main: ${OPENAI_API_KEY}, spare: ${ANTHROPIC_API_KEY}}
    key_weights: {main: 3}
)");
  EXPECT_THAT(settings.providers.front().keys, SizeIs(2));
  EXPECT_THAT(complaints_about("providers: {openai: {kind: openai, api_key: ${OPENAI_API_KEY}, "
                               "keys: {a: ${OPENAI_API_KEY}}, key_weights: {b: 1, a: x}}}"),
              ElementsAre(HasSubstr("exclude each other"), HasSubstr("`b` is none of"),
                          HasSubstr("expected a whole number")));
}

TEST(ConfigProvider, AStandInNamesAnotherProvider) {
  const auto wrong = complaints_about(
      "providers: {openai: {kind: openai, stands_in_for: portky}, "
      "portkey: {kind: portkey, api_key: ${PORTKEY_API_KEY}}}");
  EXPECT_THAT(wrong, ElementsAre(HasSubstr("no other provider is called `portky`")));
}

TEST(ConfigProvider, PhrasesBelongToTasksThatExist) {
  EXPECT_THAT(
      complaints_about("providers: {openai: {kind: openai}}\n"
                       "tasks: {chat: openai/a}\n"
                       "auto: {default: chta, phrases: {code: [stack trace]}}"),
      ElementsAre(HasSubstr("no task is called `chta`"), HasSubstr("no task is called `code`")));
}

TEST(ConfigProvider, APresetKnowsTheBaseUrlAndWhetherItIsLocal) {
  const auto settings = settings_of(R"(
providers:
  openai: {kind: openai}
  groq: {kind: openai, preset: groq}
  ollama: {kind: openai, preset: ollama}
  moved: {kind: openai, preset: vllm, base_url: http://gpu:8000/v1, local: false}
  azure: {kind: openai, preset: azure, base_url: https://acme.openai.azure.com/openai/v1}
)");
  ASSERT_THAT(settings.providers, SizeIs(5));
  EXPECT_EQ(settings.providers[0].base_url, (BaseUrl{true, "api.openai.com", 443, "/v1"}));
  EXPECT_EQ(settings.providers[1].base_url, (BaseUrl{true, "api.groq.com", 443, "/openai/v1"}));
  EXPECT_FALSE(settings.providers[1].local);
  EXPECT_EQ(settings.providers[2].base_url, (BaseUrl{false, "localhost", 11434, "/v1"}));
  EXPECT_TRUE(settings.providers[2].local);
  EXPECT_EQ(settings.providers[3].base_url, (BaseUrl{false, "gpu", 8000, "/v1"}));
  EXPECT_FALSE(settings.providers[3].local);
}

TEST(ConfigProvider, APresetThatIsNoneIsNamedWithTheNearest) {
  EXPECT_THAT(complaints_about("providers: {g: {kind: openai, preset: grok}}"),
              ElementsAre("`grok` is no preset"));
  EXPECT_THAT(complaints_about("providers: {g: {kind: openai, preset: azure}}"),
              ElementsAre("`providers.g` needs `base_url`"));
}

TEST(ConfigProvider, AKeyThatWouldNotBeUsedIsRefused) {
  EXPECT_THAT(complaints_about("providers: {c: {kind: cortex, base_url: https://x, token: "
                               "${PORTKEY_API_KEY}, api_key: ${OPENAI_API_KEY}}}"),
              ElementsAre("`providers.c.api_key` has no meaning for kind `cortex`"));
}

}  // namespace
}  // namespace sluice::app
