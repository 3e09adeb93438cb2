#include "providers/lab_sql.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "base/text_out.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

namespace dom = simdjson::dom;

std::string quoted_text(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

LabSqlAnswer said(int status, std::string_view code, std::string_view message) {
  LabSqlAnswer answer;
  answer.status = status;
  answer.body = fmt::format(R"({{"code":"{}","message":{}}})", code, quoted_text(message));
  return answer;
}

LabSqlAnswer refused(const LabSqlFault& fault, std::string_view handle) {
  LabSqlAnswer answer;
  answer.status = 422;
  answer.body =
      fmt::format(R"({{"code":"{}","sqlState":"{}","message":{},"statementHandle":"{}"}})",
                  fault.code, fault.state, quoted_text(fault.message), handle);
  return answer;
}

LabSqlAnswer executed(const LabSqlCounts& counts, std::string_view handle) {
  LabSqlAnswer answer;
  answer.body = fmt::format(
      R"({{"resultSetMetaData":{{"numRows":1,"format":"jsonv2","rowType":[{{"name":"number of rows inserted","type":"FIXED","precision":19,"scale":0,"nullable":false}},{{"name":"number of rows updated","type":"FIXED","precision":19,"scale":0,"nullable":false}}],"partitionInfo":[{{"rowCount":1,"uncompressedSize":9}}]}},"data":[["{0}","{1}"]],"code":"090001","sqlState":"00000","statementHandle":"{2}","message":"Statement executed successfully.","statementStatusUrl":"/api/v2/statements/{2}","createdOn":0,"stats":{{"numRowsInserted":{0},"numRowsUpdated":{1}}}}})",
      counts.inserted, counts.updated, handle);
  return answer;
}

// The value of `name` in "a=1&b=2".
std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view one = query.substr(0, end);
    if (one.starts_with(name) && one.substr(name.size()).starts_with('='))
      return one.substr(name.size() + 1);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return "";
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kShape = "00000000-0000-0000-0000-000000000000";
  if (text.size() != kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (kShape[i] == '0' ? !hex : text[i] != '-') return false;
  }
  return true;
}

// The number of "busy-3" in "WH+busy-3+slow-2"; 0: there is no such word.
int64_t fault(std::string_view warehouse, std::string_view name) {
  for (size_t at = warehouse.find('+'); at != std::string_view::npos;
       at = warehouse.find('+', at + 1)) {
    std::string_view word = warehouse.substr(at + 1);
    if (!word.starts_with(name) || !word.substr(name.size()).starts_with('-')) continue;
    word.remove_prefix(name.size() + 1);
    int64_t number = 0;
    std::from_chars(word.data(), word.data() + word.size(), number);
    return number;
  }
  return 0;
}

std::string_view text_of(dom::object object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? text : "";
}

std::optional<LabSqlAnswer> fault_of_body(dom::object body) {
  constexpr auto kMembers =
      std::to_array<std::string_view>({"statement", "timeout", "database", "schema", "warehouse",
                                       "role", "bindings", "parameters"});
  for (const auto& [name, value] : body) {
    if (std::ranges::find(kMembers, name) == kMembers.end())
      return said(400, "391902", fmt::format("Unrecognized field \"{}\"", name));
  }
  if (text_of(body, "statement").empty())
    return said(400, "391903", "The statement is missing from the request body.");
  return std::nullopt;
}

// The one value that the statement's `?` stands for, or what is wrong with the bindings.
std::optional<LabSqlFault> binding(dom::object body, std::string_view& value) {
  dom::object bindings;
  if (body["bindings"].get(bindings) != simdjson::SUCCESS || bindings.size() < 1)
    return LabSqlFault{"002049", "42601", "SQL compilation error:\nBind variable ? not set."};
  dom::object first;
  if (bindings.size() > 1 || bindings["1"].get(first) != simdjson::SUCCESS)
    return LabSqlFault{"002050", "42601", "SQL compilation error:\nBindings are \"1\" to \"1\"."};
  const std::string_view type = text_of(first, "type");
  if (type != "TEXT") {
    return LabSqlFault{"001007", "22023",
                       fmt::format("SQL compilation error:\ninvalid type [{}] for parameter "
                                   "'PARSE_JSON'",
                                   type)};
  }
  if (first["value"].get(value) != simdjson::SUCCESS) {
    return LabSqlFault{"002051", "0A000",
                       "Array bind is supported for INSERT ... VALUES only; bind values are "
                       "strings."};
  }
  return std::nullopt;
}

}  // namespace

LabSqlAnswer LabSql::answer(const LabSqlCall& call) {
  const std::lock_guard guard(lock_);
  if (call.user_agent.empty()) return said(400, "391901", "The User-Agent header is missing.");
  if (call.method == "GET" && !call.handle.empty()) return poll(std::string(call.handle));
  if (call.method == "POST" && call.handle.empty()) return submit(call);
  return said(405, "391905", "Method is not allowed.");
}

LabSqlAnswer LabSql::submit(const LabSqlCall& call) {
  if (!call.content_type.starts_with("application/json"))
    return said(415, "391915", "The Content-Type must be application/json.");
  const std::string request_id(parameter(call.query, "requestId"));
  if (!is_uuid(request_id)) return said(400, "391904", "requestId must be a UUID.");
  dom::parser parser;
  dom::object body;
  const simdjson::padded_string padded(call.body);
  if (parser.parse(padded).get(body) != simdjson::SUCCESS)
    return said(400, "391906", "The request body is no JSON object.");
  if (auto wrong = fault_of_body(body)) return *wrong;

  const std::string_view warehouse = text_of(body, "warehouse");
  const bool retry = parameter(call.query, "retry") == "true";
  Submitted& known = submitted_[request_id];
  const int64_t times = ++known.times;
  const auto note = [&](bool ran, int status) {
    fmt::format_to(std::back_inserter(log_),
                   R"({{"requestId":"{}","retry":{},"ran":{},"status":{},"statement":{}}})"
                   "\n",
                   request_id, retry, ran, status,
                   quoted_text(text_of(body, "statement").substr(0, 40)));
  };
  const int64_t busy = fault(warehouse, "busy");
  const int64_t down = fault(warehouse, "down");
  if (times <= busy || times <= down) {
    note(false, times <= busy ? 429 : 503);
    return times <= busy ? said(429, "390429", "Too many requests.")
                         : said(503, "390503", "Service unavailable.");
  }
  const bool replay = known.ran && retry;
  if (!replay) {
    known.handle = fmt::format("01{:06x}-0000-4000-8000-{:012x}", handles_.size(),
                               lab_hash(request_id, 3) & 0xFFFF'FFFF'FFFFU);
    handles_.emplace(known.handle, request_id);
    known.answer = run(body, known.handle);
    known.polls = fault(warehouse, "slow");
    known.ran = known.answer.status == 200;
  }
  LabSqlAnswer answer = reply_of(known);
  answer.lost = times <= busy + fault(warehouse, "lost");
  answer.wait_ms = fault(warehouse, "delay");
  note(!replay && known.ran, answer.status);
  return answer;
}

LabSqlAnswer LabSql::reply_of(Submitted& submitted) const {
  if (submitted.polls == 0) return submitted.answer;
  LabSqlAnswer answer;
  answer.status = 202;
  answer.body = fmt::format(
      R"({{"code":"333334","message":"Asynchronous execution in progress. Use provided query id to perform query monitoring and management.","statementHandle":"{0}","statementStatusUrl":"/api/v2/statements/{0}"}})",
      submitted.handle);
  return answer;
}

LabSqlAnswer LabSql::poll(const std::string& handle) {
  const auto found = handles_.find(handle);
  if (found == handles_.end()) return said(404, "391404", "There is no such statement.");
  Submitted& submitted = submitted_[found->second];
  if (submitted.polls > 0) --submitted.polls;
  return reply_of(submitted);
}

LabSqlAnswer LabSql::run(dom::object body, const std::string& handle) {
  const LabSqlStatement statement = parse_lab_sql(text_of(body, "statement"));
  if (!statement.fault.empty()) return refused({"001003", "42000", statement.fault}, handle);
  if (text_of(body, "database").empty() || text_of(body, "schema").empty()) {
    return refused({"090105", "22000",
                    "Cannot perform operation. This session does not have a current database."},
                   handle);
  }
  if (statement.merge) return merge(*statement.merge, body, handle);
  tables_.try_emplace(statement.create->table, statement.create->columns);
  return executed({}, handle);
}

LabSqlAnswer LabSql::merge(const LabSqlMerge& merge, dom::object body, const std::string& handle) {
  if (text_of(body, "warehouse").empty()) {
    return refused({"000606", "57P03",
                    "No active warehouse selected in the current session.  Select an active "
                    "warehouse with the 'use warehouse' command."},
                   handle);
  }
  const auto table = tables_.find(merge.table);
  if (table == tables_.end()) {
    return refused({"002003", "42S02",
                    fmt::format("SQL compilation error:\nObject '{}' does not exist or not "
                                "authorized.",
                                merge.table)},
                   handle);
  }
  std::string_view value;
  if (const auto wrong = binding(body, value)) return refused(*wrong, handle);
  LabSqlCounts counts;
  if (const auto wrong = table->second.merge(merge, value, counts)) return refused(*wrong, handle);
  return executed(counts, handle);
}

std::string LabSql::rows(std::string_view table) const {
  const std::lock_guard guard(lock_);
  const auto found = tables_.find(table);
  return found == tables_.end() ? "" : found->second.lines();
}

std::string LabSql::log() const {
  const std::lock_guard guard(lock_);
  return log_;
}

void LabSql::reset() {
  const std::lock_guard guard(lock_);
  tables_.clear();
  submitted_.clear();
  handles_.clear();
  log_.clear();
}

}  // namespace sluice::providers
