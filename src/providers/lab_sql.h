// The lab's Snowflake SQL API (v2): POST /api/v2/statements and GET /api/v2/statements/{handle},
// as strict as the real one where that is known. Who may call is the caller's question.
//
// It keeps the rows, for GET /lab/sql/rows, and a line for each submission, for GET /lab/sql/log.
// Faults are asked for by the name of the warehouse, behind '+': "WH+busy-2".
// May be used from several threads.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <simdjson.h>
#include <string>
#include <string_view>

#include "providers/lab_sql_table.h"

namespace sluice::providers {

struct LabSqlCall {
  std::string_view method;
  std::string_view handle;  // of the path, behind "/statements/"; empty: none
  std::string_view query;
  std::string_view content_type;
  std::string_view user_agent;
  std::string_view body;
};

struct LabSqlAnswer {
  int status = 200;
  std::string body;
  bool lost = false;    // the connection breaks instead
  int64_t wait_ms = 0;  // before it
};

class LabSql {
 public:
  LabSqlAnswer answer(const LabSqlCall& call);
  // A JSON object on each line; of a table that is not there: nothing.
  std::string rows(std::string_view table) const;
  std::string log() const;
  void reset();

 private:
  // What was asked, under its requestId.
  struct Submitted {
    int64_t times = 0;
    bool ran = false;
    std::string handle;
    LabSqlAnswer answer;
    int64_t polls = 0;  // that are answered with 202 before it
  };

  LabSqlAnswer submit(const LabSqlCall& call);
  LabSqlAnswer poll(const std::string& handle);
  LabSqlAnswer run(simdjson::dom::object body, const std::string& handle);
  LabSqlAnswer merge(const LabSqlMerge& merge, simdjson::dom::object body,
                     const std::string& handle);
  LabSqlAnswer reply_of(Submitted& submitted) const;

  mutable std::mutex lock_;
  std::map<std::string, LabSqlTable, std::less<>> tables_;
  std::map<std::string, Submitted> submitted_;               // by requestId
  std::map<std::string, std::string, std::less<>> handles_;  // to requestId
  std::string log_;
};

}  // namespace sluice::providers
