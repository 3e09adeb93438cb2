// What providers export of their own books: usage and costs by day and model.
//
//   openai      usage and costs of the organisation API (JSON pages) and the dashboard's CSV
//   anthropic   usage_report and cost_report (JSON pages) and the console's usage and cost CSV
//   openrouter  the activity CSV (a row a generation) and GET /activity (JSON)
//   portkey     log exports (one JSON object a line); their costs are in cents
//   snowflake   the account usage views of Cortex as CSV, in credits
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace sluice::telemetry {

enum class ExportFormat : uint8_t { Auto, OpenAi, Anthropic, OpenRouter, Portkey, Snowflake };

// "auto", "openai", ...; nothing for any other word.
std::optional<ExportFormat> export_format_named(std::string_view name);
std::string_view name_of(ExportFormat format);

// What both sides can count. Prompt is all input, Plain what neither came from a cache nor was
// written to one; Cost is in nano-dollars, Credits in nano-credits.
enum class Figure : uint8_t {
  Requests,
  Prompt,
  Plain,
  CacheRead,
  CacheWrite,
  Output,
  Tokens,
  Cost,
  Upstream,
  Credits,
};
inline constexpr size_t kFigures = 10;
// "requests", "prompt", ...
std::string_view name_of(Figure figure);

using Figures = std::array<int64_t, kFigures>;

// Days since 1970 UTC, and the model's name without vendor, date and variant; "" where the export
// does not tell models apart.
using DayModel = std::pair<int64_t, std::string>;

struct ExportSums {
  ExportFormat format = ExportFormat::Auto;
  std::array<bool, kFigures> states{};  // which figures the export has at all
  std::map<DayModel, Figures> sums;
  int64_t records = 0;
};

// One name for what provider and ledger call differently: "openai/GPT-5.1-2025-08-07:free" is
// "gpt-5-1", "Claude Sonnet 4.5" is "claude-sonnet-4-5".
std::string common_model_name(std::string_view model);

// The day, since 1970 UTC, of a moment: seconds since 1970, or "2026-11-23" with or without a time,
// fractions of it and an offset ("Z", "+02:00", " -0800"; none: UTC).
std::optional<int64_t> day_of(std::string_view moment);

// Reads as it streams; memory grows with days and models, not with the file. An error names the
// record that cannot be read. `read_bytes` is told how far it is.
Result<ExportSums> read_export(std::istream& in, ExportFormat format,
                               const std::function<void(int64_t)>& read_bytes);

}  // namespace sluice::telemetry
