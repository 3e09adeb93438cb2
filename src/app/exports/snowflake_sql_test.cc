#include "app/exports/snowflake_sql.h"

#include <gmock/gmock.h>

#include "providers/lab_sql_table.h"
#include "telemetry/exchange_row.h"

namespace sluice::app {
namespace {

using ::testing::SizeIs;

TEST(SnowflakeSql, TheTableHasEveryColumn) {
  const auto statement = providers::parse_lab_sql(snowflake_ddl("IT"));
  ASSERT_EQ(statement.fault, "");
  ASSERT_TRUE(statement.create);
  EXPECT_EQ(statement.create->table, "IT");
  EXPECT_THAT(statement.create->columns, SizeIs(telemetry::exchange_columns().size()));
  EXPECT_EQ(statement.create->columns[0].name, "REQUEST_ID");
  EXPECT_TRUE(statement.create->columns[0].not_null);
}

TEST(SnowflakeSql, MergesByRequestIdUnlessTheRevisionIsOlder) {
  const auto statement = providers::parse_lab_sql(snowflake_merge("IT"));
  ASSERT_EQ(statement.fault, "");
  ASSERT_TRUE(statement.merge);
  EXPECT_EQ(statement.merge->key, "REQUEST_ID");
  EXPECT_EQ(statement.merge->guard, "REVISION");
  EXPECT_THAT(statement.merge->update, SizeIs(telemetry::exchange_columns().size()));
  EXPECT_THAT(statement.merge->insert, SizeIs(telemetry::exchange_columns().size()));
}

TEST(SnowflakeSql, ARowOfNullsFitsTheTable) {
  telemetry::ExchangeRow row;
  for (const telemetry::ExchangeColumn& column : telemetry::exchange_columns()) {
    constexpr std::string_view kValues[] = {"x", "1", "0.1", "true", "2026-11-23T07:00:00.1Z", "1"};
    row.cells.emplace_back();
    if (column.required) row.cells.back() = kValues[static_cast<size_t>(column.type)];
  }
  std::string rows = "[";
  append_json_object(rows, row);
  rows += ']';
  const auto ddl = providers::parse_lab_sql(snowflake_ddl("IT"));
  const auto merge = providers::parse_lab_sql(snowflake_merge("IT"));
  providers::LabSqlTable table(ddl.create->columns);
  providers::LabSqlCounts counts;
  const auto fault = table.merge(*merge.merge, rows, counts);
  EXPECT_FALSE(fault) << fault->message;
  EXPECT_EQ(counts.inserted, 1);
}

}  // namespace
}  // namespace sluice::app
