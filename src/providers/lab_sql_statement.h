// The SQL that the lab's Snowflake understands: what an exporter of rows needs, and a syntax error
// in Snowflake's words for all else.
//
//   CREATE TABLE IF NOT EXISTS name (column TYPE [NOT NULL], ...)
//   MERGE INTO name AS t
//     USING (SELECT value:path::TYPE AS name, STRIP_NULL_VALUE(value:path) AS name, ...
//            FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?)))) AS s
//     ON t.column = s.column
//     WHEN MATCHED [AND s.column >= t.column] THEN UPDATE SET column = s.column, ...
//     WHEN NOT MATCHED THEN INSERT (column, ...) VALUES (s.column, ...)
//
// Names without quotes are upper case; paths are as they are written. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::providers {

enum class LabSqlType : uint8_t { Varchar, Number, Boolean, Timestamp, Variant };

struct LabSqlColumn {
  std::string name;
  LabSqlType type = LabSqlType::Variant;
  bool not_null = false;
};

struct LabSqlCreate {
  std::string table;
  std::vector<LabSqlColumn> columns;
};

struct LabSqlMerge {
  struct Item {
    std::string path;  // below `value`
    LabSqlType type = LabSqlType::Variant;
    std::string name;
  };
  std::string table;
  std::vector<Item> items;
  std::string key;                                          // of both sides
  std::string guard;                                        // not below what is there; or empty
  std::vector<std::pair<std::string, std::string>> update;  // column, of the source
  std::vector<std::string> insert;
  std::vector<std::string> values;  // of the source
};

// One of the two, or what Snowflake says.
struct LabSqlStatement {
  std::optional<LabSqlCreate> create;
  std::optional<LabSqlMerge> merge;
  std::string fault;
};

LabSqlStatement parse_lab_sql(std::string_view text);

}  // namespace sluice::providers
