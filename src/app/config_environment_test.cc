#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config.h"
#include "app/config_test_support.h"
#include "providers/lab_models.h"

namespace sluice::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Loaded started_with(Words environment, Words files = {}) {
  auto outcome = load(input_from("", surroundings_of(std::move(environment), std::move(files))));
  EXPECT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  return outcome.loaded ? *std::move(outcome.loaded) : Loaded{};
}

std::vector<std::string> names(const Loaded& loaded) {
  std::vector<std::string> out;
  for (const auto& provider : loaded.settings.providers) out.push_back(provider.name);
  return out;
}

TEST(ZeroConfig, WithoutAnyKeyTheLabAnswersAndSaysSo) {
  const auto loaded = started_with({});
  ASSERT_THAT(names(loaded), ElementsAre("lab"));
  EXPECT_EQ(loaded.settings.providers.front().kind, ProviderKind::Lab);
  EXPECT_EQ(loaded.settings.default_provider, "lab");
  EXPECT_THAT(loaded.settings.route("default")->targets, ElementsAre(Target{"lab", "chat"}));
  ASSERT_EQ(loaded.notes.size(), 1U);
  EXPECT_THAT(loaded.notes.front(), HasSubstr("lab"));
}

TEST(ZeroConfig, TheLabListsItsModelsAndTakesTheNamesOfItsFaults) {
  const auto loaded = started_with({});
  const auto& lab = loaded.settings.providers.front();
  EXPECT_EQ(lab.models.size(), providers::lab_models().size());
  EXPECT_THAT(lab.models, testing::Contains("chat"));
  EXPECT_TRUE(lab.open);
}

TEST(ZeroConfig, OneOpenaiKeyMakesAWorkingGateway) {
  const auto loaded = started_with({{"OPENAI_API_KEY", "sk-1"}});
  ASSERT_THAT(names(loaded), ElementsAre("openai"));
  const auto& provider = loaded.settings.providers.front();
  EXPECT_EQ(provider.base_url, (BaseUrl{true, "api.openai.com", 443, "/v1"}));
  EXPECT_EQ(provider.api_key.reveal(), "sk-1");
  EXPECT_TRUE(provider.open);
  EXPECT_EQ(loaded.settings.route("default")->targets.front().provider, "openai");
}

TEST(ZeroConfig, OpenaiBaseUrlIsHonoured) {
  const auto loaded =
      started_with({{"OPENAI_API_KEY", "sk-1"}, {"OPENAI_BASE_URL", "http://127.0.0.1:9000/v1/"}});
  EXPECT_EQ(loaded.settings.providers.front().base_url, (BaseUrl{false, "127.0.0.1", 9000, "/v1"}));
  EXPECT_EQ(loaded.settings.route("default"), nullptr);
}

TEST(ZeroConfig, SeveralKeysMakeAnOrderedTier) {
  const auto loaded = started_with(
      {{"OPENAI_API_KEY", "a"}, {"OPENROUTER_API_KEY", "b"}, {"PORTKEY_API_KEY", "c"}});
  EXPECT_THAT(names(loaded), ElementsAre("openai", "openrouter", "portkey"));
  const auto& targets = loaded.settings.route("default")->targets;
  EXPECT_EQ(loaded.settings.default_provider, "openai");
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].provider, "openai");
  EXPECT_EQ(targets[1].provider, "openrouter");
}

TEST(ZeroConfig, EachKeyMakesAProviderOfItsKindAtItsHome) {
  const auto loaded = started_with({{"PORTKEY_API_KEY", "pk"}, {"ANTHROPIC_API_KEY", "sk-ant"}});
  EXPECT_THAT(names(loaded), ElementsAre("anthropic", "portkey"));
  const auto& anthropic = loaded.settings.providers.front();
  EXPECT_EQ(anthropic.kind, ProviderKind::Anthropic);
  EXPECT_EQ(anthropic.base_url, (BaseUrl{true, "api.anthropic.com", 443, "/v1"}));
  const auto& portkey = loaded.settings.providers.back();
  EXPECT_EQ(portkey.kind, ProviderKind::Portkey);
  EXPECT_EQ(portkey.api_key.reveal(), "pk");
}

TEST(ZeroConfig, AnAnthropicBaseUrlMayLackItsVersion) {
  const auto loaded =
      started_with({{"ANTHROPIC_API_KEY", "a"}, {"ANTHROPIC_BASE_URL", "http://127.0.0.1:9000"}});
  EXPECT_EQ(loaded.settings.providers.front().base_url, (BaseUrl{false, "127.0.0.1", 9000, "/v1"}));
}

TEST(ZeroConfig, AKeyMayStandInAFile) {
  const auto loaded = started_with({{"OPENAI_API_KEY_FILE", "/run/key"}}, {{"/run/key", "sk-2\n"}});
  EXPECT_EQ(loaded.settings.providers.front().api_key.reveal(), "sk-2");
}

TEST(ZeroConfig, AnEmptyVariableCountsAsUnset) {
  EXPECT_THAT(names(started_with({{"OPENAI_API_KEY", ""}})), ElementsAre("lab"));
}

TEST(ZeroConfig, AFileWithoutProvidersTakesThemFromTheEnvironmentToo) {
  const auto outcome =
      load(input_of("server: {workers: 1}\ntiers: {t: [openai/o3]}\n", {{"OPENAI_API_KEY", "k"}}));
  ASSERT_TRUE(outcome.loaded);
  EXPECT_THAT(names(*outcome.loaded), ElementsAre("openai"));
  EXPECT_EQ(outcome.loaded->settings.route("default"), nullptr);
}

TEST(ZeroConfig, SluiceVariablesAndFlagsCountWithoutAFile) {
  auto input = input_from("", surroundings_of({{"SLUICE_SERVER_WORKERS", "3"}}));
  input.overrides = {{"server.listen", "0.0.0.0:0", "--listen"}};
  const auto outcome = load(input);
  ASSERT_TRUE(outcome.loaded);
  EXPECT_EQ(outcome.loaded->settings.server.workers, 3);
  EXPECT_EQ(outcome.loaded->settings.server.listen.port, 0);
}

Proxy proxy_for(const std::string& url, Words environment, const std::string& more = "") {
  const auto outcome =
      load(input_of("providers: {p: {kind: openai, base_url: '" + url + "'" + more + "}}\n",
                    std::move(environment)));
  EXPECT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  return outcome.loaded ? outcome.loaded->settings.providers.front().proxy : Proxy{};
}

TEST(ProxySettings, TheEnvironmentDecidesByScheme) {
  const Words both{{"HTTPS_PROXY", "http://u:p%40w@s:1"}, {"http_proxy", "h:2"}};
  EXPECT_EQ(proxy_for("https://api.x", both).host, "s");
  EXPECT_EQ(proxy_for("https://api.x", both).credentials.reveal(), "u:p@w");
  EXPECT_EQ(proxy_for("http://api.x", both).host, "h");
  EXPECT_EQ(proxy_for("http://api.x", both).port, 2);
}

TEST(ProxySettings, NoProxyExemptsHostsAndDomains) {
  const Words some{{"HTTPS_PROXY", "http://s:1"}, {"NO_PROXY", "a.example, .b.example,c:8443"}};
  EXPECT_TRUE(proxy_for("https://a.example", some).direct());
  EXPECT_TRUE(proxy_for("https://x.A.example", some).direct());
  EXPECT_TRUE(proxy_for("https://x.b.example", some).direct());
  EXPECT_TRUE(proxy_for("https://c:8443", some).direct());
  EXPECT_FALSE(proxy_for("https://c", some).direct());
  EXPECT_FALSE(proxy_for("https://nota.example", some).direct());
  EXPECT_TRUE(proxy_for("https://z", {{"HTTPS_PROXY", "s:1"}, {"NO_PROXY", "*"}}).direct());
}

TEST(ProxySettings, LoopbackNeedsNoProxy) {
  EXPECT_TRUE(proxy_for("http://127.0.0.1:9", {{"HTTP_PROXY", "http://s:1"}}).direct());
}

TEST(ProxySettings, TheFileWinsOverTheEnvironment) {
  const Words environment{{"HTTPS_PROXY", "http://s:1"}};
  EXPECT_TRUE(proxy_for("https://x", environment, ", proxy: none").direct());
  EXPECT_EQ(proxy_for("https://x", environment, ", proxy: http://own:3").host, "own");
}

}  // namespace
}  // namespace sluice::app
