// Where the ledger's rows are copied to.
#include <array>

#include "app/config_table_rows.h"

namespace sluice::app {
namespace {

using E = ExportSettings;
using N = NdjsonExportSettings;
using Pg = PostgresExportSettings;
using Sf = SnowflakeExportSettings;

template <auto Member>
auto& of_ndjson(Settings& settings, std::string_view) {
  return settings.export_.ndjson.*Member;
}

template <auto Member>
auto& of_postgres(Settings& settings, std::string_view) {
  return settings.export_.postgres.*Member;
}

template <auto Member>
auto& of_snowflake(Settings& settings, std::string_view) {
  return settings.export_.snowflake.*Member;
}

constexpr auto kRows = std::to_array<Property>({
    {.key = "export",
     .slot = Group{},
     .doc = "Where `sluice export` copies the ledger's rows. The gateway itself reads none of it."},
    {.key = "export.batch",
     .slot = &at<&S::export_, &E::batch>,
     .fallback = "1000",
     .doc = "Rows that go to a database in one transaction.",
     .limits = {1, 10'000}},
    {.key = "export.ndjson", .slot = Group{}, .doc = "Files, a JSON object on each line."},
    {.key = "export.ndjson.folder",
     .slot = &of_ndjson<&N::folder>,
     .derived = "`export` in `server.data_dir`",
     .doc = "The folder of the files; made when it is missing."},
    {.key = "export.ndjson.max_file",
     .slot = &of_ndjson<&N::max_file>,
     .fallback = "64MiB",
     .doc = "The most that one file holds.",
     .limits = {1 << 10, 1LL << 40}},
    {.key = "export.postgres", .slot = Group{}, .doc = "A table in PostgreSQL."},
    {.key = "export.postgres.url",
     .slot = &of_postgres<&Pg::url>,
     .doc = "A connection string, "
            "`postgresql://user:password@host:5432/database?sslmode=verify-full`. "
            "It may hold a password, so write ${NAME} or ${file:/path}.",
     .secret = true},
    {.key = "export.postgres.schema",
     .slot = &of_postgres<&Pg::schema>,
     .fallback = "public",
     .doc = "The schema of the table.",
     .word = Word::Name},
    {.key = "export.postgres.table",
     .slot = &of_postgres<&Pg::table>,
     .fallback = "sluice_exchange",
     .doc = "The table; made when it is missing.",
     .word = Word::Name},
    {.key = "export.snowflake",
     .slot = Group{},
     .doc = "A table in Snowflake, by its SQL API. Names are as Snowflake has them: upper case, "
            "unless they were made in quotes."},
    {.key = "export.snowflake.account",
     .slot = &of_snowflake<&Sf::account>,
     .doc = "Account identifier, `org-account`."},
    {.key = "export.snowflake.base_url",
     .slot = &of_snowflake<&Sf::base_url>,
     .derived = "from `account`",
     .doc = "Where the account answers, if not at its usual host."},
    {.key = "export.snowflake.user",
     .slot = &of_snowflake<&Sf::user>,
     .doc = "The user whose key it is."},
    {.key = "export.snowflake.private_key_file",
     .slot = &of_snowflake<&Sf::private_key_file>,
     .doc = "Its private key, PKCS#8 PEM. This, or `token`."},
    {.key = "export.snowflake.private_key_passphrase",
     .slot = &of_snowflake<&Sf::private_key_passphrase>,
     .doc = "Of an encrypted key.",
     .secret = true},
    {.key = "export.snowflake.token",
     .slot = &of_snowflake<&Sf::token>,
     .doc = "A programmatic access token, in place of a key.",
     .secret = true},
    {.key = "export.snowflake.database",
     .slot = &of_snowflake<&Sf::database>,
     .doc = "The database of the table."},
    {.key = "export.snowflake.schema",
     .slot = &of_snowflake<&Sf::schema>,
     .fallback = "PUBLIC",
     .doc = "Its schema."},
    {.key = "export.snowflake.warehouse",
     .slot = &of_snowflake<&Sf::warehouse>,
     .doc = "The warehouse that does the work."},
    {.key = "export.snowflake.role",
     .slot = &of_snowflake<&Sf::role>,
     .derived = "the user's default role",
     .doc = "The role to do it as."},
    {.key = "export.snowflake.table",
     .slot = &of_snowflake<&Sf::table>,
     .fallback = "SLUICE_EXCHANGE",
     .doc = "The table; made when it is missing.",
     .word = Word::Name},
});

}  // namespace

std::span<const Property> export_rows() {
  return kRows;
}

}  // namespace sluice::app
