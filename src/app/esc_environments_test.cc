#include "app/esc_environments.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "app/config_test_support.h"

namespace sluice::app {
namespace {

std::string session_of(std::string_view key, std::string_view region = "eu") {
  return fmt::format(
      R"({{"properties":{{"key":{{"value":"{}","secret":true}},"region":{{"value":"{}"}}}}}})", key,
      region);
}

// An API that counts how often it is asked.
struct Opened {
  int count = 0;
  bool down = false;
  EscEnvironments environments{[this](const EscName& name) -> Result<Secret> {
    ++count;
    if (down) return Error(Outcome::ConnectError, "nobody answers");
    return Secret(session_of("of " + name.path + "@" + name.version));
  }};

  LoadInput input(std::string text, Words environment = {}) {
    LoadInput made = input_of(std::move(text), std::move(environment));
    made.around.esc = [this](std::string_view name, std::string_view path) {
      return environments.value(name, path);
    };
    return made;
  }
};

constexpr auto kTwoKeys =
    "providers:\n"
    "  openai: {kind: openai, api_key: ${esc:acme/llm/prod:key}}\n"
    "  other: {kind: openai, base_url: http://h/v1, api_key: ${esc:acme/llm/prod:key}}\n"
    "  third: {kind: openai, base_url: http://h/v1, api_key: ${esc:acme/llm/prod@3:key}}\n";

TEST(EscName, HasThreePartsAndPerhapsAVersion) {
  EXPECT_EQ(read_esc_name("acme/llm/prod")->path, "acme/llm/prod");
  EXPECT_EQ(read_esc_name("acme/llm/prod@stable")->version, "stable");
  for (const char* name : {"", "acme", "acme/llm", "acme/llm/prod/x", "acme//prod", "/llm/prod",
                           "acme/llm/", "a/../b", "a/b/c@", "a/b/c@1/2", "a/b/c?d", "a b/c/d"})
    EXPECT_FALSE(read_esc_name(name)) << name;
}

TEST(EscEnvironments, EachIsOpenedOncePerLoadHoweverManyValuesComeFromIt) {
  Opened opened;
  opened.environments.begin_load();
  const LoadOutcome outcome = load(opened.input(kTwoKeys));
  ASSERT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  EXPECT_EQ(outcome.loaded->settings.providers[0].api_key.reveal(), "of acme/llm/prod@");
  EXPECT_EQ(outcome.loaded->settings.providers[2].api_key.reveal(), "of acme/llm/prod@3");
  EXPECT_EQ(opened.count, 2);
  opened.environments.end_load();
  opened.environments.begin_load();
  EXPECT_TRUE(load(opened.input(kTwoKeys)).loaded);
  EXPECT_EQ(opened.count, 2) << "what is open stays open";
}

TEST(EscEnvironments, OneThatCannotBeOpenedIsAFaultAtEachOfItsValues) {
  Opened opened;
  opened.down = true;
  const LoadOutcome outcome = load(opened.input(kTwoKeys));
  EXPECT_FALSE(outcome.loaded);
  ASSERT_EQ(outcome.diagnostics.size(), 3u);
  EXPECT_EQ(opened.count, 2) << "nobody is asked twice in one load";
  const Diagnostic& first = outcome.diagnostics.front();
  EXPECT_EQ(code_of(first.rule), "SL406");
  EXPECT_EQ(first.place.line, 2);
  EXPECT_EQ(first.message,
            "`providers.openai.api_key`: the ESC environment acme/llm/prod: nobody answers");
  opened.down = false;
  opened.environments.begin_load();
  EXPECT_TRUE(load(opened.input(kTwoKeys)).loaded) << "the next load tries again";
}

TEST(EscEnvironments, OnlyValuesThatWereAskedForCount) {
  Opened opened;
  ASSERT_TRUE(opened.environments.value("a/b/c", "key"));
  const auto adopt = [&](std::string session) {
    return opened.environments.adopt(
        {.environment = "a/b/c", .content = Secret(std::move(session))});
  };
  EXPECT_FALSE(*adopt(session_of("of a/b/c@", "us")));
  EXPECT_TRUE(*adopt(session_of("new", "us")));
  EXPECT_EQ(*opened.environments.value("a/b/c", "key"), "new");
  EXPECT_EQ(*opened.environments.value("a/b/c", "region"), "us");
}

TEST(EscEnvironments, AnOpeningThatFailsOrLacksAValueChangesNothing) {
  Opened opened;
  ASSERT_TRUE(opened.environments.value("a/b/c", "key"));
  EXPECT_FALSE(opened.environments.adopt(
      {.environment = "a/b/c", .content = Error(Outcome::ConnectError, "down")}));
  EXPECT_FALSE(opened.environments.adopt(
      {.environment = "a/b/c", .content = Secret(R"({"properties":{}})")}));
  EXPECT_EQ(*opened.environments.value("a/b/c", "key"), "of a/b/c@");
  EXPECT_EQ(opened.count, 1);
}

TEST(EscEnvironments, OneThatNoValueComesFromAnyMoreIsForgotten) {
  Opened opened;
  ASSERT_TRUE(opened.environments.value("a/b/c", "key"));
  ASSERT_TRUE(opened.environments.value("a/b/d", "key"));
  opened.environments.begin_load();
  ASSERT_TRUE(opened.environments.value("a/b/d", "key"));
  EXPECT_EQ(opened.environments.names().size(), 2u) << "the load may still fail";
  opened.environments.end_load();
  EXPECT_EQ(opened.environments.names(), std::vector<std::string>{"a/b/d"});
}

TEST(EscEnvironments, SEC_1_TheirValuesAreShownNowhere) {
  Opened opened;
  const LoadOutcome outcome = load(opened.input(
      "providers: {openai: {kind: openai, api_key: ${esc:acme/llm/prod:key}}}\n"
      "default_provider: openai\n"
      "log: {access: \"/tmp/${esc:acme/llm/prod:key}\"}\n"
      "keys: {a: {key: k-0123456789abcdef-1, metadata: {x: ${esc:acme/llm/prod:key}}}}\n"));
  ASSERT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  for (const auto& [path, givens] : outcome.loaded->provenance.all())
    for (const Given& given : givens)
      EXPECT_EQ(given.value.find("of acme"), std::string::npos) << path << ": " << given.value;
  Settings before;
  for (const Change& change : changes_between(before, outcome.loaded->settings))
    EXPECT_EQ((change.before + change.after).find("of acme"), std::string::npos) << change.key;
}

TEST(EscEnvironments, AReferenceThatCannotBeReadIsNeverAskedFor) {
  Opened opened;
  for (const char* inner : {"esc:", "esc:a/b/c", "esc:a/b:x", "esc:a/b/c:", "esc:a/b/c:x..y"}) {
    const Substituted text = substitute(fmt::format("${{{}}}", inner), opened.input("").around);
    ASSERT_TRUE(text.fault) << inner;
    EXPECT_EQ(text.fault->rule, Rule::BadSubstitution) << inner;
  }
  EXPECT_EQ(opened.count, 0);
}

}  // namespace
}  // namespace sluice::app
