#include "telemetry/exchange_row.h"

#include <array>
#include <fmt/format.h>
#include <simdjson.h>

#include "base/id.h"
#include "base/text_out.h"
#include "telemetry/price.h"
#include "wire/json.h"

namespace sluice::telemetry {
namespace {

namespace dom = simdjson::dom;

constexpr int kNanos = 9;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr size_t kSecondsLength = 19;  // of "2026-11-23T08:51:00"
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// How a column of the ledger becomes a cell.
enum class Read : uint8_t {
  RequestId,  // of the key; the other half stands behind it
  Integer,
  Flag,
  Nano,
  Micros,
  Text,
  Name,
  Hex,
  Attempts,
  Object,
  UsageSource,
  CostSource,
  Tier,
};

struct Source {
  ExchangeColumn column;
  std::string_view sql;
  Read read;
};

using enum CellType;
constexpr bool kRequired = true;
constexpr bool kMaybe = false;

constexpr auto kSources = std::to_array<Source>({
    {{"request_id", Text, kRequired, "What the client saw as `x-request-id`: names the row."},
     "exchange.key",
     Read::RequestId},
    {{"revision", Integer, kRequired, "Rises when the row changes, by `sluice reprice`."},
     "changed.seq",
     Read::Integer},
    {{"started_at", Moment, kRequired, "When the request came, UTC."},
     "started_micros",
     Read::Micros},
    {{"trace_id", Text, kMaybe, "Of W3C Trace Context."}, "trace_id", Read::Hex},
    {{"client_request_id", Text, kMaybe, "The id that the client sent."},
     "client_request_id",
     Read::Text},
    {{"endpoint", Text, kRequired, "`chat`, `responses`, `messages`, `embeddings`, ..."},
     "endpoint",
     Read::Name},
    {{"asked_model", Text, kMaybe, "`model` as the client wrote it."}, "asked_model", Read::Text},
    {{"alias", Text, kMaybe, "The tier or alias that it named."}, "alias", Read::Name},
    {{"task", Text, kMaybe, "The task that was asked for or found."}, "task", Read::Name},
    {{"reason", Text, kMaybe, "Why these targets."}, "reason", Read::Name},
    {{"provider", Text, kMaybe, "Who answered, or was tried last."}, "provider", Read::Name},
    {{"model", Text, kMaybe, "Likewise, as configured."}, "model", Read::Name},
    {{"answered_model", Text, kMaybe, "As the reply names it, where that differs."},
     "answered_model",
     Read::Name},
    {{"organisation", Text, kMaybe, "Of the key that asked."}, "caller.organisation", Read::Text},
    {{"team", Text, kMaybe, "Likewise."}, "caller.team", Read::Text},
    {{"virtual_key", Text, kMaybe, "The key's name."}, "caller.key", Read::Text},
    {{"environment", Text, kMaybe, "Of the key."}, "caller.environment", Read::Text},
    {{"end_user", Text, kMaybe, "The end user that the caller named."}, "user", Read::Text},
    {{"conversation", Text, kMaybe, "What the caller said the request was for."},
     "conversation",
     Read::Text},
    {{"session", Text, kMaybe, "Likewise."}, "session", Read::Text},
    {{"workflow", Text, kMaybe, "Likewise."}, "workflow", Read::Text},
    {{"execution", Text, kMaybe, "Likewise."}, "execution", Read::Text},
    {{"mcp_server", Text, kMaybe, "Likewise."}, "mcp_server", Read::Text},
    {{"metadata", Json, kMaybe, "Likewise: an object of strings."}, "metadata", Read::Object},
    {{"outcome", Text, kRequired, "`ok`, or what went wrong."}, "outcome", Read::Name},
    {{"result", Text, kRequired, "`ok`, `fallback_ok`, `error`, `cancelled`, `blocked`."},
     "result",
     Read::Name},
    {{"status", Integer, kRequired, "HTTP status that the client got."}, "status", Read::Integer},
    {{"stream", Boolean, kRequired, "Whether the client asked for a stream."},
     "stream",
     Read::Flag},
    {{"plain_input", Integer, kRequired, "Tokens, neither read from nor written to a cache."},
     "plain_input",
     Read::Integer},
    {{"cache_read", Integer, kRequired, "Tokens."}, "cache_read", Read::Integer},
    {{"cache_write", Integer, kRequired, "Tokens."}, "cache_write", Read::Integer},
    {{"cache_write_1h", Integer, kRequired, "Tokens."}, "cache_write_1h", Read::Integer},
    {{"audio_input", Integer, kRequired, "Tokens."}, "audio_input", Read::Integer},
    {{"visible_output", Integer, kRequired, "Tokens."}, "visible_output", Read::Integer},
    {{"reasoning", Integer, kRequired, "Tokens of output that nobody saw."},
     "reasoning",
     Read::Integer},
    {{"audio_output", Integer, kRequired, "Tokens."}, "audio_output", Read::Integer},
    {{"usage_source", Text, kRequired, "`none`, `reported`, `estimated`."},
     "usage_source",
     Read::UsageSource},
    {{"service_tier", Text, kMaybe, "As the provider told it."}, "service_tier", Read::Tier},
    {{"cost_usd", Decimal, kMaybe, "Dollars, of all attempts; null: nobody knows."},
     "cost",
     Read::Nano},
    {{"cost_source", Text, kRequired, "`none`, `tokens`, `provider`, `unpriced`."},
     "cost_source",
     Read::CostSource},
    {{"table_cost_usd", Decimal, kMaybe, "By the price table, where the provider's figure counts."},
     "table_cost",
     Read::Nano},
    {{"attempts_cost_usd", Decimal, kMaybe, "The part of the cost that failed attempts spent."},
     "attempts_cost",
     Read::Nano},
    {{"attempts_unknown", Integer, kMaybe, "Failed attempts that may have cost more."},
     "attempts_unknown",
     Read::Integer},
    {{"charged_usd", Decimal, kMaybe, "Counted against the caller's budgets."},
     "charged",
     Read::Nano},
    {{"upstream_cost_usd", Decimal, kMaybe, "Taken from an account of one's own behind a router."},
     "upstream_cost",
     Read::Nano},
    {{"credits", Decimal, kMaybe, "Where the price is in credits."}, "credits", Read::Nano},
    {{"price_version", Text, kMaybe, "Which prices."}, "price_version", Read::Name},
    {{"duration_us", Integer, kRequired, "Microseconds."}, "duration", Read::Integer},
    {{"ttft_us", Integer, kMaybe, "Until the first content; null: none came."},
     "ttft",
     Read::Integer},
    {{"upstream_us", Integer, kRequired, "Spent waiting for providers."},
     "upstream",
     Read::Integer},
    {{"overhead_us", Integer, kRequired, "The gateway's own share."}, "overhead", Read::Integer},
    {{"bytes_in", Integer, kRequired, "From the client."}, "bytes_in", Read::Integer},
    {{"bytes_out", Integer, kRequired, "To it."}, "bytes_out", Read::Integer},
    {{"events", Integer, kRequired, "Of a stream."}, "events", Read::Integer},
    {{"attempts", Json, kMaybe,
      "`[{\"target\", \"outcome\", \"status\", \"duration_us\"}]`, of a failed one also what it "
      "spent; null: one attempt, which succeeded."},
     "attempts",
     Read::Attempts},
    {{"error", Text, kMaybe, "For a person."}, "error", Read::Text},
    {{"slim", Boolean, kRequired, "Texts were left out for want of room; figures are whole."},
     "slim",
     Read::Flag},
});

constexpr auto kColumns = [] {
  std::array<ExchangeColumn, kSources.size()> columns{};
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = kSources[i].column;
  return columns;
}();

// Behind the cells.
constexpr int kRequestTail = static_cast<int>(kSources.size());
constexpr int kRevision = 1;

constexpr auto kUsageSources = std::to_array<std::string_view>({"none", "reported", "estimated"});
std::string usage_source(int64_t number) {
  return number >= 0 && static_cast<size_t>(number) < kUsageSources.size()
             ? std::string(kUsageSources[static_cast<size_t>(number)])
             : std::to_string(number);
}

// Texts were cut at a number of bytes, and headers hold any: databases refuse what is no UTF-8, and
// PostgreSQL a U+0000.
std::string clean(std::string_view text) {
  if (json::is_utf8(text) && text.find('\0') == std::string_view::npos) return std::string(text);
  std::string out;
  while (!text.empty()) {
    size_t size = 1;
    while (size <= 4 && size <= text.size() && !json::is_utf8(text.substr(0, size))) ++size;
    const bool good = size <= 4 && size <= text.size() && text.front() != '\0';
    out += good ? text.substr(0, size) : kReplacement;
    text.remove_prefix(good ? size : 1);
  }
  return out;
}

// An escaped U+0000, which PostgreSQL refuses in JSON, becomes U+FFFD.
std::string clean_escapes(std::string text) {
  constexpr std::string_view kNull = "\\u0000";
  for (size_t i = 0; (i = text.find('\\', i)) != std::string::npos; i += 2) {
    if (text.compare(i, kNull.size(), kNull) == 0) text.replace(i, kNull.size(), "\\ufffd");
  }
  return text;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

// A text that is no JSON, because it was cut, is told as a string.
std::string json_cell(std::string_view text) {
  dom::parser parser;
  const simdjson::padded_string padded(text);
  const bool good = json::is_utf8(text) && parser.parse(padded).error() == simdjson::SUCCESS;
  return clean_escapes(good ? std::string(text) : json_string(text));
}

void append_attempt(std::string& out, dom::array attempt) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"target", "outcome", "status", "duration_us", "usage_source",
                                       "input", "output", "cost_usd"});
  constexpr size_t kUsage = 4;
  constexpr size_t kCost = 7;
  out += '{';
  size_t i = 0;
  for (const dom::element part : attempt) {
    if (i >= kNames.size()) break;
    fmt::format_to(std::back_inserter(out), "{}\"{}\":", i > 0 ? "," : "", kNames[i]);
    int64_t number = 0;
    const bool is_number = part.get(number) == simdjson::SUCCESS;
    if (is_number && i == kUsage) {
      out += json_string(usage_source(number));
    } else if (is_number && i == kCost) {
      append_decimal(out, number, kNanos);
    } else {
      out += std::string(simdjson::minify(part));
    }
    ++i;
  }
  out += '}';
}

// As telemetry/row.cc writes them.
std::string attempts_cell(std::string_view text) {
  dom::parser parser;
  dom::array attempts;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(attempts) != simdjson::SUCCESS) return json_cell(text);
  std::string out = "[";
  for (const dom::element attempt : attempts) {
    dom::array parts;
    if (attempt.get(parts) != simdjson::SUCCESS) return json_cell(text);
    if (out.size() > 1) out += ',';
    append_attempt(out, parts);
  }
  return clean_escapes(out + "]");
}

std::string moment(int64_t micros) {
  char text[kTimestampBound];
  put_timestamp(text, micros);
  return fmt::format("{}.{:06}Z", std::string_view(text, kSecondsLength),
                     micros % kMicrosPerSecond);
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes)
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string decimal_cell(int64_t nanos) {
  std::string out;
  append_decimal(out, nanos, kNanos);
  return out;
}

std::optional<std::string> cell(const store::Statement& row, int at, Read read, NameReader& names) {
  if (row.is_null(at)) return std::nullopt;
  switch (read) {
    case Read::RequestId:
      return format_request_id({.key = static_cast<uint64_t>(row.integer(at)),
                                .tail = static_cast<uint64_t>(row.integer(kRequestTail))});
    case Read::Integer:
      return std::to_string(row.integer(at));
    case Read::Flag:
      return row.integer(at) != 0 ? "true" : "false";
    case Read::Nano:
      return decimal_cell(row.integer(at));
    case Read::Micros:
      return moment(row.integer(at));
    case Read::Name:
    case Read::Text: {
      // Nobody is '' in the table of callers.
      std::string text =
          clean(read == Read::Name ? names.text_of(row, at) : std::string(row.text(at)));
      return text.empty() ? std::nullopt : std::optional(std::move(text));
    }
    case Read::Hex:
      return hex(row.text(at));
    case Read::Attempts:
      return attempts_cell(row.text(at));
    case Read::Object:
      return json_cell(row.text(at));
    case Read::UsageSource:
      return usage_source(row.integer(at));
    case Read::CostSource:
      return std::string(name_of(static_cast<CostSource>(row.integer(at))));
    case Read::Tier:
      return std::string(chat::name_of(static_cast<chat::ServiceTier>(row.integer(at))));
  }
  return std::nullopt;
}

}  // namespace

std::span<const ExchangeColumn> exchange_columns() {
  return kColumns;
}

void append_json_object(std::string& out, const ExchangeRow& row) {
  char separator = '{';
  for (size_t i = 0; i < kColumns.size(); ++i) {
    out += separator;
    separator = ',';
    append_json(out, kColumns[i].name);
    out += ':';
    const std::optional<std::string>& text = row.cells[i];
    const bool is_text = kColumns[i].type == Text || kColumns[i].type == Moment;
    if (!text) {
      out += "null";
    } else if (is_text) {
      append_json(out, *text);
    } else {
      out += *text;
    }
  }
  out += '}';
}

std::string exchange_select_list() {
  std::string list;
  for (const Source& source : kSources) list += std::string(source.sql) + ", ";
  return list + "exchange.request_tail";
}

ExchangeRow read_exchange(const store::Statement& row, NameReader& names) {
  ExchangeRow out;
  out.key = row.integer(0);
  out.revision = row.integer(kRevision);
  out.cells.reserve(kSources.size());
  for (size_t i = 0; i < kSources.size(); ++i)
    out.cells.push_back(cell(row, static_cast<int>(i), kSources[i].read, names));
  return out;
}

}  // namespace sluice::telemetry
