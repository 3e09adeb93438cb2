// Columns for people to read.
#pragma once

#include <string>
#include <vector>

namespace sluice::app {

// Each column as wide as its widest cell, two spaces between. Requires: rows of one length.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace sluice::app
