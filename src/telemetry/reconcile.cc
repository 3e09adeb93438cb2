#include "telemetry/reconcile.h"

#include <algorithm>
#include <utility>

#include "base/id.h"
#include "telemetry/name_reader.h"

namespace sluice::telemetry {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int64_t kMillion = 1'000'000;

// Requests whose tokens nobody knows never reached a model: no provider counts them. What failed
// attempts spent is no part of the row's tokens, nor of its cost here.
constexpr std::string_view kSelect =
    "SELECT model, answered_model, count(*), sum(plain_input + audio_input), sum(cache_read),"
    " sum(cache_write + cache_write_1h), sum(visible_output + reasoning + audio_output),"
    " ifnull(sum(cost - ifnull(attempts_cost, 0)), 0), ifnull(sum(upstream_cost), 0), "
    "ifnull(sum(credits), 0),"
    " sum(usage_source = 2), sum(cost IS NULL) FROM exchange WHERE key >= ?1 AND key < ?2 AND"
    " usage_source <> 0 AND (provider = ?3 OR provider = ?4) GROUP BY model, answered_model";

struct Ledger {
  std::map<DayModel, Figures> sums;
  int64_t estimated = 0;
  int64_t unpriced = 0;
};

Figures figures_of(const store::Statement& row) {
  Figures figures{};
  const auto at = [&figures](Figure figure) -> int64_t& {
    return figures[static_cast<size_t>(figure)];
  };
  at(Figure::Requests) = row.integer(2);
  at(Figure::Plain) = row.integer(3);
  at(Figure::CacheRead) = row.integer(4);
  at(Figure::CacheWrite) = row.integer(5);
  at(Figure::Prompt) = row.integer(3) + row.integer(4) + row.integer(5);
  at(Figure::Output) = row.integer(6);
  at(Figure::Tokens) = at(Figure::Prompt) + at(Figure::Output);
  at(Figure::Cost) = row.integer(7);
  at(Figure::Upstream) = row.integer(8);
  at(Figure::Credits) = row.integer(9);
  return figures;
}

Result<void> read_day(const store::Database& database, NameReader& names, int64_t day,
                      const std::string& provider, bool by_model, Ledger& ledger) {
  auto rows = database.prepare(kSelect);
  if (!rows) return std::move(rows).error();
  rows->bind(1, static_cast<int64_t>(first_key_at(day * kMicrosPerDay)));
  rows->bind(2, static_cast<int64_t>(first_key_at((day + 1) * kMicrosPerDay)));
  rows->bind(3, names.id_of(provider).value_or(0));
  rows->bind(4, std::string_view(provider));
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return {};
    std::string model = names.text_of(*rows, 1);
    if (model.empty()) model = names.text_of(*rows, 0);
    Figures& sum = ledger.sums[{day, by_model ? common_model_name(model) : ""}];
    const Figures figures = figures_of(*rows);
    for (size_t i = 0; i < kFigures; ++i) sum[i] += figures[i];
    ledger.estimated += rows->integer(10);
    ledger.unpriced += rows->integer(11);
  }
}

bool beyond(int64_t a, int64_t b, int64_t tolerance_ppm) {
  const __int128 apart = a > b ? static_cast<__int128>(a) - b : static_cast<__int128>(b) - a;
  return apart * kMillion > static_cast<__int128>(std::max(a, b)) * tolerance_ppm;
}

void compare(const DayModel& of, const Figures& ledger, const Figures& provider,
             const ExportSums& exported, int64_t tolerance_ppm, ReconcileReport& report) {
  report.compared += 1;
  for (size_t i = 0; i < kFigures; ++i) {
    if (!exported.states[i]) continue;
    report.ledger[i] += ledger[i];
    report.provider[i] += provider[i];
    if (!beyond(ledger[i], provider[i], tolerance_ppm)) continue;
    report.beyond.push_back(
        {.of = of, .figure = static_cast<Figure>(i), .ledger = ledger[i], .provider = provider[i]});
  }
}

}  // namespace

Result<ReconcileReport> reconcile(const store::Database& database, const ExportSums& exported,
                                  const ReconcileQuery& query,
                                  const std::function<void(double)>& progress) {
  auto names = NameReader::open(database);
  if (!names) return std::move(names).error();
  if (exported.sums.empty() && (!query.from_day || !query.to_day))
    return Error(Outcome::BadRequest, "the export is empty, and no days are named");
  const int64_t from =
      query.from_day.value_or(exported.sums.empty() ? 0 : exported.sums.begin()->first.first);
  const int64_t to =
      query.to_day.value_or(exported.sums.empty() ? 0 : exported.sums.rbegin()->first.first + 1);
  const bool by_model = std::any_of(exported.sums.begin(), exported.sums.end(),
                                    [](const auto& sum) { return !sum.first.second.empty(); });
  Ledger ledger;
  for (int64_t day = from; day < to; ++day) {
    if (auto read = read_day(database, *names, day, query.provider, by_model, ledger); !read)
      return std::move(read).error();
    progress(static_cast<double>(day - from + 1) / static_cast<double>(to - from));
  }
  ReconcileReport report{.estimated = ledger.estimated, .unpriced = ledger.unpriced};
  std::map<DayModel, std::pair<Figures, Figures>> both;
  for (const auto& [of, figures] : ledger.sums) both[of].first = figures;
  for (const auto& [of, figures] : exported.sums) {
    if (of.first >= from && of.first < to) both[of].second = figures;
  }
  for (const auto& [of, sides] : both)
    compare(of, sides.first, sides.second, exported, query.tolerance_ppm, report);
  return report;
}

}  // namespace sluice::telemetry
