// The table told to others: a JSON Schema for editors, a page for people. Both are committed
// (docs/schema.json, docs/configuration.md) and a test holds them to the table.
#pragma once

#include <string>

namespace sluice::app {

// JSON Schema 2020-12 of a configuration file.
std::string json_schema();

// docs/configuration.md.
std::string reference_page();

}  // namespace sluice::app
