#include "app/commands/export.h"

#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "app/commands/ledger_file.h"
#include "app/exports/ndjson_folder.h"
#include "app/exports/postgres_sql.h"
#include "app/exports/postgres_table.h"
#include "app/exports/snowflake_sql.h"
#include "app/exports/snowflake_table.h"
#include "base/text_out.h"
#include "store/file_lock.h"

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

constexpr int kExitFailed = 1;
// Of files: their size is bounded beside.
constexpr int64_t kRowsPerFile = 20'000;

std::string_view word_of(ExportTo to) {
  constexpr std::string_view kWords[] = {"ndjson", "postgres", "snowflake"};
  return kWords[static_cast<size_t>(to)];
}

Result<std::unique_ptr<Destination>> destination_of(const ExportArguments& arguments,
                                                    const Settings& settings, const Clock& clock) {
  const ExportSettings& own = settings.export_;
  switch (arguments.to) {
    case ExportTo::Ndjson: {
      const std::string& folder = arguments.folder.empty() ? own.ndjson.folder : arguments.folder;
      std::error_code failed;
      const fs::path whole = fs::absolute(folder, failed).lexically_normal();
      return std::unique_ptr<Destination>(
          std::make_unique<NdjsonFolder>(whole.string(), own.ndjson.max_file.count));
    }
    case ExportTo::Postgres: {
      auto table = PostgresTable::make(own.postgres);
      if (!table) return std::move(table).error();
      return std::unique_ptr<Destination>(*std::move(table));
    }
    case ExportTo::Snowflake: {
      auto table = SnowflakeTable::make(own.snowflake, clock);
      if (!table) return std::move(table).error();
      return std::unique_ptr<Destination>(*std::move(table));
    }
  }
  return Error(Outcome::Bug, "no destination");
}

// The table, for whoever makes it by hand.
std::string ddl_of(const ExportArguments& arguments, const Settings& settings) {
  if (arguments.to == ExportTo::Postgres)
    return postgres_ddl(PostgresTable::table_of(settings.export_.postgres)) + ";\n";
  return snowflake_ddl(settings.export_.snowflake.table) + ";\n";
}

Result<telemetry::FeedWindow> window_of(const ExportArguments& arguments, int64_t now) {
  telemetry::FeedWindow window;
  for (const auto& [text, flag, bound] : {std::tuple{&arguments.since, "--since", &window.since},
                                          std::tuple{&arguments.until, "--until", &window.until}}) {
    if (text->empty()) continue;
    *bound = parse_moment(*text, now);
    if (!*bound) {
      return Error(
          Outcome::BadRequest,
          fmt::format("{} takes 7d, 24h, 30m or a day like 2026-11-01, not '{}'", flag, *text));
    }
  }
  if (window.since && window.until && *window.since >= *window.until) {
    return Error(Outcome::BadRequest,
                 fmt::format("--since {} is not before --until {}: nothing lies between them",
                             arguments.since, arguments.until));
  }
  return window;
}

std::string quoted(const std::string& text) {
  std::string out;
  append_json(out, text);
  return out;
}

// What a run has to say for itself. One that follows says nothing of a look that found nothing.
CommandResult told(const ExportArguments& arguments, const std::string& where,
                   const ExportSummary& summary, const Result<void>& done) {
  const bool complete = done && summary.missed == 0;
  if (arguments.follow && complete && summary.rows == 0) return {};
  CommandResult result;
  result.exit_code = complete ? kExitOk : kExitFailed;
  if (arguments.json) {
    result.out = fmt::format(
        "{{\"destination\":{},\"dry_run\":false,\"rows\":{},\"missed\":{},\"missed_ever\":{},"
        "\"complete\":{}}}\n",
        quoted(where), summary.rows, summary.missed, summary.missed_ever, complete);
  } else {
    result.out = fmt::format("{} rows went to {}\n", summary.rows, where);
  }
  if (summary.missed > 0 || (summary.missed_ever > 0 && !arguments.follow)) {
    result.err = fmt::format(
        "sluice: {} changes, {} of them since the last run, are not there: ledger.retention_days "
        "removed their rows before they were exported\n",
        summary.missed_ever, summary.missed);
  }
  if (!done) {
    result.err +=
        fmt::format("sluice: {}\nsluice: the next run goes on from here\n", done.error().message());
  }
  return result;
}

CommandResult count_only(const ExportArguments& arguments, const std::string& ledger,
                         const telemetry::FeedWindow& window, const Destination& destination) {
  const Result<store::Database> database = open_current_ledger(ledger, store::OpenMode::ReadOnly);
  if (!database) return command_failed(kExitFailed, database.error().message());
  const auto done = telemetry::ExportCursor::peek(*database, destination.name());
  if (!done) return command_failed(kExitFailed, done.error().message());
  const bool remembers = window.whole() || destination.keeps_window();
  const auto count =
      telemetry::changes_waiting(*database, remembers ? done->value_or(0) : 0, window);
  if (!count) return command_failed(kExitFailed, count.error().message());
  CommandResult result;
  result.out = arguments.json ? fmt::format("{{\"destination\":{},\"dry_run\":true,\"rows\":{}}}\n",
                                            quoted(destination.name()), *count)
                              : fmt::format("{} rows would go to {}\n", *count, destination.name());
  return result;
}

}  // namespace

CommandResult export_ledger(const ExportArguments& arguments, const Settings& settings,
                            const Clock& clock, const ShowExport& show) {
  if (arguments.ddl) return {.exit_code = kExitOk, .out = ddl_of(arguments, settings), .err = ""};
  ExportPlan plan;
  auto window = window_of(arguments, clock.wall_micros());
  if (!window) return command_failed(kExitInvalid, window.error().message());
  plan.window = *window;
  plan.batch = arguments.to == ExportTo::Ndjson ? kRowsPerFile : settings.export_.batch;
  auto destination = destination_of(arguments, settings, clock);
  if (!destination) return command_failed(kExitInvalid, destination.error().message());
  const std::string& path = arguments.ledger.empty() ? settings.ledger.path : arguments.ledger;
  if (arguments.dry_run) return count_only(arguments, path, plan.window, **destination);

  Result<store::Database> ledger = open_current_ledger(path, store::OpenMode::Create);
  if (!ledger) return command_failed(kExitFailed, ledger.error().message());
  const auto lock = store::FileLock::take(fmt::format("{}.export-{}", path, word_of(arguments.to)));
  if (!lock) {
    return command_failed(kExitFailed,
                          fmt::format("another `sluice export {}` is at work on {}: {}",
                                      word_of(arguments.to), path, lock.error().message()));
  }
  ExportSummary summary;
  const Result<void> done = run_export(*ledger, **destination, plan, show, summary);
  // Of a folder or a period that does not fit: nothing went wrong on the way.
  if (!done && done.error().outcome() == Outcome::BadRequest)
    return command_failed(kExitInvalid, done.error().message());
  return told(arguments, (*destination)->name(), summary, done);
}

}  // namespace sluice::app
