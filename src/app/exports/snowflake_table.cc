#include "app/exports/snowflake_table.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <random>
#include <simdjson.h>
#include <thread>
#include <utility>

#include "app/exports/snowflake_sql.h"
#include "app/file_content.h"
#include "app/version.h"
#include "base/text_out.h"
#include "providers/snowflake_jwt.h"

namespace sluice::app {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kStatements = "/api/v2/statements";
constexpr std::string_view kNoSuchObject = "002003";
constexpr int kOk = 200;
constexpr int kRunning = 202;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kTimedOut = 408;
constexpr int kTooMany = 429;
constexpr int kServerFault = 500;

Error missing(std::string_view key, std::string_view what) {
  return Error(Outcome::BadRequest, fmt::format("export.snowflake.{} is not set: {}", key, what));
}

Result<void> check(const SnowflakeExportSettings& settings) {
  if (settings.base_url.empty())
    return missing("account", "write the account's identifier, org-account, in the configuration");
  if (settings.private_key_file.empty() && settings.token.empty()) {
    return missing("private_key_file",
                   "write the file of the user's private key, or a programmatic access token as "
                   "export.snowflake.token");
  }
  if (settings.database.empty()) return missing("database", "write the database of the table");
  if (settings.warehouse.empty())
    return missing("warehouse", "MERGE needs one: write its name in the configuration");
  return {};
}

Result<std::shared_ptr<const providers::Credential>> credential_of(
    const SnowflakeExportSettings& settings) {
  if (settings.private_key_file.empty())
    return providers::make_static_credential(providers::AuthStyle::SnowflakePat, settings.token);
  Result<std::string> pem = file_content(settings.private_key_file);
  if (!pem) {
    return Error(Outcome::BadRequest,
                 fmt::format("export.snowflake.private_key_file: cannot read {}: {}",
                             settings.private_key_file, pem.error().message()));
  }
  auto jwt = providers::SnowflakeJwt::make({.account = settings.account,
                                            .user = settings.user,
                                            .private_key = Secret(*std::move(pem)),
                                            .passphrase = settings.private_key_passphrase});
  if (!jwt) {
    return Error(Outcome::BadRequest,
                 "export.snowflake.private_key_file: " + jwt.error().message());
  }
  return std::shared_ptr<const providers::Credential>(*std::move(jwt));
}

void add_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out += fmt::format(",\"{}\":", name);
  append_json(out, text);
}

bool worth_repeating(int status) {
  return status == kTooMany || status >= kServerFault;
}

// After a network failure nobody knows whether the statement came.
bool worth_repeating(Outcome outcome) {
  return outcome != Outcome::BadRequest && outcome != Outcome::ClientClosed;
}

}  // namespace

SnowflakeTable::SnowflakeTable(const SnowflakeExportSettings& settings, const Clock& clock,
                               SnowflakePatience patience)
    : settings_(settings), clock_(clock), patience_(patience) {
  name_ =
      fmt::format("snowflake://{}:{}{}/{}/{}/{}", settings_.base_url.host, settings_.base_url.port,
                  settings_.base_url.path, settings_.database, settings_.schema, settings_.table);
}

Result<std::unique_ptr<SnowflakeTable>> SnowflakeTable::make(
    const SnowflakeExportSettings& settings, const Clock& clock, SnowflakePatience patience) {
  if (auto good = check(settings); !good) return std::move(good).error();
  std::unique_ptr<SnowflakeTable> table(new SnowflakeTable(settings, clock, patience));
  auto credential = credential_of(settings);
  if (!credential) return std::move(credential).error();
  table->credential_ = *std::move(credential);
  auto origin = origin_of(settings.base_url, settings.proxy);
  if (!origin) return std::move(origin).error();
  table->origin_ = *std::move(origin);
  return table;
}

// The table is made when the first statement misses it: a run of every day asks for no right to
// make one.
Result<int64_t> SnowflakeTable::prepare(const ExportStart& start) {
  return start.done;
}

Result<void> SnowflakeTable::write(const ExportBatch& batch) {
  std::string rows = "[";
  for (const telemetry::ExchangeRow& row : batch.rows) {
    if (rows.size() > 1) rows += ',';
    append_json_object(rows, row);
  }
  rows += ']';
  Submission submission;
  submission.body = body_of(snowflake_merge(settings_.table), rows);
  submission.request_id = batch.request_id;
  submission.again = batch.again;
  return run(submission);
}

std::string SnowflakeTable::body_of(std::string_view statement, const std::string& bound) const {
  std::string body = "{\"statement\":";
  append_json(body, statement);
  body += fmt::format(",\"timeout\":{}", patience_.statement / kSecond);
  add_member(body, "database", settings_.database);
  add_member(body, "schema", settings_.schema);
  add_member(body, "warehouse", settings_.warehouse);
  add_member(body, "role", settings_.role);
  if (!bound.empty()) {
    body += R"(,"bindings":{"1":{"type":"TEXT","value":)";
    append_json(body, bound);
    body += "}}";
  }
  return body + R"(,"parameters":{"query_tag":"sluice export","timezone":"UTC"}})";
}

Result<void> SnowflakeTable::run(const Submission& submission) {
  Result<Reply> reply = submit(submission);
  if (!reply) return std::move(reply).error();
  if (reply->code == kNoSuchObject) {
    Submission ddl;
    ddl.body = body_of(snowflake_ddl(settings_.table), "");
    // Made twice is made once, so any id does: the batch's, turned around.
    ddl.request_id = submission.request_id;
    std::reverse(ddl.request_id.begin(), ddl.request_id.begin() + 8);
    Result<Reply> made = submit(ddl);
    if (!made) return std::move(made).error();
    if (made->status != kOk) return refusal(*made);
    reply = submit(submission);
    if (!reply) return std::move(reply).error();
  }
  if (reply->status != kOk) return refusal(*reply);
  return {};
}

Result<SnowflakeTable::Reply> SnowflakeTable::submit(Submission submission) {
  for (int failures = 0;; ++failures) {
    const std::string path =
        fmt::format("{}?requestId={}&async=false&nullable=true{}", kStatements,
                    submission.request_id, submission.again ? "&retry=true" : "");
    Result<Reply> reply = call("POST", path, submission.body);
    if (reply && reply->status == kRunning) return await(reply->handle);
    const bool hopeful =
        reply ? worth_repeating(reply->status) : worth_repeating(reply.error().outcome());
    if (!hopeful) return reply;
    if (failures + 1 >= patience_.attempts) {
      if (reply) return refusal(*reply);
      return reply;
    }
    submission.again = true;
    pause(failures);
  }
}

Result<SnowflakeTable::Reply> SnowflakeTable::await(const std::string& handle) {
  const Nanos end = clock_.monotonic() + patience_.statement;
  const std::string path = fmt::format("{}/{}", kStatements, handle);
  int failures = 0;
  for (int polls = 0; clock_.monotonic() < end; ++polls) {
    pause(std::min(polls, 4));
    Result<Reply> reply = call("GET", path, "");
    const bool good = reply && !worth_repeating(reply->status);
    if (good && reply->status != kRunning) return reply;
    failures = good ? 0 : failures + 1;
    if (failures < patience_.attempts) continue;
    if (reply) return refusal(*reply);
    return reply;
  }
  return Error(Outcome::TotalTimeout,
               fmt::format("Snowflake has not ended statement {} in {} s: a larger warehouse, or a "
                           "smaller export.batch, is faster",
                           handle, patience_.statement / kSecond));
}

Result<SnowflakeTable::Reply> SnowflakeTable::call(std::string_view method, const std::string& path,
                                                   const std::string& body) {
  BlockingCall out;
  out.origin = origin_;
  out.patience = patience_.call;
  out.head =
      fmt::format("{} {}{} HTTP/1.1\r\naccept: application/json\r\nuser-agent: sluice/{}\r\n",
                  method, settings_.base_url.path, path, kVersion);
  if (!body.empty()) out.head += "content-type: application/json\r\n";
  if (auto signed_in = credential_->append(out.head, clock_.wall_micros()); !signed_in)
    return std::move(signed_in).error();
  out.body = body;
  const Result<CallAnswer> answer = blocking_call(out);
  if (!answer) {
    return Error(answer.error().outcome(),
                 fmt::format("Snowflake at {} does not answer: {}", settings_.base_url.host,
                             answer.error().message()));
  }
  Reply reply;
  reply.status = answer->status;
  dom::parser parser;
  dom::object root;
  const simdjson::padded_string padded(answer->body);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) {
    reply.message = answer->body.substr(0, 200);
    return reply;
  }
  const auto text = [&root](std::string_view member, std::string& to) {
    std::string_view value;
    if (root[member].get(value) == simdjson::SUCCESS) to = value;
  };
  text("code", reply.code);
  text("sqlState", reply.state);
  text("message", reply.message);
  text("statementHandle", reply.handle);
  return reply;
}

Error SnowflakeTable::refusal(const Reply& reply) const {
  std::string advice;
  if (reply.status == kUnauthorized) {
    advice =
        settings_.private_key_file.empty()
            ? "; export.snowflake.token is not good, or has expired"
            : "; is this key registered for export.snowflake.user, and export.snowflake.account "
              "the right one?";
  } else if (reply.status == kForbidden) {
    advice = "; export.snowflake.role may not do this";
  } else if (reply.status == kTimedOut) {
    advice = "; a smaller export.batch takes less time";
  } else if (reply.code == kNoSuchObject) {
    advice =
        "; look at export.snowflake.database, schema and role: `sluice export snowflake --ddl` "
        "prints the table";
  }
  std::string message = fmt::format("Snowflake says {}", reply.status);
  if (!reply.code.empty()) message += fmt::format(" (code {}", reply.code);
  if (!reply.state.empty()) message += fmt::format(", SQL state {}", reply.state);
  if (!reply.code.empty()) message += ")";
  message += ": " + reply.message;
  credential_->scrub(message);
  return Error(Outcome::UpstreamBadReply, message + advice);
}

// Between half of the pause and all of it, so that several exporters do not come together.
void SnowflakeTable::pause(int failures) const {
  const Nanos whole =
      std::min(patience_.longest_pause, patience_.first_pause << std::min(failures, 20));
  std::random_device random;
  const Nanos part = whole / 2 + static_cast<Nanos>(random()) % (whole / 2 + 1);
  std::this_thread::sleep_for(std::chrono::nanoseconds(part));
}

}  // namespace sluice::app
