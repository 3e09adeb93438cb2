// The statements of an export to Snowflake.
#pragma once

#include <string>

namespace sluice::app {

// CREATE TABLE IF NOT EXISTS, without a semicolon.
std::string snowflake_ddl(const std::string& table);

// MERGE by request id, of one bound text: a JSON array of rows. In this form, and not with bound
// columns, because Snowflake takes bound arrays in INSERT ... VALUES alone, which can neither
// replace a row nor parse JSON.
std::string snowflake_merge(const std::string& table);

}  // namespace sluice::app
