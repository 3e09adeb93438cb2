// Whole configurations in, what the operator reads out: tests/golden/config/NAME.yaml (or .json)
// beside NAME.yaml.txt. SLUICE_REWRITE_GOLDEN=1 writes the answers anew.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "app/commands/check.h"
#include "app/config_reference.h"
#include "app/config_test_support.h"

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = SLUICE_SOURCE_DIR;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

bool rewriting() {
  return std::getenv("SLUICE_REWRITE_GOLDEN") != nullptr;
}

void expect_golden(const fs::path& path, const std::string& actual) {
  if (rewriting()) std::ofstream(path, std::ios::binary) << actual;
  EXPECT_EQ(content_of(path), actual) << "see the difference with `make golden` and git diff";
}

bool is_priced(std::string_view, std::string_view model) {
  return model == "gpt-5.4-mini" || model.starts_with("o3") || model.starts_with("gpt-4");
}

CommandResult check_file(const fs::path& path, DiagnosticFormat format) {
  auto input = input_of(content_of(path), {{"SECRET_VALUE", "sk-live-0123456789abcdef"},
                                           {"OPENAI_API_KEY", "sk-live-0123456789abcdef"},
                                           {"EMPTY", ""}});
  input.file_name = path.filename();
  return check(std::move(input), format, [](const PriceSettings&) { return Priced(is_priced); });
}

std::vector<fs::path> cases() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(kRoot / "tests/golden/config"))
    if (entry.path().extension() != ".txt") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

class ConfigGolden : public testing::TestWithParam<fs::path> {};

TEST_P(ConfigGolden, CFG_4_CheckSaysWhatIsWrongAndWhere) {
  const auto result = check_file(GetParam(), DiagnosticFormat::Text);
  expect_golden(GetParam().string() + ".txt",
                result.out + result.err + "exit " + std::to_string(result.exit_code) + "\n");
}

TEST_P(ConfigGolden, NoSecretIsEverPrinted) {
  for (const auto format :
       {DiagnosticFormat::Text, DiagnosticFormat::Json, DiagnosticFormat::Github}) {
    const auto result = check_file(GetParam(), format);
    for (const auto* secret :
         {"0123456789abcdef", "verysecret", "secretsecret", "hunter2", "user:password@api"})
      EXPECT_EQ((result.out + result.err).find(secret), std::string::npos) << secret;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ConfigGolden, testing::ValuesIn(cases()), [](const auto& param) {
  std::string name = param.param.filename();
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
});

TEST(ConfigFormats, JsonAndGithubSayTheSame) {
  const auto path = kRoot / "tests/golden/config/typo.yaml";
  expect_golden(kRoot / "tests/golden/config/typo.yaml.json.txt",
                check_file(path, DiagnosticFormat::Json).out);
  expect_golden(kRoot / "tests/golden/config/typo.yaml.github.txt",
                check_file(path, DiagnosticFormat::Github).out);
}

TEST(ConfigReference, TheCommittedPageIsMadeFromTheTable) {
  expect_golden(kRoot / "docs/configuration.md", reference_page());
}

TEST(ConfigReference, TheCommittedSchemaIsMadeFromTheTable) {
  expect_golden(kRoot / "docs/schema.json", json_schema());
}

}  // namespace
}  // namespace sluice::app
