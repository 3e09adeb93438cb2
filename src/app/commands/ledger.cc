#include "app/commands/ledger.h"

#include <fmt/format.h>
#include <iterator>
#include <vector>

#include "app/commands/ledger_file.h"
#include "app/progress_bar.h"
#include "base/text_out.h"
#include "store/file_lock.h"
#include "store/schema.h"
#include "telemetry/ledger_verify.h"
#include "telemetry/usage_report.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;
constexpr int64_t kRowsPerPiece = 20'000;
constexpr int kCheckpointPages = 2048;

// Nothing of it is known: unknown is never shown as zero.
bool unknown_cost(const telemetry::UsageLine& line) {
  return line.unpriced > 0 && line.cost == 0;
}

// What a line cost, for a person.
std::string cost_cell(const telemetry::UsageLine& line) {
  if (unknown_cost(line)) return "unpriced";
  const char* at_least = line.unpriced > 0 ? "over " : "";
  return fmt::format("{}${:.6f}", at_least, static_cast<double>(line.cost) / 1e9);
}

std::string text_table(const telemetry::UsageReport& report, std::string_view by) {
  std::vector<std::vector<std::string>> rows;
  rows.push_back({std::string(by), "requests", "failed", "input", "cached", "output", "reasoning",
                  "estimated", "unpriced", "cost"});
  // A column for those who buy credits.
  const bool credits = report.total.credits > 0;
  if (credits) rows.front().emplace_back("credits");
  const auto add = [&rows, credits](const telemetry::UsageLine& line, const std::string& name) {
    rows.push_back({name, std::to_string(line.requests), std::to_string(line.failed),
                    std::to_string(line.tokens.input), std::to_string(line.tokens.cached),
                    std::to_string(line.tokens.output), std::to_string(line.tokens.reasoning),
                    std::to_string(line.estimated), std::to_string(line.unpriced),
                    cost_cell(line)});
    if (credits) rows.back().push_back(decimal(line.credits));
  };
  for (const telemetry::UsageLine& line : report.lines)
    add(line, line.name.empty() ? "(none)" : line.name);
  add(report.total, "total");

  return aligned(rows, 1);
}

std::string json_line(const telemetry::UsageLine& line) {
  const bool unknown = unknown_cost(line);
  return fmt::format(
      R"({{"name":{},"requests":{},"failed":{},"unpriced":{},"estimated":{},"tokens":{{"input":{},"cached":{},"output":{},"reasoning":{}}},"cost_usd":{},"credits":{}}})",
      json_quoted(line.name), line.requests, line.failed, line.unpriced, line.estimated,
      line.tokens.input, line.tokens.cached, line.tokens.output, line.tokens.reasoning,
      unknown ? "null" : decimal(line.cost), decimal(line.credits));
}

std::string json_report(const telemetry::UsageReport& report, std::string_view by) {
  std::string out = fmt::format(R"({{"by":{},"lines":[)", json_quoted(by));
  for (size_t i = 0; i < report.lines.size(); ++i) {
    if (i > 0) out += ',';
    out += json_line(report.lines[i]);
  }
  return out + "],\"total\":" + json_line(report.total) + "}\n";
}

std::string csv_report(const telemetry::UsageReport& report, std::string_view by) {
  std::string out = fmt::format(
      "{},requests,failed,unpriced,estimated,input,cached,output,reasoning,cost_usd,credits\n", by);
  for (const telemetry::UsageLine& line : report.lines) {
    std::string name;
    for (const char c : line.name) name.append(c == '"' ? 2 : 1, c);
    const bool unknown = unknown_cost(line);
    fmt::format_to(std::back_inserter(out), "\"{}\",{},{},{},{},{},{},{},{},{},{}\n", name,
                   line.requests, line.failed, line.unpriced, line.estimated, line.tokens.input,
                   line.tokens.cached, line.tokens.output, line.tokens.reasoning,
                   unknown ? "" : decimal(line.cost), decimal(line.credits));
  }
  return out;
}

}  // namespace

CommandResult usage(const UsageArguments& arguments, const Clock& clock) {
  telemetry::UsageQuery query;
  const auto group = telemetry::usage_group_named(arguments.by);
  if (!group) {
    return command_failed(
        kExitInvalid,
        "--by takes model, provider, alias, user, day, outcome, key, team, organisation or "
        "environment, not '" +
            arguments.by + "'");
  }
  query.by = *group;
  for (const auto& [text, flag, bound] :
       {std::tuple{&arguments.since, "--since", &query.since_micros},
        std::tuple{&arguments.until, "--until", &query.until_micros}}) {
    if (text->empty()) continue;
    *bound = parse_moment(*text, clock.wall_micros());
    if (!*bound) {
      return command_failed(
          kExitInvalid,
          fmt::format("{} takes 7d, 24h, 30m or a day like 2026-11-01, not '{}'", flag, *text));
    }
  }
  if (query.since_micros && query.until_micros && *query.since_micros >= *query.until_micros) {
    return command_failed(kExitInvalid,
                          fmt::format("--since {} is not before --until {}: nothing lies "
                                      "between them",
                                      arguments.since, arguments.until));
  }
  Result<store::Database> database =
      open_current_ledger(arguments.ledger, store::OpenMode::ReadOnly);
  if (!database) return command_failed(kExitFailed, database.error().message());
  Result<telemetry::UsageReport> report = telemetry::usage_report(*database, query);
  if (!report) return command_failed(kExitFailed, report.error().message());
  switch (arguments.format) {
    case TableFormat::Json:
      return {.exit_code = kExitOk, .out = json_report(*report, arguments.by), .err = ""};
    case TableFormat::Csv:
      return {.exit_code = kExitOk, .out = csv_report(*report, arguments.by), .err = ""};
    case TableFormat::Text:
      break;
  }
  return {.exit_code = kExitOk, .out = text_table(*report, arguments.by), .err = ""};
}

CommandResult verify_ledger(const std::string& path, TableFormat format) {
  Result<store::Database> database = open_current_ledger(path, store::OpenMode::ReadOnly);
  if (!database) return command_failed(kExitFailed, database.error().message());
  Result<telemetry::VerifyReport> report = telemetry::verify_ledger(*database);
  if (!report) return command_failed(kExitFailed, report.error().message());
  CommandResult result;
  result.exit_code = report->problems.empty() ? kExitOk : kExitFailed;
  if (format == TableFormat::Json) {
    result.out = fmt::format(R"({{"rows":{},"problems":[)", report->rows);
    for (size_t i = 0; i < report->problems.size(); ++i) {
      result.out += (i > 0 ? "," : "") + json_quoted(report->problems[i]);
    }
    result.out += "]}\n";
    return result;
  }
  for (const std::string& problem : report->problems) result.out += problem + "\n";
  result.out += report->problems.empty()
                    ? fmt::format("{} rows, sound\n", report->rows)
                    : fmt::format("{} rows, {} problems\n", report->rows, report->problems.size());
  return result;
}

CommandResult upgrade_ledger(const std::string& path, TableFormat format) {
  Result<store::Database> found = open_ledger_file(path, store::OpenMode::ReadOnly);
  if (!found) return command_failed(kExitFailed, found.error().message());
  Result<store::FileLock> lock = store::FileLock::take(path + ".lock");
  if (!lock) {
    return command_failed(kExitFailed,
                          "a gateway uses the ledger, and brings it up to date by itself");
  }
  Result<store::Database> database = store::open_store(path);
  if (!database) return command_failed(kExitFailed, database.error().message());
  Result<int64_t> first = telemetry::read_mark(*database, telemetry::kSummedFrom);
  if (!first) return command_failed(kExitFailed, first.error().message());
  Result<int64_t> oldest = database->integer("SELECT ifnull(min(key), 0) FROM exchange");
  if (!oldest) return command_failed(kExitFailed, oldest.error().message());
  ProgressBar bar("upgrade");
  for (bool more = *first > 0; more;) {
    Result<bool> summed = telemetry::sum_older_rows(*database, kRowsPerPiece);
    if (!summed) return command_failed(kExitFailed, summed.error().message());
    more = *summed;
    Result<int64_t> now = telemetry::read_mark(*database, telemetry::kSummedFrom);
    if (!now) return command_failed(kExitFailed, now.error().message());
    bar.show(static_cast<double>(*first - *now) / static_cast<double>(*first - *oldest + 1));
    if (database->wal_pages() < kCheckpointPages) continue;
    if (Result<void> moved = database->checkpoint(); !moved)
      return command_failed(kExitFailed, moved.error().message());
  }
  const int version = store::migrations().back().version;
  CommandResult result;
  result.out = format == TableFormat::Json
                   ? fmt::format("{{\"schema_version\":{},\"summed\":true}}\n", version)
                   : fmt::format("up to date: schema version {}, all rows summed\n", version);
  return result;
}

}  // namespace sluice::app
