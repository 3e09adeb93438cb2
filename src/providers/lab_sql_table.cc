#include "providers/lab_sql_table.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

namespace dom = simdjson::dom;

LabSqlFault invalid_identifier(std::string_view name) {
  return {"000904", "42000",
          fmt::format("SQL compilation error: error line 1 at position 0\ninvalid identifier '{}'",
                      name)};
}

// A scalar without quotes.
std::string plain(dom::element value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? std::string(text)
                                              : std::string(simdjson::minify(value));
}

bool is_number(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// 2026-11-23T07:00:00 with or without a fraction and a Z
bool is_moment(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() < kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return false;
  }
  return text.find_first_not_of(".0123456789Z", kShape.size()) == std::string_view::npos;
}

// The value as JSON, or why it does not become one of that type.
std::optional<LabSqlFault> cast(dom::element value, LabSqlType type, std::string& out) {
  const std::string text = plain(value);
  switch (type) {
    case LabSqlType::Variant:
      out = std::string(simdjson::minify(value));
      return std::nullopt;
    case LabSqlType::Varchar:
      append_json(out, text);
      return std::nullopt;
    case LabSqlType::Number:
      out = text;
      if (is_number(text)) return std::nullopt;
      return LabSqlFault{"100038", "22018",
                         fmt::format("Numeric value '{}' is not recognized", text)};
    case LabSqlType::Boolean:
      out = text;
      if (text == "true" || text == "false") return std::nullopt;
      return LabSqlFault{"100037", "22018",
                         fmt::format("Boolean value '{}' is not recognized", text)};
    case LabSqlType::Timestamp:
      append_json(out, text);
      if (is_moment(text)) return std::nullopt;
      return LabSqlFault{"100035", "22007", fmt::format("Timestamp '{}' is not recognized", text)};
  }
  return std::nullopt;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

int64_t number(const std::map<std::string, std::string, std::less<>>& row,
               const std::string& name) {
  const auto found = row.find(name);
  int64_t value = 0;
  if (found != row.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

}  // namespace

const LabSqlColumn* LabSqlTable::column(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name, &LabSqlColumn::name);
  return found == columns_.end() ? nullptr : &*found;
}

// Every name has to be known where it is used.
std::optional<LabSqlFault> LabSqlTable::check(const LabSqlMerge& merge) const {
  const auto given = [&merge](std::string_view name) {
    return std::ranges::find(merge.items, name, &LabSqlMerge::Item::name) != merge.items.end();
  };
  if (column(merge.key) == nullptr) return invalid_identifier("T." + merge.key);
  if (!given(merge.key)) return invalid_identifier("S." + merge.key);
  if (!merge.guard.empty() && !given(merge.guard)) return invalid_identifier("S." + merge.guard);
  for (const auto& [to, from] : merge.update) {
    if (column(to) == nullptr) return invalid_identifier("T." + to);
    if (!given(from)) return invalid_identifier("S." + from);
  }
  if (merge.insert.size() != merge.values.size()) {
    return LabSqlFault{"002020", "21S01",
                       "SQL compilation error:\nInsert value list does not match column list"};
  }
  for (size_t i = 0; i < merge.insert.size(); ++i) {
    const LabSqlColumn* const to = column(merge.insert[i]);
    const auto from = std::ranges::find(merge.items, merge.values[i], &LabSqlMerge::Item::name);
    if (to == nullptr) return invalid_identifier(merge.insert[i]);
    if (from == merge.items.end()) return invalid_identifier("S." + merge.values[i]);
    if (to->type != from->type) {
      return LabSqlFault{
          "002023", "22000",
          fmt::format("SQL compilation error:\nExpression type does not match column "
                      "data type for {}",
                      to->name)};
    }
  }
  return std::nullopt;
}

std::optional<LabSqlFault> LabSqlTable::read(const LabSqlMerge& merge, dom::element from,
                                             Row& to) const {
  for (const LabSqlMerge::Item& item : merge.items) {
    dom::element value;
    if (from[item.path].get(value) != simdjson::SUCCESS || value.is_null()) {
      const LabSqlColumn* const target = column(item.name);
      if (target == nullptr || !target->not_null) continue;
      return LabSqlFault{"100072", "22000", "NULL result in a non-nullable column"};
    }
    std::string json;
    if (auto fault = cast(value, item.type, json)) return fault;
    to.emplace(item.name, std::move(json));
  }
  return std::nullopt;
}

std::optional<LabSqlFault> LabSqlTable::keep(const LabSqlMerge& merge, const Row& source,
                                             std::map<std::string, Row>& rows,
                                             LabSqlCounts& counts) const {
  const auto copy = [&source](Row& to, const std::string& name, const std::string& from) {
    const auto value = source.find(from);
    if (value == source.end()) {
      to.erase(name);
    } else {
      to[name] = value->second;
    }
  };
  const std::string& key = source.find(merge.key)->second;
  const auto known = rows.find(key);
  if (known == rows.end()) {
    Row& fresh = rows[key];
    for (size_t i = 0; i < merge.insert.size(); ++i) copy(fresh, merge.insert[i], merge.values[i]);
    ++counts.inserted;
    return std::nullopt;
  }
  const bool older =
      !merge.guard.empty() && number(source, merge.guard) < number(known->second, merge.guard);
  if (older) return std::nullopt;
  for (const auto& [to, from] : merge.update) copy(known->second, to, from);
  ++counts.updated;
  return std::nullopt;
}

std::optional<LabSqlFault> LabSqlTable::merge(const LabSqlMerge& merge, std::string_view json,
                                              LabSqlCounts& counts) {
  if (auto fault = check(merge)) return fault;
  dom::parser parser;
  dom::array array;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(array) != simdjson::SUCCESS)
    return LabSqlFault{"100069", "22P02", "Error parsing JSON: unknown keyword, pos 1"};
  std::map<std::string, Row> rows = rows_;
  std::set<std::string> seen;
  for (const dom::element from : array) {
    Row source;
    if (auto fault = read(merge, from, source)) return fault;
    const auto key = source.find(merge.key);
    if (key == source.end() || !seen.insert(key->second).second)
      return LabSqlFault{"100090", "42P18", "Duplicate row detected during DML action"};
    if (auto fault = keep(merge, source, rows, counts)) return fault;
  }
  rows_ = std::move(rows);
  return std::nullopt;
}

std::string LabSqlTable::lines() const {
  std::string out;
  for (const auto& [key, row] : rows_) {
    char separator = '{';
    for (const LabSqlColumn& one : columns_) {
      const auto value = row.find(one.name);
      fmt::format_to(std::back_inserter(out), "{}\"{}\":{}", separator, lower(one.name),
                     value == row.end() ? "null" : value->second);
      separator = ',';
    }
    out += "}\n";
  }
  return out;
}

}  // namespace sluice::providers
