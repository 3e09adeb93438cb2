#include "app/commands/books.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <unistd.h>
#include <utility>

#include "app/commands/ledger_file.h"
#include "base/text_out.h"
#include "governance/control_store.h"
#include "store/schema.h"
#include "telemetry/reconcile.h"
#include "telemetry/reprice.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;
constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr size_t kDateLength = 10;

std::string json_text(const std::string& text) {
  std::string out;
  append_json(out, text);
  return out;
}

Error bad_moment(std::string_view flag, const std::string& text) {
  return Error(Outcome::BadRequest,
               fmt::format("{} takes 7d, 24h, 30m or a day like 2026-11-01, not '{}'", flag, text));
}

std::string cost_text(int64_t nano, int64_t unpriced) {
  return unpriced > 0 && nano == 0 ? "unpriced" : "$" + decimal(nano);
}

std::string reprice_text(const telemetry::RepriceReport& report, bool dry_run) {
  std::vector<std::vector<std::string>> rows;
  rows.push_back(
      {"provider", "model", "rows", "changed", "kept", "cost before", "cost after", "difference"});
  const auto add = [&rows](const telemetry::RepriceLine& line, std::string provider) {
    rows.push_back({std::move(provider), line.model, std::to_string(line.rows),
                    std::to_string(line.changed), std::to_string(line.kept),
                    cost_text(line.cost_before, line.unpriced_before),
                    cost_text(line.cost_after, line.unpriced_after),
                    decimal(line.cost_after - line.cost_before)});
  };
  for (const telemetry::RepriceLine& line : report.lines) add(line, line.provider);
  add(report.total, "total");
  return aligned(rows, 2) + (dry_run ? "nothing was changed: a dry run\n" : "");
}

std::string reprice_json(const telemetry::RepriceLine& line) {
  return fmt::format(
      R"({{"provider":{},"model":{},"rows":{},"changed":{},"kept":{},"unpriced_before":{},"unpriced_after":{},"cost_before_usd":{},"cost_after_usd":{}}})",
      json_text(line.provider), json_text(line.model), line.rows, line.changed, line.kept,
      line.unpriced_before, line.unpriced_after, decimal(line.cost_before),
      decimal(line.cost_after));
}

std::string reprice_json(const telemetry::RepriceReport& report, bool dry_run) {
  std::string out = fmt::format(R"({{"dry_run":{},"lines":[)", dry_run);
  for (size_t i = 0; i < report.lines.size(); ++i) {
    out += (i > 0 ? "," : "") + reprice_json(report.lines[i]);
  }
  return out + "],\"total\":" + reprice_json(report.total) + "}\n";
}

bool is_fraction(telemetry::Figure figure) {
  return figure == telemetry::Figure::Cost || figure == telemetry::Figure::Upstream ||
         figure == telemetry::Figure::Credits;
}

std::string amount(telemetry::Figure figure, int64_t value) {
  return is_fraction(figure) ? decimal(value) : std::to_string(value);
}

std::string day_text(int64_t day) {
  char text[kTimestampBound];
  put_timestamp(text, day * kMicrosPerDay);
  return std::string(text, kDateLength);
}

std::string moment_text(int64_t micros) {
  char text[kTimestampBound];
  return {text, put_timestamp(text, micros)};
}

Result<void> note_repricing(const RepriceArguments& arguments, const telemetry::RepriceQuery& query,
                            const telemetry::PriceTable& prices, const std::string& actor,
                            int64_t now) {
  if (::access(arguments.control.c_str(), F_OK) != 0)
    return Error(Outcome::BadRequest,
                 fmt::format("{} is not there, so nobody would know of it: --control names the "
                             "gateway's control.db",
                             arguments.control));
  const auto word = [](const std::string& text) {
    return text.empty() ? std::string("null") : json_text(text);
  };
  std::string after = fmt::format(
      R"({{"from":"{}","to":"{}","provider":{},"model":{},"provider_costs":{},"prices":"catalog {}"}})",
      moment_text(query.from_micros), moment_text(query.to_micros), word(query.provider),
      word(query.model), query.provider_costs, day_text(prices.as_of_micros() / kMicrosPerDay));
  return governance::note_in_chain(arguments.control,
                                   {.actor = actor,
                                    .action = "ledger.reprice",
                                    .target = arguments.ledger,
                                    .before = "",
                                    .after = std::move(after)},
                                   now);
}

std::string share(int64_t ledger, int64_t provider) {
  if (ledger == 0) return "";
  return fmt::format("{:+.2f} %",
                     100.0 * static_cast<double>(provider - ledger) / static_cast<double>(ledger));
}

std::string reconcile_text(const telemetry::ReconcileReport& report,
                           const telemetry::ExportSums& exported) {
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"day", "model", "figure", "ledger", "provider", "difference", "share"});
  const auto add = [&rows](std::string day, const std::string& model, telemetry::Figure figure,
                           int64_t ledger, int64_t provider) {
    rows.push_back({std::move(day), model, std::string(name_of(figure)), amount(figure, ledger),
                    amount(figure, provider), amount(figure, provider - ledger),
                    share(ledger, provider)});
  };
  for (const telemetry::Difference& of : report.beyond)
    add(day_text(of.of.first), of.of.second.empty() ? "(all)" : of.of.second, of.figure, of.ledger,
        of.provider);
  for (size_t i = 0; i < telemetry::kFigures; ++i) {
    if (exported.states[i])
      add("total", "", static_cast<telemetry::Figure>(i), report.ledger[i], report.provider[i]);
  }
  std::string out = aligned(rows, 3);
  fmt::format_to(std::back_inserter(out),
                 "{} records of {}, {} days and models compared, {} figures beyond the tolerance\n",
                 exported.records, name_of(exported.format), report.compared, report.beyond.size());
  if (report.estimated > 0)
    fmt::format_to(std::back_inserter(out), "{} requests have estimated tokens\n",
                   report.estimated);
  if (report.unpriced > 0)
    fmt::format_to(std::back_inserter(out), "{} requests have no known cost\n", report.unpriced);
  return out;
}

std::string reconcile_json(const telemetry::ReconcileReport& report,
                           const telemetry::ExportSums& exported) {
  std::string out = fmt::format(
      R"({{"format":"{}","records":{},"compared":{},"estimated":{},"unpriced":{},"differences":[)",
      name_of(exported.format), exported.records, report.compared, report.estimated,
      report.unpriced);
  for (size_t i = 0; i < report.beyond.size(); ++i) {
    const telemetry::Difference& of = report.beyond[i];
    fmt::format_to(std::back_inserter(out),
                   R"({}{{"day":"{}","model":{},"figure":"{}","ledger":{},"provider":{}}})",
                   i > 0 ? "," : "", day_text(of.of.first), json_text(of.of.second),
                   name_of(of.figure), amount(of.figure, of.ledger),
                   amount(of.figure, of.provider));
  }
  out += "],\"totals\":{";
  const char* separator = "";
  for (size_t i = 0; i < telemetry::kFigures; ++i) {
    if (!exported.states[i]) continue;
    const auto figure = static_cast<telemetry::Figure>(i);
    fmt::format_to(std::back_inserter(out), R"({}"{}":{{"ledger":{},"provider":{}}})",
                   std::exchange(separator, ","), name_of(figure), amount(figure, report.ledger[i]),
                   amount(figure, report.provider[i]));
  }
  return out + "}}\n";
}

// "1%", "0.25%" in millionths.
std::optional<int64_t> tolerance_of(const std::string& text) {
  double percent = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, percent);
  const bool whole = error == std::errc() && (rest == end || (rest + 1 == end && *rest == '%'));
  if (!whole || !(percent >= 0 && percent <= 100)) return std::nullopt;
  return std::llround(percent * 1e4);
}

// From_day and to_day of the query.
Result<void> read_days(const ReconcileArguments& arguments, int64_t now,
                       telemetry::ReconcileQuery& query) {
  for (const auto& [text, flag, bound] : {std::tuple{&arguments.from, "--from", &query.from_day},
                                          std::tuple{&arguments.to, "--to", &query.to_day}}) {
    if (text->empty()) continue;
    const auto moment = parse_moment(*text, now);
    if (!moment) return bad_moment(flag, *text);
    *bound = *moment / kMicrosPerDay;
  }
  return {};
}

Result<telemetry::ExportSums> read_file(const std::string& path, telemetry::ExportFormat format,
                                        const ShowProgress& progress) {
  std::error_code unknown;
  const auto size = static_cast<double>(std::filesystem::file_size(path, unknown));
  std::ifstream in(path, std::ios::binary);
  if (!in || unknown) return Error(Outcome::BadRequest, "the file cannot be opened");
  // Reading is most of the work.
  return telemetry::read_export(in, format, [&](int64_t bytes) {
    progress(size > 0 ? 0.9 * static_cast<double>(bytes) / size : 0.9);
  });
}

}  // namespace

CommandResult reprice_ledger(const RepriceArguments& arguments, const telemetry::PriceTable& prices,
                             const std::string& actor, const Clock& clock,
                             const ShowProgress& progress) {
  const int64_t now = clock.wall_micros();
  telemetry::RepriceQuery query{.provider = arguments.provider,
                                .model = arguments.model,
                                .provider_costs = arguments.provider_costs,
                                .dry_run = arguments.dry_run};
  const auto from = parse_moment(arguments.from, now);
  const auto to = arguments.to.empty() ? std::optional(now) : parse_moment(arguments.to, now);
  if (!from) return command_failed(kExitInvalid, bad_moment("--from", arguments.from).message());
  if (!to) return command_failed(kExitInvalid, bad_moment("--to", arguments.to).message());
  if (*from >= *to) {
    return command_failed(
        kExitInvalid, fmt::format("--from {} is not before --to {}", arguments.from, arguments.to));
  }
  query.from_micros = *from;
  query.to_micros = *to;
  Result<store::Database> database = open_current_ledger(
      arguments.ledger, arguments.dry_run ? store::OpenMode::ReadOnly : store::OpenMode::Create);
  if (!database) return command_failed(kExitFailed, database.error().message());
  if (!arguments.dry_run) {
    const Result<void> noted = note_repricing(arguments, query, prices, actor, now);
    if (!noted) return command_failed(kExitFailed, noted.error().message());
  }
  const Result<telemetry::RepriceReport> report =
      telemetry::reprice(*database, prices, query, {.name = actor, .at_micros = now}, progress);
  if (!report) return command_failed(kExitFailed, report.error().message());
  return {.exit_code = kExitOk,
          .out = arguments.json ? reprice_json(*report, arguments.dry_run)
                                : reprice_text(*report, arguments.dry_run),
          .err = ""};
}

CommandResult reconcile_export(const ReconcileArguments& arguments, const Clock& clock,
                               const ShowProgress& progress) {
  const auto format = telemetry::export_format_named(arguments.format);
  if (!format) {
    return command_failed(kExitInvalid,
                          "--format takes auto, openai, anthropic, openrouter, portkey or "
                          "snowflake, not '" +
                              arguments.format + "'");
  }
  telemetry::ReconcileQuery query;
  const auto tolerance = tolerance_of(arguments.tolerance);
  if (!tolerance) {
    return command_failed(
        kExitInvalid, "--tolerance takes a share such as 1%, not '" + arguments.tolerance + "'");
  }
  query.tolerance_ppm = *tolerance;
  if (auto read = read_days(arguments, clock.wall_micros(), query); !read)
    return command_failed(kExitInvalid, read.error().message());
  const Result<telemetry::ExportSums> exported = read_file(arguments.file, *format, progress);
  if (!exported)
    return command_failed(kExitInvalid, arguments.file + ": " + exported.error().message());
  query.provider =
      arguments.provider.empty() ? std::string(name_of(exported->format)) : arguments.provider;
  Result<store::Database> database =
      open_current_ledger(arguments.ledger, store::OpenMode::ReadOnly);
  if (!database) return command_failed(kExitInvalid, database.error().message());
  const Result<telemetry::ReconcileReport> report = telemetry::reconcile(
      *database, *exported, query, [&](double done) { progress(0.9 + 0.1 * done); });
  if (!report) return command_failed(kExitInvalid, report.error().message());
  return {.exit_code = report->beyond.empty() ? kExitOk : kExitFailed,
          .out = arguments.json ? reconcile_json(*report, *exported)
                                : reconcile_text(*report, *exported),
          .err = ""};
}

}  // namespace sluice::app
