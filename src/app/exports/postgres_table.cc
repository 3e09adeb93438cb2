#include "app/exports/postgres_table.h"

#include <fmt/format.h>
#include <map>
#include <utility>

#include "app/exports/postgres_sql.h"
#include "providers/credential.h"

namespace sluice::app {
namespace {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, ClearResult>;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;
using Words = std::map<std::string, std::string>;

// What a connection string says, or with nullptr what libpq takes where it says nothing.
Result<Words> words_of(const char* url) {
  char* fault = nullptr;
  const Options options(url == nullptr ? PQconndefaults() : PQconninfoParse(url, &fault));
  if (options == nullptr) {
    // Its message may quote the string, and with it the password.
    PQfreemem(fault);
    return Error(Outcome::BadRequest,
                 "export.postgres.url is no connection string: write "
                 "postgresql://user:password@host:5432/database");
  }
  Words words;
  for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one) {
    if (one->val != nullptr && *one->val != '\0') words.emplace(one->keyword, one->val);
  }
  return words;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

std::string PostgresTable::table_of(const PostgresExportSettings& settings) {
  return postgres_name(settings.schema) + "." + postgres_name(settings.table);
}

Result<std::unique_ptr<PostgresTable>> PostgresTable::make(const PostgresExportSettings& settings) {
  if (settings.url.empty()) {
    return Error(Outcome::BadRequest,
                 "export.postgres.url is not set: write postgresql://user@host:5432/database, or "
                 "${NAME} for it, in the configuration");
  }
  auto words = words_of(std::string(settings.url.reveal()).c_str());
  if (!words) return std::move(words).error();
  auto usual = words_of(nullptr);
  if (usual) words->insert(usual->begin(), usual->end());
  const std::string host = words->contains("host") ? (*words)["host"] : (*words)["hostaddr"];
  std::unique_ptr<PostgresTable> table(new PostgresTable(settings));
  table->name_ = fmt::format("postgres://{}:{}/{}/{}.{}", host, (*words)["port"],
                             (*words)["dbname"], settings.schema, settings.table);
  return table;
}

Error PostgresTable::failure(std::string_view what) const {
  std::string message = fmt::format("{}: {}", what, trimmed(PQerrorMessage(connection_.get())));
  providers::scrub_secret(message, settings_.url.reveal());
  if (const char* password = PQpass(connection_.get()); password != nullptr)
    providers::scrub_secret(message, password);
  return Error(Outcome::ConnectError, message);
}

Result<void> PostgresTable::connect() {
  const std::string url(settings_.url.reveal());
  // What the string says comes later and wins.
  const char* const names[] = {"connect_timeout", "application_name", "keepalives_idle",
                               "client_encoding", "dbname",           nullptr};
  const char* const values[] = {"10", "sluice export", "30", "UTF8", url.c_str(), nullptr};
  constexpr int kExpand = 1;
  connection_.reset(PQconnectdbParams(names, values, kExpand));
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    return failure("export.postgres.url: PostgreSQL cannot be reached");
  // NOTICE that a table is there already is no news.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  return {};
}

Result<void> PostgresTable::exec(const std::string& sql) {
  const Answer answer(PQexec(connection_.get(), sql.c_str()));
  if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) return {};
  return failure("PostgreSQL refused");
}

Result<bool> PostgresTable::has_table() {
  const std::string table = table_of(settings_);
  const char* const values[] = {table.c_str()};
  const Answer answer(PQexecParams(connection_.get(), "SELECT to_regclass($1) IS NOT NULL", 1,
                                   nullptr, values, nullptr, nullptr, 0));
  if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) return failure("PostgreSQL refused");
  return *PQgetvalue(answer.get(), 0, 0) == 't';
}

// Asked for before it is made: a run of every day needs no right to make one. And after it: when
// two make it at once PostgreSQL refuses one of them, IF NOT EXISTS or not.
Result<void> PostgresTable::make_table() {
  Result<bool> before = has_table();
  if (!before) return std::move(before).error();
  if (*before) return {};
  const Result<void> made = exec(postgres_ddl(table_of(settings_)));
  if (made) return {};
  if (const Result<bool> after = has_table(); after && *after) return {};
  return Error(Outcome::UpstreamBadReply,
               made.error().message() +
                   "; `sluice export postgres --ddl` prints the table for whoever may make it");
}

Result<int64_t> PostgresTable::prepare(const ExportStart& start) {
  if (auto connected = connect(); !connected) return std::move(connected).error();
  if (auto made = make_table(); !made) return std::move(made).error();
  return start.done;
}

Result<void> PostgresTable::write(const ExportBatch& batch) {
  if (auto begun = exec("BEGIN"); !begun) return begun;
  Result<void> done = transact(batch);
  if (done) return exec("COMMIT");
  // The first fault is the one to tell; a connection that is gone rolls back by itself.
  (void)exec("ROLLBACK");
  return done;
}

Result<void> PostgresTable::transact(const ExportBatch& batch) {
  const std::string table = table_of(settings_);
  if (auto made =
          exec(fmt::format("CREATE TEMPORARY TABLE sluice_batch (LIKE {}) ON COMMIT DROP", table));
      !made)
    return made;
  if (auto copied = copy(batch); !copied) return copied;
  return exec(postgres_upsert(table));
}

Result<void> PostgresTable::copy(const ExportBatch& batch) {
  {
    const Answer answer(PQexec(connection_.get(), postgres_copy().c_str()));
    if (PQresultStatus(answer.get()) != PGRES_COPY_IN) {
      return Error(Outcome::UpstreamBadReply,
                   failure("PostgreSQL refused").message() +
                       "; the table of another version of sluice lacks columns: `sluice export "
                       "postgres --ddl` prints them");
    }
  }
  std::string lines;
  for (const telemetry::ExchangeRow& row : batch.rows) append_copy_line(lines, row);
  const bool sent =
      PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size())) == 1 &&
      PQputCopyEnd(connection_.get(), nullptr) == 1;
  Result<void> copied;
  if (!sent) copied = failure("PostgreSQL took no rows");
  while (const Answer answer{PQgetResult(connection_.get())}) {
    if (copied && PQresultStatus(answer.get()) != PGRES_COMMAND_OK)
      copied = failure("PostgreSQL refused the rows");
  }
  return copied;
}

}  // namespace sluice::app
