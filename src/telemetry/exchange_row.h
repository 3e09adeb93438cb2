// A row of the ledger as other programs get it: names resolved, figures in units a person expects,
// one table of columns for every destination.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite.h"
#include "telemetry/name_reader.h"

namespace sluice::telemetry {

enum class CellType : uint8_t {
  Text,     // UTF-8 without U+0000
  Integer,  // 64 bits
  Decimal,  // nine digits behind the point at most: dollars, credits
  Boolean,  // true, false
  Moment,   // "2026-11-23T07:00:00.123456Z"
  Json,     // one value
};

struct ExchangeColumn {
  std::string_view name;
  CellType type;
  bool required;  // never null
  std::string_view doc;
};

// In the order of the cells. The first is the request id, which names a row everywhere; the second
// is its revision, which is higher when the row has changed.
std::span<const ExchangeColumn> exchange_columns();

struct ExchangeRow {
  int64_t key = 0;
  int64_t revision = 0;
  std::vector<std::optional<std::string>> cells;  // as the types say, not yet quoted
};

// {"request_id":"req_...","revision":1,...}, a null where there is no cell.
void append_json_object(std::string& out, const ExchangeRow& row);

// The SELECT list for read_exchange(), of a query that joins changed, exchange, and from the left
// caller and attribution.
std::string exchange_select_list();
// The row that stands ready.
ExchangeRow read_exchange(const store::Statement& row, NameReader& names);

}  // namespace sluice::telemetry
