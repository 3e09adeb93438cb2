#include "app/exports/postgres_sql.h"

#include <fmt/format.h>

namespace sluice::app {
namespace {

using telemetry::CellType;
using telemetry::ExchangeColumn;

std::string_view type_of(CellType type) {
  switch (type) {
    case CellType::Text:
      return "text";
    case CellType::Integer:
      return "bigint";
    case CellType::Decimal:
      return "numeric";
    case CellType::Boolean:
      return "boolean";
    case CellType::Moment:
      return "timestamptz";
    case CellType::Json:
      return "jsonb";
  }
  return "";
}

// One text for each column, with a comma between.
template <class Each>
std::string joined(Each&& each) {
  std::string out;
  for (const ExchangeColumn& column : telemetry::exchange_columns())
    out += (out.empty() ? "" : ", ") + each(column);
  return out;
}

std::string names() {
  return joined([](const ExchangeColumn& column) { return postgres_name(column.name); });
}

}  // namespace

std::string postgres_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string postgres_ddl(const std::string& table) {
  const std::string columns = joined([](const ExchangeColumn& column) {
    return fmt::format("{} {}{}", postgres_name(column.name), type_of(column.type),
                       column.required ? " NOT NULL" : "");
  });
  return fmt::format("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY (\"request_id\"))", table,
                     columns);
}

std::string postgres_upsert(const std::string& table) {
  const std::string updates = joined([](const ExchangeColumn& column) {
    return fmt::format("{0} = excluded.{0}", postgres_name(column.name));
  });
  return fmt::format(
      "INSERT INTO {0} AS t ({1}) SELECT {1} FROM sluice_batch ON CONFLICT (\"request_id\") DO "
      "UPDATE SET {2} WHERE excluded.\"revision\" >= t.\"revision\"",
      table, names(), updates);
}

std::string postgres_copy() {
  return fmt::format("COPY sluice_batch ({}) FROM STDIN", names());
}

void append_copy_line(std::string& out, const telemetry::ExchangeRow& row) {
  for (size_t i = 0; i < row.cells.size(); ++i) {
    if (i > 0) out += '\t';
    if (!row.cells[i]) {
      out += "\\N";
      continue;
    }
    for (const char c : *row.cells[i]) {
      switch (c) {
        case '\\':
          out += "\\\\";
          break;
        case '\t':
          out += "\\t";
          break;
        case '\n':
          out += "\\n";
          break;
        case '\r':
          out += "\\r";
          break;
        default:
          out += c;
      }
    }
  }
  out += '\n';
}

}  // namespace sluice::app
