#include "app/exports/snowflake_sql.h"

#include <fmt/format.h>
#include <string_view>

#include "telemetry/exchange_row.h"

namespace sluice::app {
namespace {

using telemetry::CellType;
using telemetry::ExchangeColumn;

std::string_view type_of(CellType type) {
  switch (type) {
    case CellType::Text:
      return "VARCHAR";
    case CellType::Integer:
      return "NUMBER(38, 0)";
    case CellType::Decimal:
      return "NUMBER(38, 9)";
    case CellType::Boolean:
      return "BOOLEAN";
    case CellType::Moment:
      return "TIMESTAMP_NTZ";
    case CellType::Json:
      return "VARIANT";
  }
  return "";
}

// A null of JSON is no NULL of SQL, unless it is cast.
std::string item_of(const ExchangeColumn& column) {
  if (column.type == CellType::Json)
    return fmt::format("STRIP_NULL_VALUE(value:{0}) AS {0}", column.name);
  return fmt::format("value:{0}::{1} AS {0}", column.name, type_of(column.type));
}

// One text for each column, with a comma between.
template <class Each>
std::string joined(Each&& each) {
  std::string out;
  for (const ExchangeColumn& column : telemetry::exchange_columns())
    out += (out.empty() ? "" : ", ") + each(column);
  return out;
}

}  // namespace

std::string snowflake_ddl(const std::string& table) {
  return fmt::format("CREATE TABLE IF NOT EXISTS \"{}\" ({})", table,
                     joined([](const ExchangeColumn& column) {
                       return fmt::format("{} {}{}", column.name, type_of(column.type),
                                          column.required ? " NOT NULL" : "");
                     }));
}

std::string snowflake_merge(const std::string& table) {
  const std::string names =
      joined([](const ExchangeColumn& column) { return std::string(column.name); });
  const std::string values =
      joined([](const ExchangeColumn& column) { return fmt::format("s.{}", column.name); });
  return fmt::format(
      "MERGE INTO \"{}\" AS t USING (SELECT {} FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?)))) AS s"
      " ON t.request_id = s.request_id WHEN MATCHED AND s.revision >= t.revision THEN UPDATE SET {}"
      " WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
      table, joined(item_of),
      joined([](const ExchangeColumn& column) { return fmt::format("{0} = s.{0}", column.name); }),
      names, values);
}

}  // namespace sluice::app
