#include "telemetry/name_reader.h"

#include <utility>

namespace sluice::telemetry {

Result<NameReader> NameReader::open(const store::Database& database) {
  auto by_id = database.prepare("SELECT text FROM name WHERE id = ?1");
  if (!by_id) return std::move(by_id).error();
  auto by_text = database.prepare("SELECT id FROM name WHERE text = ?1");
  if (!by_text) return std::move(by_text).error();
  return NameReader(*std::move(by_id), *std::move(by_text));
}

std::string NameReader::text_of(const store::Statement& row, int column) {
  if (row.is_null(column)) return "";
  if (!row.is_integer(column)) return std::string(row.text(column));
  const int64_t id = row.integer(column);
  if (const auto known = texts_.find(id); known != texts_.end()) return known->second;
  by_id_.bind(1, id);
  const Result<bool> found = by_id_.step();
  std::string text = found && *found ? std::string(by_id_.text(0)) : "";
  by_id_.reset();
  return texts_.emplace(id, std::move(text)).first->second;
}

std::optional<int64_t> NameReader::id_of(const std::string& text) {
  if (const auto known = ids_.find(text); known != ids_.end()) return known->second;
  by_text_.bind(1, std::string_view(text));
  const Result<bool> found = by_text_.step();
  std::optional<int64_t> id;
  if (found && *found) id = by_text_.integer(0);
  by_text_.reset();
  if (id) ids_.emplace(text, *id);
  return id;
}

}  // namespace sluice::telemetry
