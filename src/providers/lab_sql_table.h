// The tables of the lab's Snowflake: rows by key, and what happens when values do not fit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

#include "providers/lab_sql_statement.h"

namespace sluice::providers {

// What a statement is refused with: 422.
struct LabSqlFault {
  std::string code;   // "002003"
  std::string state;  // "42S02"
  std::string message;
};

struct LabSqlCounts {
  int64_t inserted = 0;
  int64_t updated = 0;
};

class LabSqlTable {
 public:
  explicit LabSqlTable(std::vector<LabSqlColumn> columns) : columns_(std::move(columns)) {}

  // All of `json`, an array of objects, or nothing of it.
  std::optional<LabSqlFault> merge(const LabSqlMerge& merge, std::string_view json,
                                   LabSqlCounts& counts);
  // A JSON object on each line, by key, names in lower case.
  std::string lines() const;

 private:
  using Row = std::map<std::string, std::string, std::less<>>;  // column: JSON; null: not there

  const LabSqlColumn* column(std::string_view name) const;
  std::optional<LabSqlFault> check(const LabSqlMerge& merge) const;
  std::optional<LabSqlFault> read(const LabSqlMerge& merge, simdjson::dom::element from,
                                  Row& to) const;
  std::optional<LabSqlFault> keep(const LabSqlMerge& merge, const Row& source,
                                  std::map<std::string, Row>& rows, LabSqlCounts& counts) const;

  std::vector<LabSqlColumn> columns_;
  std::map<std::string, Row> rows_;  // by the key's value
};

}  // namespace sluice::providers
