#include "app/commands/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_test_support.h"

namespace sluice::app {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kFile =
    "providers:\n"
    "  openai:\n"
    "    kind: openai\n"
    "    api_key: ${KEY}\n"
    "server:\n"
    "  listen: 127.0.0.1:1\n"
    "tiers: {fast: [openai/a, openai/b]}\n";

LoadInput input() {
  return input_of(kFile,
                  {{"KEY", "sk-0123456789abcdefghij"}, {"SLUICE_SERVER_LISTEN", "127.0.0.1:2"}});
}

TEST(ConfigExplain, CFG_1_ShowsTheValueItsSourceAndWhatItShadows) {
  const auto result = explain_key(input(), "server.listen", ExplainFormat::Text);
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_EQ(result.out,
            "server.listen = 127.0.0.1:2\n"
            "  decided by  environment SLUICE_SERVER_LISTEN\n"
            "  shadows     sluice.yaml:6:11 = 127.0.0.1:1\n"
            "  shadows     default = 127.0.0.1:8080\n"
            "  variable    SLUICE_SERVER_LISTEN\n"
            "  reload      needs a restart\n"
            "  meaning     Address of the API. Port 0 takes any free port.\n");
}

TEST(ConfigExplain, CFG_1_SaysTheSameInJson) {
  const auto result = explain_key(input(), "server.listen", ExplainFormat::Json);
  EXPECT_EQ(result.out,
            "[\n"
            R"(  {"key":"server.listen","value":"127.0.0.1:2","source":"environment )"
            R"(SLUICE_SERVER_LISTEN","shadowed":[{"value":"127.0.0.1:1","source":)"
            R"("sluice.yaml:6:11"},{"value":"127.0.0.1:8080","source":"default"}],)"
            R"("reloadable":false,"doc":"Address of the API. Port 0 takes any free port."})"
            "\n]\n");
}

TEST(ConfigExplain, ShowsWhichKeyIsInUseWithoutTheKey) {
  const auto result = explain_key(input(), "providers.openai.api_key", ExplainFormat::Text);
  EXPECT_THAT(result.out, HasSubstr("…ghij (from ${KEY})"));
  EXPECT_THAT(result.out, HasSubstr("sluice.yaml:4:14"));
  EXPECT_THAT(result.out, Not(HasSubstr("0123456789")));
}

TEST(ConfigExplain, SaysWhereAnInheritedValueComesFrom) {
  const auto result = explain_key(input(), "providers.openai.timeouts.idle", ExplainFormat::Text);
  EXPECT_THAT(result.out, HasSubstr("= 5m\n  decided by  default, from timeouts.idle"));
}

TEST(ConfigExplain, OfASectionShowsEverySettingInIt) {
  const auto result = explain_key(input(), "providers.openai", ExplainFormat::Text);
  EXPECT_THAT(result.out, HasSubstr("providers.openai.kind = openai\n"));
  EXPECT_THAT(result.out, HasSubstr("providers.openai.pool.max_idle = 256\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("server.listen")));
}

TEST(ConfigExplain, WithoutAKeyListsEverySettingInALine) {
  const auto result = explain_key(input(), "", ExplainFormat::Text);
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_THAT(result.out,
              HasSubstr("server.listen = 127.0.0.1:2  (environment SLUICE_SERVER_LISTEN)\n"));
  EXPECT_THAT(result.out, HasSubstr("tiers.fast = [openai/a, openai/b]  (sluice.yaml:7:"));
  EXPECT_THAT(result.out, Not(HasSubstr("0123456789")));
  EXPECT_THAT(explain_key(input(), "", ExplainFormat::Json).out,
              HasSubstr(R"({"key":"stream.max_event","value":"1MiB")"));
}

TEST(ConfigExplain, RefusesKeysThatDoNotExist) {
  const auto typo = explain_key(input(), "server.lisen", ExplainFormat::Text);
  EXPECT_EQ(typo.exit_code, kExitInvalid);
  EXPECT_THAT(typo.err, HasSubstr("did you mean `server.listen`?"));
  const auto absent = explain_key(input(), "providers.nobody.kind", ExplainFormat::Text);
  EXPECT_EQ(absent.exit_code, kExitInvalid);
}

TEST(ConfigExplain, OfAFaultyFileShowsTheFaults) {
  const auto result = explain_key(input_of("server: {listne: x}\n"), "server", ExplainFormat::Text);
  EXPECT_EQ(result.exit_code, kExitInvalid);
  EXPECT_THAT(result.err, HasSubstr("sluice.yaml:1:10: error: unknown key `listne` [SL201]"));
}

TEST(Check, ExitsWithZeroWhenUsableAndTwoWhenNot) {
  EXPECT_EQ(check(input(), DiagnosticFormat::Text).exit_code, 0);
  EXPECT_EQ(check(input_of("x: 1\n"), DiagnosticFormat::Text).exit_code, 2);
}

TEST(Check, AFileThatIsNotThereIsNoEmptyOne) {
  const auto gone = input_from("gone.yaml", surroundings_of({}));
  const auto checked = check(gone, DiagnosticFormat::Json);
  EXPECT_EQ(checked.exit_code, kExitInvalid);
  EXPECT_THAT(checked.out, HasSubstr("SL001"));
  const auto explained = explain_key(gone, "server.listen", ExplainFormat::Text);
  EXPECT_EQ(explained.exit_code, kExitInvalid);
  EXPECT_THAT(explained.err, HasSubstr("gone.yaml: error: cannot be read: No such file"));
}

TEST(Check, PutsDataOnStdoutAndWordsOnStderr) {
  const auto good = check(input(), DiagnosticFormat::Json);
  EXPECT_EQ(good.out, "[]\n");
  EXPECT_EQ(good.err, "");
  EXPECT_EQ(check(input(), DiagnosticFormat::Text).err, "sluice.yaml: ok\n");
}

TEST(Check, ExplainsEveryRuleByItsCode) {
  for (const auto& info : rules()) {
    const auto result = explain_rule(code_of(info.rule));
    EXPECT_EQ(result.exit_code, kExitOk);
    EXPECT_THAT(result.out, HasSubstr(std::string(info.explanation)));
  }
  EXPECT_EQ(explain_rule("sl201").out, explain_rule("201").out);
  for (const auto* bad : {"", "SL", "SL999", "201x", "GW1"})
    EXPECT_EQ(explain_rule(bad).exit_code, kExitInvalid) << bad;
}

}  // namespace
}  // namespace sluice::app
