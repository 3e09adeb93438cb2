#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_test_support.h"

namespace sluice::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr auto kOneProvider = "providers: {openai: {kind: openai}}\n";

Loaded loaded(const LoadInput& input) {
  auto outcome = load(input);
  EXPECT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  return outcome.loaded ? *std::move(outcome.loaded) : Loaded{};
}

// The only complaint about `text`; an empty one, and a failure, when there is not exactly one.
Diagnostic complaint_about(const LoadInput& input) {
  auto outcome = load(input);
  EXPECT_THAT(outcome.diagnostics, SizeIs(1))
      << render(outcome.diagnostics, DiagnosticFormat::Text);
  return outcome.diagnostics.empty() ? Diagnostic{} : outcome.diagnostics.front();
}

TEST(Config, DefaultsAreThoseOfTheTable) {
  const auto settings = loaded(input_of(kOneProvider)).settings;
  EXPECT_EQ(settings.server.listen, (Address{"127.0.0.1", 8080}));
  EXPECT_EQ(settings.server.max_body.count, 32U << 20);
  EXPECT_EQ(settings.stream.heartbeat, std::chrono::seconds(15));
  EXPECT_EQ(settings.ledger.path, "./sluice-data/ledger.db");
  EXPECT_EQ(settings.default_provider, "openai");
}

TEST(Config, KA_4_DefaultsAllowTenMinutesOfReasoning) {
  const auto settings = loaded(input_of(kOneProvider)).settings;
  EXPECT_EQ(settings.timeouts.first_byte, std::chrono::seconds(30));
  EXPECT_GE(settings.timeouts.reasoning, std::chrono::minutes(10));
  EXPECT_GT(settings.timeouts.total, settings.timeouts.reasoning);
}

TEST(Config, KA_7_ClientConnectionsOutliveABalancersMinute) {
  EXPECT_GT(loaded(input_of(kOneProvider)).settings.server.keep_alive, std::chrono::seconds(60));
}

TEST(Config, KA_5_PooledConnectionsLiveShorterThanThePeersKeepThem) {
  const auto settings = loaded(input_of(kOneProvider)).settings;
  EXPECT_LT(settings.provider("openai")->pool.idle_timeout, std::chrono::seconds(30));
}

TEST(Config, AProviderInheritsTheGlobalTimeoutsItDoesNotSet) {
  const auto settings =
      loaded(input_of("providers: {openai: {kind: openai, timeouts: {idle: 7s}}}\n"
                      "timeouts: {connect: 3s, idle: 9s}\n"))
          .settings;
  EXPECT_EQ(settings.providers.front().timeouts.connect, std::chrono::seconds(3));
  EXPECT_EQ(settings.providers.front().timeouts.idle, std::chrono::seconds(7));
}

TEST(Config, OnlyTheProviderNamedOpenaiHasABaseUrlByDefault) {
  EXPECT_EQ(loaded(input_of(kOneProvider)).settings.providers.front().base_url.host,
            "api.openai.com");
  const auto complaint = complaint_about(input_of("providers: {other: {kind: openai}}\n"));
  EXPECT_EQ(complaint.rule, Rule::MissingKey);
  EXPECT_EQ(complaint.key, "providers.other.base_url");
  EXPECT_EQ(complaint.place.line, 1);
}

TEST(Config, BaseUrlsWorkWithAndWithoutATrailingSlash) {
  for (const auto* url : {"http://[::1]:9000/v1", "http://[::1]:9000/v1/"}) {
    const auto settings =
        loaded(input_of(std::string("providers: {x: {kind: openai, base_url: '") + url + "'}}\n"))
            .settings;
    EXPECT_EQ(settings.providers.front().base_url, (BaseUrl{false, "::1", 9000, "/v1"}));
  }
}

TEST(Config, AListedModelClosesTheProviderUnlessItSaysOpen) {
  const auto settings =
      loaded(input_of("providers:\n"
                      "  a: {kind: openai, base_url: http://a}\n"
                      "  b: {kind: openai, base_url: http://b, models: [m]}\n"
                      "  c: {kind: openai, base_url: http://c, models: [m], open: true}\n"))
          .settings;
  EXPECT_TRUE(settings.provider("a")->open);
  EXPECT_FALSE(settings.provider("b")->open);
  EXPECT_TRUE(settings.provider("c")->open);
}

TEST(Config, OnlyAProviderThatIsAloneOrNamedGetsUnlistedModels) {
  const std::string two =
      "providers:\n"
      "  a: {kind: openai, base_url: http://a}\n"
      "  b: {kind: openai, base_url: http://b}\n";
  EXPECT_EQ(loaded(input_of(two)).settings.default_provider, "");
  EXPECT_EQ(loaded(input_of(two + "default_provider: b\n")).settings.default_provider, "b");
  EXPECT_EQ(complaint_about(input_of(two + "default_provider: c\n")).rule, Rule::UnknownProvider);
}

TEST(Config, AListedModelOfTheLabIsTheOnlyOneWhenTheFileSaysSo) {
  const auto lab = [](const std::string& more) {
    return loaded(input_of("providers: {lab: {kind: lab" + more + "}}\n"))
        .settings.providers.front();
  };
  EXPECT_TRUE(lab("").open);
  EXPECT_THAT(lab("").models, testing::Contains("reasoning"));
  EXPECT_THAT(lab(", models: [chat]").models, ElementsAre("chat"));
  EXPECT_FALSE(lab(", models: [chat]").open);
}

TEST(Config, TiersExpandTheNamesInThemAndDropRepeats) {
  const auto settings = loaded(input_of(std::string(kOneProvider) +
                                        "tiers: {deep: [openai/o3, fast], fast: [openai/x, g]}\n"
                                        "aliases: {g: openai/o3}\n"))
                            .settings;
  EXPECT_THAT(settings.route("deep")->targets,
              ElementsAre(Target{"openai", "o3"}, Target{"openai", "x"}));
  EXPECT_THAT(settings.route("g")->targets, ElementsAre(Target{"openai", "o3"}));
  EXPECT_EQ(settings.route("nobody"), nullptr);
}

TEST(Config, SubstitutesInFlowMapsWithoutQuotes) {
  const auto settings = loaded(input_of("providers: {openai: {kind: openai, api_key: ${KEY}, "
                                        "base_url: ${URL:-http://x:1/v1}, headers: {a: $${b}}}}\n",
                                        {{"KEY", "k1"}}))
                            .settings;
  const auto& provider = settings.providers.front();
  EXPECT_EQ(provider.api_key.reveal(), "k1");
  EXPECT_EQ(provider.base_url, (BaseUrl{false, "x", 1, "/v1"}));
  EXPECT_EQ(provider.headers.front().value.reveal(), "${b}");
}

TEST(Config, AVariableMayStandInAFileOfItsOwn) {
  const auto input = input_of("providers: {openai: {kind: openai, api_key: ${KEY}}}\n",
                              {{"KEY_FILE", "/run/key"}}, {{"/run/key", "from-file\n"}});
  EXPECT_EQ(loaded(input).settings.providers.front().api_key.reveal(), "from-file");
}

TEST(Config, TheVariableItselfWinsOverItsFile) {
  const auto input = input_of("providers: {openai: {kind: openai, api_key: ${KEY}}}\n",
                              {{"KEY", "plain"}, {"KEY_FILE", "/run/key"}}, {});
  EXPECT_EQ(loaded(input).settings.providers.front().api_key.reveal(), "plain");
}

TEST(Config, CFG_3_UnknownKeysAreErrorsWithTheLineAndTheField) {
  const auto complaint =
      complaint_about(input_of(std::string(kOneProvider) + "server:\n  workres: 2\n"));
  EXPECT_EQ(complaint.rule, Rule::UnknownKey);
  EXPECT_EQ(complaint.place.line, 3);
  EXPECT_EQ(complaint.place.column, 3);
  EXPECT_EQ(complaint.key, "server.workres");
  EXPECT_EQ(complaint.hint, "did you mean `workers`?");
}

TEST(Config, CFG_3_OneErrorMeansNoSettingsAtAll) {
  const auto outcome = load(input_of(std::string(kOneProvider) + "server: {workers: 65}\n"));
  EXPECT_FALSE(outcome.loaded);
  EXPECT_EQ(outcome.diagnostics.front().rule, Rule::OutOfRange);
}

TEST(Config, CFG_1_ErrorsNameTheSourceThatDecided) {
  auto input = input_of(std::string(kOneProvider) + "server: {workers: 2}\n",
                        {{"SLUICE_SERVER_WORKERS", "lots"}});
  EXPECT_EQ(complaint_about(input).place.source, "environment SLUICE_SERVER_WORKERS");
  input = input_of(kOneProvider);
  input.overrides = {{"server.listen", "nowhere", "--listen"}};
  EXPECT_EQ(complaint_about(input).place.source, "command line --listen");
}

TEST(Config, CFG_1_TheLaterSourceWinsAndTheShadowedOnesAreKept) {
  auto input = input_of(std::string(kOneProvider) + "server:\n  listen: 127.0.0.1:1\n",
                        {{"SLUICE_SERVER_LISTEN", "127.0.0.1:2"}});
  input.overrides = {{"server.listen", "127.0.0.1:3", "--listen"}};
  const auto result = loaded(input);
  EXPECT_EQ(result.settings.server.listen.port, 3);
  std::vector<std::string> given;
  for (const auto& one : result.provenance.of("server.listen"))
    given.push_back(one.place.source + " " + one.value);
  EXPECT_THAT(given, ElementsAre("command line --listen 127.0.0.1:3",
                                 "environment SLUICE_SERVER_LISTEN 127.0.0.1:2",
                                 "sluice.yaml 127.0.0.1:1", "default 127.0.0.1:8080"));
}

TEST(Config, CFG_4_AnUnsetVariableIsAnErrorThatNamesIt) {
  const auto complaint =
      complaint_about(input_of("providers: {openai: {kind: openai, api_key: ${NO_SUCH}}}\n"));
  EXPECT_EQ(complaint.rule, Rule::UnsetVariable);
  EXPECT_THAT(complaint.message, HasSubstr("NO_SUCH"));
}

TEST(Config, CFG_4_FindsUnknownModelsAndMissingPrices) {
  const auto result =
      loaded(input_of("providers:\n"
                      "  openai: {kind: openai}\n"
                      "  own: {kind: openai, base_url: http://x, models: [mine, priced-here]}\n"
                      "  lab: {kind: lab}\n"
                      "tiers: {t: [openai/known, openai/knwon, own/mine, lab/anything]}\n"
                      "prices: {custom: {priced-here: {input: 1, output: 2}}}\n"));
  const auto found = check_prices(
      result, [](std::string_view, std::string_view model) { return model == "known"; });
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].rule, Rule::UnknownModel);
  EXPECT_EQ(found[0].key, "tiers.t[1]");
  EXPECT_EQ(found[0].place.line, 5);
  EXPECT_EQ(found[1].rule, Rule::NoPrice);
}

TEST(Config, AFileThatCannotBeUsedIsAnErrorAtItsKey) {
  auto input = input_of(std::string(kOneProvider) + "prices:\n  file: /gone.json\n");
  input.trials = [](const Settings& settings) {
    return std::vector<FileFault>{{"prices.file", settings.prices.file + " is gone"}};
  };
  const auto complaint = complaint_about(input);
  EXPECT_EQ(complaint.rule, Rule::UnusableFile);
  EXPECT_EQ(complaint.key, "prices.file");
  EXPECT_EQ(complaint.place.line, 3);
  EXPECT_FALSE(load(input).loaded);
}

TEST(Config, AKeyInTheFileItselfIsWorthAWarning) {
  const auto with_key = [](const std::string& key) {
    return input_of("providers: {openai: {kind: openai, api_key: '" + key + "'}}\n",
                    {{"KEY", "sk-1"}, {"SCHEME", "bearer sk-1"}});
  };
  const auto literal = complaint_about(with_key("sk-1"));
  EXPECT_EQ(literal.rule, Rule::LiteralSecret);
  EXPECT_THAT(literal.message, Not(HasSubstr("sk-1")));
  EXPECT_TRUE(load(with_key("sk-1")).loaded);
  EXPECT_THAT(load(with_key("${KEY}")).diagnostics, IsEmpty());
  EXPECT_EQ(complaint_about(with_key("${SCHEME}")).rule, Rule::SchemeInKey);
}

TEST(Config, ABaseUrlThatSaysTooMuchIsWorthAWarning) {
  const auto warnings = [](const std::string& url) {
    return load(input_of("providers: {x: {kind: openai, base_url: '" + url + "'}}\n")).diagnostics;
  };
  for (const auto* url : {"http://x/v1/chat/completions/", "http://x/v1/v1", "http://x/v1/v1/"}) {
    ASSERT_THAT(warnings(url), SizeIs(1)) << url;
    EXPECT_EQ(warnings(url).front().rule, Rule::DoubtfulUrl);
  }
  for (const auto* url : {"http://x/v1", "http://x/openai/v1", "http://x/v10/v1"})
    EXPECT_THAT(warnings(url), IsEmpty()) << url;
}

TEST(Config, AnUnstatedPriceIsUnknownNotZero) {
  const auto settings =
      loaded(input_of(std::string(kOneProvider) + "prices: {custom: {m: {input: 0, output: 2.5}}}"))
          .settings;
  const auto& price = settings.prices.custom.front();
  EXPECT_TRUE(price.input.known);
  EXPECT_EQ(price.output.dollars, 2.5);
  EXPECT_FALSE(price.cached_input.known);
}

TEST(Config, AFileThatCannotBeReadIsRefusedAndNotTakenForNone) {
  const auto complaint = complaint_about(input_from("nowhere.yaml", surroundings_of({})));
  EXPECT_EQ(complaint.rule, Rule::UnreadableFile);
  EXPECT_EQ(complaint.place.source, "nowhere.yaml");
  EXPECT_EQ(complaint.message, "cannot be read: No such file or directory");
}

TEST(Config, ASecretFileThatCannotBeReadIsRefusedWithTheReason) {
  const auto complaint =
      complaint_about(input_of("providers: {openai: {kind: openai, api_key: '${file:/tmp}'}}\n"));
  EXPECT_EQ(complaint.rule, Rule::UnreadableSecret);
  EXPECT_THAT(complaint.message, HasSubstr("/tmp: No such file or directory"));
}

TEST(Config, AFileThatIsTooLargeIsRefusedUnread) {
  EXPECT_EQ(complaint_about(input_of(std::string((1 << 20) + 1, '#'))).rule, Rule::UnreadableFile);
}

TEST(Config, ATruncatedFileNeverCrashesAndNeverHalfLoads) {
  const std::string whole =
      "providers: {openai: {kind: openai, api_key: '${K:-x}', models: [a, \"b\"]}}\n"
      "tiers:\n  t: [openai/a]\n";
  for (size_t size = 0; size <= whole.size(); ++size) {
    const auto outcome = load(input_of(whole.substr(0, size)));
    EXPECT_EQ(outcome.loaded.has_value(), !has_errors(outcome.diagnostics)) << size;
  }
}

TEST(Changes, TellWhichKeysNeedARestart) {
  const auto before = loaded(input_of(std::string(kOneProvider) + "server: {workers: 1}\n"));
  const auto after =
      loaded(input_of("providers: {openai: {kind: openai, api_key: sk-1}, "
                      "lab: {kind: lab}}\n"
                      "server: {workers: 2}\nlog: {level: warn}\n"));
  const auto changes = changes_between(before.settings, after.settings);
  std::vector<std::string> keys;
  for (const auto& change : changes) keys.push_back(change.key);
  EXPECT_THAT(keys, ElementsAre("server.workers", "default_provider", "log.level",
                                "providers.openai.api_key", "providers.lab"));
  EXPECT_EQ(needing_restart(changes), "server.workers");
  EXPECT_EQ(changes[0].before, "1");
  EXPECT_EQ(changes[0].after, "2");
}

TEST(Changes, SeeANewSecretWithoutShowingIt) {
  const auto with_key = [](const std::string& key) {
    return loaded(input_of("providers: {openai: {kind: openai, api_key: " + key + "}}\n")).settings;
  };
  const auto changes = changes_between(with_key("sk-aaaaaaaaaaaaaaaaaaaaaaaa1111"),
                                       with_key("sk-aaaaaaaaaaaaaaaaaaaaaaaa2222"));
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes.front().before, "…1111");
  EXPECT_THAT(changes.front().after, Not(HasSubstr("aaaa")));
}

TEST(Changes, AreNoneBetweenEqualSettings) {
  const auto one = loaded(input_of(kOneProvider)).settings;
  EXPECT_THAT(changes_between(one, one), IsEmpty());
}

}  // namespace
}  // namespace sluice::app
