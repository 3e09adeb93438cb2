// A copy of the ledger in a table of PostgreSQL's, through libpq: COPY into a temporary table and
// from there over what is there, in one transaction for each batch.
#pragma once

#include <libpq-fe.h>
#include <memory>
#include <string>

#include "app/exports/destination.h"
#include "app/settings_export.h"

namespace sluice::app {

class PostgresTable final : public Destination {
 public:
  // Does not connect. BadRequest: a setting is missing or wrong; the message names it.
  static Result<std::unique_ptr<PostgresTable>> make(const PostgresExportSettings& settings);

  const std::string& name() const override { return name_; }
  bool keeps_window() const override { return false; }
  Result<int64_t> prepare(const ExportStart& start) override;
  Result<void> write(const ExportBatch& batch) override;

  // "schema"."table"
  static std::string table_of(const PostgresExportSettings& settings);

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  explicit PostgresTable(const PostgresExportSettings& settings) : settings_(settings) {}
  Result<void> connect();
  Result<bool> has_table();
  Result<void> make_table();
  // Runs statements that give nothing back.
  Result<void> exec(const std::string& sql);
  Result<void> copy(const ExportBatch& batch);
  Result<void> transact(const ExportBatch& batch);
  // What went wrong, in the server's words and without the password.
  Error failure(std::string_view what) const;

  const PostgresExportSettings settings_;
  std::string name_;
  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace sluice::app
