// The statements of an export to PostgreSQL, and the text that COPY reads.
#pragma once

#include <string>
#include <string_view>

#include "telemetry/exchange_row.h"

namespace sluice::app {

// "\"it\"\"s\"": a name in quotes.
std::string postgres_name(std::string_view name);

// CREATE TABLE IF NOT EXISTS, without a semicolon; `table` as postgres_name() makes it, with
// its schema.
std::string postgres_ddl(const std::string& table);
// From the table `sluice_batch`, which has the columns of the export.
std::string postgres_upsert(const std::string& table);
// COPY sluice_batch (...) FROM STDIN
std::string postgres_copy();
// One line of it, in COPY's text format.
void append_copy_line(std::string& out, const telemetry::ExchangeRow& row);

}  // namespace sluice::app
