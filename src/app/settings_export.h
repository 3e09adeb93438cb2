// Where `sluice export` copies the ledger's rows. Part of settings.h.
#pragma once

#include <cstdint>
#include <string>

#include "app/settings_types.h"
#include "base/secret.h"

namespace sluice::app {

struct NdjsonExportSettings {
  std::string folder;
  Bytes max_file;
};

struct PostgresExportSettings {
  Secret url;  // a connection string of libpq's
  std::string schema;
  std::string table;
};

struct SnowflakeExportSettings {
  BaseUrl base_url;
  Proxy proxy;
  std::string account;
  std::string user;
  std::string private_key_file;
  Secret private_key_passphrase;
  Secret token;  // a programmatic access token
  std::string database;
  std::string schema;
  std::string warehouse;
  std::string role;
  std::string table;
};

struct ExportSettings {
  int64_t batch = 0;  // rows
  NdjsonExportSettings ndjson;
  PostgresExportSettings postgres;
  SnowflakeExportSettings snowflake;
};

}  // namespace sluice::app
