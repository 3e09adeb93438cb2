#include "telemetry/reprice.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/id.h"
#include "base/text_out.h"
#include "telemetry/meters.h"
#include "telemetry/name_reader.h"
#include "telemetry/usage_sums.h"

namespace sluice::telemetry {
namespace {

constexpr int64_t kRowsPerTransaction = 1000;
constexpr size_t kDateLength = 10;

// In the order of the SELECT, and bound by number in the UPDATE: keep them in step.
constexpr std::string_view kSelect =
    "SELECT key, started_micros, provider, model, alias, answered_model, result, stream,"
    " plain_input, cache_read, cache_write, cache_write_1h, audio_input, visible_output, reasoning,"
    " audio_output, usage_source, cost, cost_source, price_version, service_tier, upstream_cost,"
    " credits, attempts_cost, outcome, caller, user FROM exchange WHERE key > ?1 AND key < ?2 "
    "ORDER BY key LIMIT ?3";
enum Selected : int {
  kKey,
  kStarted,
  kProvider,
  kModel,
  kAlias,
  kAnsweredModel,
  kResult,
  kStream,
  kTokens,  // and the seven after it
  kUsageSource = kTokens + 8,
  kCost,
  kCostSource,
  kPriceVersion,
  kServiceTier,
  kUpstreamCost,
  kCredits,
  kAttemptsCost,
  kOutcome,
  kCaller,
  kUser,
};
constexpr std::string_view kUpdate =
    "UPDATE exchange SET cost = ?2, cost_source = ?3, table_cost = NULL, price_notes = ?4,"
    " price_version = ?5, credits = ?6 WHERE key = ?1";
constexpr std::string_view kAddTotal =
    "UPDATE usage_total SET cost = cost + ?6, unpriced = unpriced + ?7 WHERE provider = ?1 AND"
    " model = ?2 AND alias = ?3 AND result = ?4 AND stream = ?5";
constexpr std::string_view kInsertRun =
    "INSERT INTO repriced VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0, 0, 0, 0)";
constexpr std::string_view kUpdateRun =
    "UPDATE repriced SET rows = ?2, changed = ?3, unpriced_before = ?4, unpriced_after = ?5,"
    " cost_before = ?6, cost_after = ?7 WHERE id = ?1";

// A line of usage_total, and what changes in it.
using TotalKey = std::tuple<std::string, std::string, std::string, int64_t, int64_t>;
struct TotalChange {
  NanoDollars cost = 0;
  int64_t unpriced = 0;
};

struct RowChange {
  int64_t key = 0;
  Charge charge;
  std::string version;
};

chat::Usage usage_of(const store::Statement& row) {
  chat::Usage usage;
  int column = kTokens;
  for (int64_t* bucket :
       {&usage.plain_input, &usage.cache_read, &usage.cache_write, &usage.cache_write_1h,
        &usage.audio_input, &usage.visible_output, &usage.reasoning, &usage.audio_output}) {
    *bucket = row.integer(column++);
  }
  usage.tier = static_cast<chat::ServiceTier>(row.maybe_integer(kServiceTier).value_or(0));
  return usage;
}

std::optional<int64_t> result_named(std::string_view name) {
  for (int64_t i = 0; i < static_cast<int64_t>(kRequestResults); ++i) {
    if (name_of(static_cast<RequestResult>(i)) == name) return i;
  }
  return std::nullopt;
}

void add(RepriceLine& to, const RepriceLine& line) {
  to.rows += line.rows;
  to.changed += line.changed;
  to.kept += line.kept;
  to.unpriced_before += line.unpriced_before;
  to.unpriced_after += line.unpriced_after;
  to.cost_before += line.cost_before;
  to.cost_after += line.cost_after;
}

// One run over the ledger.
class Run {
 public:
  Run(store::Database& database, const PriceTable& prices, const RepriceQuery& query,
      NameReader names)
      : database_(database), prices_(prices), query_(query), names_(std::move(names)) {}

  Result<RepriceReport> go(const RepriceActor& actor, const Progress& progress);

 private:
  Result<bool> batch();  // false: there are no more rows
  Result<bool> read();
  void look_at(const store::Statement& row);
  // The difference a row makes, as the line of this row alone says it.
  void add_to_sums(const store::Statement& row, const RepriceLine& line, int64_t credits);
  PriceTable::Found price_for(const store::Statement& row, const std::string& provider,
                              const std::string& model);
  Result<void> write();
  Result<void> write_row(store::Statement& to, const RowChange& change);
  Result<void> write_total(store::Statement& to, const TotalKey& key, const TotalChange& change);
  Result<void> begin_run(const RepriceActor& actor);
  Result<void> note_run();
  RepriceReport report() const;

  store::Database& database_;
  const PriceTable& prices_;
  const RepriceQuery& query_;
  NameReader names_;
  int64_t after_ = 0;  // the last key that was read
  int64_t before_ = 0;
  int64_t run_ = 0;
  std::map<std::pair<std::string, std::string>, RepriceLine> lines_;
  RepriceLine total_;
  // Of this batch.
  std::vector<RowChange> changes_;
  std::map<TotalKey, TotalChange> totals_;
  UsageSums sums_;
  int64_t summed_from_ = 0;  // earlier rows are in no sum that could change
};

PriceTable::Found Run::price_for(const store::Statement& row, const std::string& provider,
                                 const std::string& model) {
  PriceTable::Found found = prices_.find(provider, model);
  const std::string answered = names_.text_of(row, kAnsweredModel);
  if (found.price == nullptr && !answered.empty()) {
    found = prices_.find(provider, answered);
    found.notes |= kByAnsweredModel;
  }
  return found;
}

void Run::look_at(const store::Statement& row) {
  const auto usage_source = static_cast<chat::UsageSource>(row.integer(kUsageSource));
  if (usage_source == chat::UsageSource::None) return;  // there is nothing to price
  const std::string provider = names_.text_of(row, kProvider);
  const std::string model = names_.text_of(row, kModel);
  if (!query_.provider.empty() && provider != query_.provider) return;
  if (!query_.model.empty() && model != query_.model) return;
  const std::optional<int64_t> before = row.maybe_integer(kCost);
  RepriceLine line{.provider = provider, .model = model, .rows = 1};
  line.cost_before = line.cost_after = before.value_or(0);
  line.unpriced_before = line.unpriced_after = before ? 0 : 1;
  const auto source = static_cast<CostSource>(row.integer(kCostSource));
  const auto found = price_for(row, provider, model);
  // No table knows what an intermediary takes for a call to one's own account.
  const bool own_figure =
      source == CostSource::Provider && (!query_.provider_costs || !row.is_null(kUpstreamCost));
  if (own_figure || found.price == nullptr) {
    line.kept = 1;
  } else {
    RowChange change{.key = row.integer(kKey),
                     .charge = charge_for(found.price, usage_of(row), usage_source,
                                          Delivered::Something, row.integer(kStarted)),
                     .version = found.price->version};
    change.charge.notes |= found.notes;
    // What failed attempts spent was at other targets: it stays as it was.
    if (change.charge.cost) *change.charge.cost += row.integer(kAttemptsCost);
    line.cost_after = change.charge.cost.value_or(0);
    line.unpriced_after = change.charge.cost ? 0 : 1;
    if (change.charge.cost != before || source == CostSource::Provider ||
        change.charge.credits != row.maybe_integer(kCredits) ||
        names_.text_of(row, kPriceVersion) != change.version) {
      line.changed = 1;
      const TotalKey key{provider, model, names_.text_of(row, kAlias),
                         result_named(names_.text_of(row, kResult)).value_or(-1),
                         row.integer(kStream)};
      totals_[key].cost += line.cost_after - line.cost_before;
      totals_[key].unpriced += line.unpriced_after - line.unpriced_before;
      add_to_sums(row, line, change.charge.credits.value_or(0));
      changes_.push_back(std::move(change));
    }
  }
  RepriceLine& sum = lines_[{provider, model}];
  sum.provider = provider;
  sum.model = model;
  add(sum, line);
  add(total_, line);
}

void Run::add_to_sums(const store::Statement& row, const RepriceLine& line, int64_t credits) {
  if (row.integer(kKey) < summed_from_) return;
  const auto name = [&row](int column) -> NameValue {
    if (row.is_null(column)) return {};
    if (row.is_integer(column)) return {.id = row.integer(column)};
    return {.text = row.text(column)};
  };
  sums_.add({.key = static_cast<uint64_t>(row.integer(kKey)),
             .provider = name(kProvider),
             .model = name(kModel),
             .alias = name(kAlias),
             .outcome = name(kOutcome),
             .caller = row.integer(kCaller),
             .user = row.text(kUser)},
            {.unpriced = line.unpriced_after - line.unpriced_before,
             .cost = line.cost_after - line.cost_before,
             .credits = credits - row.integer(kCredits)});
}

Result<bool> Run::read() {
  auto rows = database_.prepare(kSelect);
  if (!rows) return std::move(rows).error();
  rows->bind(1, after_);
  rows->bind(2, before_);
  rows->bind(3, kRowsPerTransaction);
  bool any = false;
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return any;
    any = true;
    after_ = rows->integer(kKey);
    look_at(*rows);
  }
}

Result<void> Run::write_row(store::Statement& to, const RowChange& change) {
  const auto maybe = [&to](int column, std::optional<int64_t> value) {
    value ? to.bind(column, *value) : to.bind_null(column);
  };
  to.bind(1, change.key);
  maybe(2, change.charge.cost);
  to.bind(3, static_cast<int64_t>(change.charge.source));
  to.bind(4, change.charge.notes);
  // A name the gateway has not written yet stands in the row: the table of names is the gateway's.
  const std::optional<int64_t> version = names_.id_of(change.version);
  version ? to.bind(5, *version) : to.bind(5, std::string_view(change.version));
  maybe(6, change.charge.credits);
  return to.run();
}

Result<void> Run::write_total(store::Statement& to, const TotalKey& key,
                              const TotalChange& change) {
  if (change.cost == 0 && change.unpriced == 0) return {};
  const auto& [provider, model, alias, result, stream] = key;
  // Models of a wildcard are summed under the label they have in the metrics.
  const std::tuple<std::string_view, std::string_view, std::string_view> kept_as[] = {
      {provider, model, alias}, {provider, "other", alias}, {"other", "other", ""}};
  for (const auto& [kept_provider, kept_model, kept_alias] : kept_as) {
    const int64_t changes = database_.total_changes();
    to.bind(1, kept_provider);
    to.bind(2, kept_model);
    to.bind(3, kept_alias);
    to.bind(4, result);
    to.bind(5, stream);
    to.bind(6, change.cost);
    to.bind(7, change.unpriced);
    if (auto added = to.run(); !added) return added;
    if (database_.total_changes() != changes) return {};
  }
  return Error(Outcome::Bug, "the kept sums have no line for " + provider + "/" + model +
                                 ": `sluice ledger verify` says more");
}

Result<void> Run::write() {
  auto update = database_.prepare(kUpdate);
  if (!update) return std::move(update).error();
  for (const RowChange& change : changes_) {
    if (auto written = write_row(*update, change); !written) return written;
  }
  auto add_total = database_.prepare(kAddTotal);
  if (!add_total) return std::move(add_total).error();
  for (const auto& [key, change] : totals_) {
    if (auto written = write_total(*add_total, key, change); !written) return written;
  }
  if (auto written = sums_.write(database_); !written) return written;
  return note_run();
}

Result<void> Run::begin_run(const RepriceActor& actor) {
  auto insert = database_.prepare(kInsertRun);
  if (!insert) return std::move(insert).error();
  char day[kTimestampBound];
  put_timestamp(day, prices_.as_of_micros());
  const std::string version = "catalog " + std::string(day, kDateLength);
  insert->bind(1, actor.at_micros);
  insert->bind(2, std::string_view(actor.name));
  insert->bind(3, query_.from_micros);
  insert->bind(4, query_.to_micros);
  query_.provider.empty() ? insert->bind_null(5)
                          : insert->bind(5, std::string_view(query_.provider));
  query_.model.empty() ? insert->bind_null(6) : insert->bind(6, std::string_view(query_.model));
  insert->bind(7, std::string_view(version));
  if (auto inserted = insert->run(); !inserted) return inserted;
  auto id = database_.integer("SELECT last_insert_rowid()");
  if (!id) return std::move(id).error();
  run_ = *id;
  return {};
}

Result<void> Run::note_run() {
  auto update = database_.prepare(kUpdateRun);
  if (!update) return std::move(update).error();
  int column = 1;
  for (const int64_t value : {run_, total_.rows, total_.changed, total_.unpriced_before,
                              total_.unpriced_after, total_.cost_before, total_.cost_after}) {
    update->bind(column++, value);
  }
  return update->run();
}

Result<bool> Run::batch() {
  changes_.clear();
  totals_.clear();
  sums_.committed();
  if (query_.dry_run) return read();
  // From reading to writing, so that no row changes between the two.
  auto transaction = store::Transaction::begin(database_);
  if (!transaction) return std::move(transaction).error();
  auto summed_from = read_mark(database_, kSummedFrom);
  if (!summed_from) return std::move(summed_from).error();
  summed_from_ = *summed_from;
  auto any = read();
  if (!any) return any;
  if (auto written = write(); !written) return std::move(written).error();
  if (auto committed = transaction->commit(); !committed) return std::move(committed).error();
  return any;
}

Result<RepriceReport> Run::go(const RepriceActor& actor, const Progress& progress) {
  after_ = static_cast<int64_t>(first_key_at(query_.from_micros)) - 1;
  before_ = static_cast<int64_t>(first_key_at(query_.to_micros));
  auto newest = database_.integer("SELECT ifnull(max(key), 0) FROM exchange");
  if (!newest) return std::move(newest).error();
  auto oldest = database_.integer("SELECT ifnull(min(key), 0) FROM exchange");
  if (!oldest) return std::move(oldest).error();
  const int64_t first = std::max(after_, *oldest);
  const auto whole = static_cast<double>(std::max<int64_t>(1, std::min(before_, *newest) - first));
  if (!query_.dry_run) {
    if (auto begun = begin_run(actor); !begun) return std::move(begun).error();
  }
  for (bool more = true; more;) {
    auto any = batch();
    if (!any) return std::move(any).error();
    more = *any;
    progress(std::clamp(static_cast<double>(after_ - first) / whole, 0.0, 1.0));
  }
  progress(1);
  return report();
}

RepriceReport Run::report() const {
  RepriceReport report;
  report.total = total_;
  for (const auto& [name, line] : lines_) report.lines.push_back(line);
  const auto difference = [](const RepriceLine& line) {
    return std::abs(line.cost_after - line.cost_before);
  };
  std::stable_sort(
      report.lines.begin(), report.lines.end(),
      [&](const RepriceLine& a, const RepriceLine& b) { return difference(a) > difference(b); });
  return report;
}

}  // namespace

Result<RepriceReport> reprice(store::Database& database, const PriceTable& prices,
                              const RepriceQuery& query, const RepriceActor& actor,
                              const Progress& progress) {
  auto names = NameReader::open(database);
  if (!names) return std::move(names).error();
  return Run(database, prices, query, *std::move(names)).go(actor, progress);
}

}  // namespace sluice::telemetry
