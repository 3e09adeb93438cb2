#include "app/exports/postgres_sql.h"

#include <gmock/gmock.h>

namespace sluice::app {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(PostgresSql, NamesStandInQuotes) {
  EXPECT_EQ(postgres_name("exchange"), "\"exchange\"");
  EXPECT_EQ(postgres_name("a\"; DROP"), "\"a\"\"; DROP\"");
}

TEST(PostgresSql, TheTableHasATypeForEachColumn) {
  const std::string ddl = postgres_ddl("\"s\".\"t\"");
  EXPECT_THAT(ddl, StartsWith("CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"request_id\" text NOT "
                              "NULL, \"revision\" bigint NOT NULL, \"started_at\" timestamptz"));
  EXPECT_THAT(ddl, HasSubstr("\"metadata\" jsonb,"));
  EXPECT_THAT(ddl, HasSubstr("\"cost_usd\" numeric,"));
  EXPECT_THAT(ddl, HasSubstr("\"stream\" boolean NOT NULL,"));
  EXPECT_THAT(ddl, EndsWith(", PRIMARY KEY (\"request_id\"))"));
}

TEST(PostgresSql, AnOlderRevisionReplacesNothing) {
  EXPECT_THAT(postgres_upsert("t"), EndsWith("WHERE excluded.\"revision\" >= t.\"revision\""));
}

TEST(PostgresSql, ALineOfCopyKeepsEveryCharacter) {
  telemetry::ExchangeRow row;
  row.cells = {"a\tb\nc\rd\\N", std::nullopt, ""};
  std::string line;
  append_copy_line(line, row);
  EXPECT_EQ(line, "a\\tb\\nc\\rd\\\\N\t\\N\t\n");
}

}  // namespace
}  // namespace sluice::app
