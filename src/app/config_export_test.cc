#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config.h"
#include "app/config_test_support.h"

namespace sluice::app {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::vector<std::string> complaints_about(const std::string& text) {
  std::vector<std::string> messages;
  for (const auto& diagnostic : load(input_of(text)).diagnostics)
    messages.push_back(diagnostic.message);
  return messages;
}

TEST(ConfigExport, WhatIsLeftOutFollowsFromTheRest) {
  const auto outcome = load(input_of(R"(
server: {data_dir: /data}
export: {snowflake: {account: acme-prod, user: LOADER, private_key_file: /key.p8}}
)"));
  ASSERT_TRUE(outcome.loaded) << render(outcome.diagnostics, DiagnosticFormat::Text);
  const ExportSettings& settings = outcome.loaded->settings.export_;
  EXPECT_EQ(settings.batch, 1000);
  EXPECT_EQ(settings.ndjson.folder, "/data/export");
  EXPECT_EQ(settings.postgres.schema, "public");
  EXPECT_EQ(settings.snowflake.base_url,
            (BaseUrl{true, "acme-prod.snowflakecomputing.com", 443, ""}));
}

TEST(ConfigExport, SnowflakeTakesAKeyOrAToken) {
  EXPECT_THAT(complaints_about("export: {snowflake: {account: a-b, user: U, private_key_file: /k, "
                               "token: t}}"),
              Contains(HasSubstr("exclude each other")));
  EXPECT_THAT(complaints_about("export: {snowflake: {account: a-b, private_key_file: /k}}"),
              Contains(HasSubstr("needs `export.snowflake.account` and")));
}

}  // namespace
}  // namespace sluice::app
