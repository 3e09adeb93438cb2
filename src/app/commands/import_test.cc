// Whole configurations of other gateways in, ours and the report out: tests/golden/import/portkey
// and litellm, NAME beside NAME.sluice.yaml and NAME.report.txt. SLUICE_REWRITE_GOLDEN=1 writes
// them anew.
#include "app/commands/import.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <vector>

#include "app/config_test_support.h"
#include "app/router_builder.h"
#include "routing/router.h"

namespace sluice::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const fs::path kFolder = fs::path(SLUICE_SOURCE_DIR) / "tests/golden/import";

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void expect_golden(const fs::path& path, const std::string& actual) {
  if (std::getenv("SLUICE_REWRITE_GOLDEN") != nullptr)
    std::ofstream(path, std::ios::binary) << actual;
  EXPECT_EQ(content_of(path), actual) << "see the difference with `make golden` and git diff";
}

std::vector<fs::path> cases() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && name.find(".sluice.") == std::string::npos &&
        name.find(".report.") == std::string::npos)
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

ImportFrom kind_of(const fs::path& path) {
  return path.parent_path().filename() == "portkey" ? ImportFrom::Portkey : ImportFrom::LiteLlm;
}

CommandResult imported(const fs::path& path, ReportFormat format = ReportFormat::Text) {
  return import_configuration(kind_of(path), path.filename(), content_of(path), format);
}

// The imported configuration, read as the gateway reads it where its variables are set.
LoadOutcome read_back(const std::string& yaml) {
  LoadInput input = input_of(yaml);
  input.around.env = [](std::string_view name) -> std::optional<std::string> {
    if (name.starts_with("SLUICE_")) return std::nullopt;
    return name == "SNOWFLAKE_ACCOUNT" ? "account" : "https://example.com/v1";
  };
  return load(input);
}

class ImportGolden : public testing::TestWithParam<fs::path> {};

TEST_P(ImportGolden, SaysWhatBecameOfEachSetting) {
  const auto result = imported(GetParam());
  expect_golden(GetParam().string() + ".sluice.yaml", result.out);
  expect_golden(GetParam().string() + ".report.txt",
                result.err + "exit " + std::to_string(result.exit_code) + "\n");
}

TEST_P(ImportGolden, GivesAConfigurationTheGatewayStartsWith) {
  const auto result = imported(GetParam());
  if (result.exit_code == kExitInvalid) {
    EXPECT_THAT(result.out, IsEmpty());
    return;
  }
  const auto outcome = read_back(result.out);
  ASSERT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text) << result.out;
  const auto options = router_options(outcome.loaded->settings);
  ASSERT_TRUE(options);
  EXPECT_TRUE(routing::Router::make(*options));
}

TEST_P(ImportGolden, NeverRepeatsASecret) {
  for (const auto format : {ReportFormat::Text, ReportFormat::Json}) {
    const auto result = imported(GetParam(), format);
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("0123456789abcdef")));
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("hunter2")));
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ImportGolden, testing::ValuesIn(cases()), [](const auto& param) {
  std::string name =
      param.param.parent_path().filename().string() + "_" + param.param.filename().string();
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST(Import, ExitsWithZeroWhenAllWasCarriedOver) {
  const auto result = import_configuration(
      ImportFrom::Portkey, "config.json",
      R"({"provider":"openai","override_params":{"model":"gpt-5.4"}})", ReportFormat::Json);
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  EXPECT_THAT(result.err, HasSubstr(R"("differs":[],"missing":[],"variables":["OPENAI_API_KEY"])"));
  EXPECT_THAT(result.out, HasSubstr("target: openai/gpt-5.4"));
}

TEST(Import, WhatIsNoConfigurationIsRefused) {
  for (const auto* text : {"", "[]", "{\"a\":", "12"}) {
    const auto result =
        import_configuration(ImportFrom::LiteLlm, "config.yaml", text, ReportFormat::Text);
    EXPECT_EQ(result.exit_code, kExitInvalid) << text;
    EXPECT_THAT(result.out, IsEmpty()) << text;
    EXPECT_THAT(result.err, Not(IsEmpty())) << text;
  }
}

// Whatever stands in a value, the result is a configuration or a refusal.
TEST(Import, OddValuesNeverBreakTheResult) {
  for (const std::string value :
       {"\"a: b\"", "\"${HOME}\"", "\"$\"", "\"#\"", "\"a\\nb\"", "\"-\"", "\"true\"", "12", "1e99",
        "-1", "null", "[]", "{}", "\"\\u00e9\"", "\"a,b]\"", "\"*\"", "\"&x\"", "\"@x/y\""}) {
    for (const std::string key :
         {"provider", "virtual_key", "custom_host", "api_key", "request_timeout", "weight", "name",
          "override_params", "forward_headers", "retry", "cb_config", "strategy", "targets"}) {
      const std::string text = R"({"strategy":{"mode":"loadbalance"},"targets":[{")" + key +
                               "\":" + value + R"(},{"provider":"openai"}]})";
      const auto result =
          import_configuration(ImportFrom::Portkey, "c.json", text, ReportFormat::Text);
      EXPECT_TRUE(result.exit_code == kExitInvalid || read_back(result.out).loaded) << text;
    }
    for (const std::string key :
         {"model", "api_base", "api_key", "rpm", "weight", "order", "timeout"}) {
      const std::string text =
          R"({"model_list":[{"model_name":"a","litellm_params":{"model":"openai/m",")" +
          (key == "model" ? "x" : key) + "\":" + value + "}}," + R"({"model_name":)" + value +
          R"(,"litellm_params":{"model":)" + value + "}}]}";
      const auto result =
          import_configuration(ImportFrom::LiteLlm, "c.yaml", text, ReportFormat::Text);
      EXPECT_TRUE(result.exit_code == kExitInvalid || read_back(result.out).loaded) << text;
    }
  }
}

}  // namespace
}  // namespace sluice::app
