// Texts of the ledger's table `name`, by id, while a gateway may be adding to it. And the other way
// round. On one thread.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "store/sqlite.h"

namespace sluice::telemetry {

class NameReader {
 public:
  static Result<NameReader> open(const store::Database& database);

  // The text of a [name] column (store/schema.cc): of an id, or the text that stands in the row.
  std::string text_of(const store::Statement& row, int column);
  // Of a text that is in the table.
  std::optional<int64_t> id_of(const std::string& text);

 private:
  NameReader(store::Statement by_id, store::Statement by_text)
      : by_id_(std::move(by_id)), by_text_(std::move(by_text)) {}

  store::Statement by_id_;
  store::Statement by_text_;
  std::unordered_map<int64_t, std::string> texts_;
  std::unordered_map<std::string, int64_t> ids_;
};

}  // namespace sluice::telemetry
