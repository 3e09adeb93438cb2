#include "telemetry/ledger.h"

#include <functional>
#include <utility>

#include "base/text_out.h"
#include "telemetry/access_log.h"
#include "telemetry/metric_names.h"
#include "telemetry/row.h"

namespace sluice::telemetry {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int kNanosAsDollars = 9;
// Names of models come from callers where a provider takes any.
constexpr size_t kMostLoggedModels = 1000;

// An upstream was asked and something came back, or should have.
Delivered delivered(const Record& record) {
  if (record.attempts.empty() || !record.generates) return Delivered::Nothing;
  return record.outcome == Outcome::Ok || record.delivered ? Delivered::Something
                                                           : Delivered::Nothing;
}

// Attempts that came to nothing are paid for with the one that did not: the sum of the rows is the
// sum of the providers' bills.
void add_attempts(Charge& charge, const std::vector<Attempt>& attempts) {
  for (const Attempt& attempt : attempts) {
    if (!attempt.spent) continue;
    charge.attempts_cost += attempt.spent->cost.value_or(0);
    charge.attempts_unknown += attempt.spent->cost ? 0 : 1;
  }
  if (charge.attempts_cost == 0 || !charge.cost) return;
  *charge.cost += charge.attempts_cost;
  if (charge.source == CostSource::None) charge.source = CostSource::Tokens;
}

// What budgets are charged where nobody knows the cost: by the ceiling price if the tokens are
// known, else all that was held.
NanoDollars unknown_cost(const Record& record, Terms terms) {
  if (record.ceiling == nullptr || record.usage_source == chat::UsageSource::None)
    return record.reserved;
  const TokenCost most = cost_of_tokens(*record.ceiling, record.usage, record.started_micros);
  return marked_up(most.cost.value_or(0), terms);
}

}  // namespace

Ledger::Ledger(LedgerParts parts, std::shared_ptr<const PriceTable> prices,
               std::span<const UsageBase> base)
    : parts_(parts),
      meters_(parts.registry),
      dropped_cost_(parts.registry.counter(metric::kJournalDroppedCost)) {
  use_prices(std::move(prices));
  for (const UsageBase& sum : base) meters_.start_from(sum);
  watch_parts();
}

Ledger::~Ledger() {
  parts_.journal.stop();
}

void Ledger::watch_parts() {
  Registry& registry = parts_.registry;
  const store::Journal& journal = parts_.journal;
  const auto count = [](uint64_t n) { return static_cast<int64_t>(n); };
  registry.watch(metric::kJournalBytes, {},
                 [&journal, count] { return count(journal.queued_bytes()); });
  registry.watch(metric::kJournalLag, {}, [&journal] { return journal.lag(); });
  registry.watch(metric::kJournalRows, {},
                 [&journal, count] { return count(journal.stored_rows()); });
  registry.watch(metric::kJournalDropped, {},
                 [&journal, count] { return count(journal.dropped_rows()); });
  registry.watch(metric::kJournalSlim, {},
                 [&journal, count] { return count(journal.slim_rows()); });
  registry.watch(metric::kJournalFailures, {},
                 [&journal, count] { return count(journal.failures()); });
  if (const LineSink* access = parts_.access; access != nullptr) {
    registry.watch(metric::kLogDropped, {}, [access, count] { return count(access->dropped()); });
  }
  registry.watch(metric::kCatalogAge, {}, [this] {
    return (parts_.clock.wall_micros() - catalog_made_.load()) / kMicrosPerSecond;
  });
}

const TargetMeters& Ledger::target(std::string_view provider, std::string_view model,
                                   std::string_view alias, std::string_view vendor) {
  const TargetMeters& meters = meters_.target(provider, model, alias, vendor);
  set_price(meters, *table_.load());
  return meters;
}

void Ledger::use_prices(std::shared_ptr<const PriceTable> prices) {
  const std::lock_guard lock(mutex_);
  const Nanos now = parts_.clock.monotonic();
  const Nanos lag = parts_.journal.lag();
  std::erase_if(tables_, [&](const Table& table) {
    return table.replaced != 0 && now - table.replaced > lag;
  });
  if (!tables_.empty()) tables_.back().replaced = now;
  catalog_made_ = prices->as_of_micros();
  table_ = prices.get();
  tables_.push_back({std::move(prices)});
  meters_.for_each([this](const TargetMeters& meters) { set_price(meters, *table_.load()); });
}

void Ledger::set_price(const TargetMeters& meters, const PriceTable& table) const {
  const auto found = table.find(meters.provider_, meters.model_, meters.vendor_);
  meters.unpriced_answer_ = 0;
  meters.price_notes_ = found.notes;
  meters.terms_ = table.terms(meters.provider_);
  meters.price_ = found.price;
}

const Price* Ledger::price_of(const TargetMeters& meters, std::string_view provider,
                              std::string_view model) const {
  const Price* price = meters.price_.load(std::memory_order_acquire);
  if (price == nullptr && model != meters.model())
    price = table_.load()->find(provider, model, meters.vendor_).price;
  const bool dollars = price != nullptr && (price->unit == Unit::Dollars || price->credit_price);
  return dollars ? price : nullptr;
}

Terms Ledger::terms_of(const TargetMeters& meters) const {
  return meters.terms_.load(std::memory_order_relaxed);
}

PriceTable::Found Ledger::find_price(const Record& record) const {
  const TargetMeters& meters = meters_of(record);
  const PriceTable::Found found{meters.price_.load(std::memory_order_acquire),
                                meters.price_notes_.load(std::memory_order_relaxed)};
  if (found.price != nullptr || record.meters == nullptr) return found;
  return price_by_record(record);
}

Ledger::Priced Ledger::price(const Record& record) const {
  const PriceTable::Found found = find_price(record);
  Charge charge = charge_for(found.price, record.usage, record.usage_source, delivered(record),
                             record.started_micros);
  if (charge.source == CostSource::Tokens || charge.table_cost) charge.notes |= found.notes;
  add_attempts(charge, record.attempts);
  const Terms terms = meters_of(record).terms_.load(std::memory_order_relaxed);
  charge.charged =
      charged_for(charge, record.usage.own_key, terms).value_or(unknown_cost(record, terms));
  return {found.price, charge};
}

Spent Ledger::spent_by(const Record& record, const chat::Usage& usage,
                       chat::UsageSource source) const {
  const Charge charge = charge_for(find_price(record).price, usage, source, Delivered::Something,
                                   record.started_micros);
  return {.source = source, .input = usage.input(), .output = usage.output(), .cost = charge.cost};
}

// The target as such has no price: it is a wildcard, or its name means something to the upstream
// only. Then the names in the record may have one.
PriceTable::Found Ledger::price_by_record(const Record& record) const {
  const PriceTable& table = *table_.load();
  const TargetMeters& meters = *record.meters;
  if (record.model != meters.model()) {
    const auto found = table.find(record.provider, record.model, meters.vendor_);
    if (found.price != nullptr) return found;
  }
  if (record.answered_model.empty() || record.answered_model == record.model) return {};
  // Usually it is the same one as the last time.
  const uint64_t hash = std::hash<std::string_view>()(record.answered_model);
  if (meters.unpriced_answer_.load(std::memory_order_relaxed) == hash) return {};
  auto found = table.find(record.provider, record.answered_model, meters.vendor_);
  found.notes |= kByAnsweredModel;
  if (found.price == nullptr) meters.unpriced_answer_.store(hash, std::memory_order_relaxed);
  return found;
}

Charge Ledger::charge_of(const Record& record) const {
  return price(record).charge;
}

Charge Ledger::finish(unsigned lane, const Record& record) {
  const TargetMeters& meters = meters_of(record);
  const Priced priced = price(record);
  if (!priced.charge.cost) log_unpriced(record, meters);
  if ((priced.charge.notes & kPriceDrift) != 0) log_drift(record, meters, priced.charge);
  if (record.outcome != Outcome::Ok || record.attempts.size() > 1) log_refused_keys(record);
  meters_.count(lane, record, meters, priced.charge);
  if (parts_.access != nullptr) {
    parts_.access->append(lane, access_line_bound(record), [&](char* out, size_t) {
      return write_access_line(out, record, priced.charge);
    });
  }
  store(lane, record, meters, priced);
  return priced.charge;
}

void Ledger::store(unsigned lane, const Record& record, const TargetMeters& meters,
                   const Priced& priced) {
  const RowSource source{record, meters, priced.price, priced.charge};
  const bool stored =
      parts_.journal.append(lane, row_bound(record), [&](char* out, store::Room room) {
        if (room == store::Room::Plenty) return write_row(out, source, RowForm::Whole);
        parts_.journal.count_slim();
        return write_row(out, source, RowForm::Slim);
      });
  if (!stored) dropped_cost_.add(lane, priced.charge.cost.value_or(0));
}

// Whether to log this model now: once per model, the counters say how often. `last` is the hash of
// the one logged last, which it usually is.
bool Ledger::first_of_model(const Record& record, std::atomic<uint64_t>& last,
                            std::set<std::string>& names) const {
  const uint64_t hash = std::hash<std::string_view>()(record.model);
  if (last.exchange(hash, std::memory_order_relaxed) == hash) return false;
  const std::lock_guard lock(mutex_);
  if (names.size() >= kMostLoggedModels) return false;
  return names.insert(record.provider + "/" + record.model).second;
}

void Ledger::log_unpriced(const Record& record, const TargetMeters& meters) const {
  if (!first_of_model(record, meters.unpriced_logged_, unpriced_names_)) return;
  parts_.log.warn("no price for this model; its cost is unknown",
                  {{"provider", record.provider}, {"model", record.model}});
}

void Ledger::log_drift(const Record& record, const TargetMeters& meters,
                       const Charge& charge) const {
  if (!first_of_model(record, meters.drift_logged_, drift_names_)) return;
  const auto dollars = [](std::optional<NanoDollars> nano) {
    std::string text;
    append_decimal(text, nano.value_or(0), kNanosAsDollars);
    return text;
  };
  parts_.log.warn(
      "the provider's cost is more than 5 % off the price table's",
      {{"provider", record.provider},
       {"model", record.model},
       {"provider_usd", dollars(record.usage.own_key ? charge.upstream_cost : charge.cost)},
       {"table_usd", dollars(charge.table_cost)}});
}

// A refused key is somebody's to change, and a fallback hides it from everybody else.
void Ledger::log_refused_keys(const Record& record) const {
  for (const Attempt& attempt : record.attempts) {
    if (attempt.outcome != Outcome::UpstreamAuth) continue;
    parts_.log.error("a provider refuses our key",
                     {{"target", attempt.target}, {"status", attempt.status}});
  }
}

void Ledger::note_key(std::string_view provider, std::string_view key,
                      std::string_view what) const {
  parts_.log.warn("a key of a provider " + std::string(what),
                  {{"provider", provider}, {"key", key}});
}

void Ledger::count_refusal(std::string_view level, std::string_view limit, bool shadow) {
  const std::string_view mode = shadow ? "shadow" : "enforced";
  parts_.registry.counter(metric::kRefusals, {level, limit, mode}).add_shared();
}

void Ledger::note_budget(std::string_view budget, int32_t permille, std::string_view spent,
                         std::string_view limit) const {
  parts_.log.warn(
      "a budget has passed a mark",
      {{"budget", budget}, {"percent", permille / 10}, {"spent", spent}, {"limit", limit}});
}

Result<std::vector<UsageBase>> read_usage_base(const store::Database& database) {
  auto rows = database.prepare(
      "SELECT provider, model, alias, result, stream, requests, unpriced, input, cached, output,"
      " reasoning, cost FROM usage_total");
  if (!rows) return std::move(rows).error();
  std::vector<UsageBase> base;
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return base;
    const int64_t result = rows->integer(3);
    if (result < 0 || result >= kRequestResults) continue;  // of a newer program
    base.push_back({.provider = std::string(rows->text(0)),
                    .model = std::string(rows->text(1)),
                    .alias = std::string(rows->text(2)),
                    .result = static_cast<RequestResult>(result),
                    .stream = rows->integer(4) != 0,
                    .requests = rows->integer(5),
                    .unpriced = rows->integer(6),
                    .tokens = {.input = rows->integer(7),
                               .cached = rows->integer(8),
                               .output = rows->integer(9),
                               .reasoning = rows->integer(10)},
                    .cost = rows->integer(11)});
  }
}

Result<uint64_t> read_last_key(const store::Database& database) {
  auto key = database.integer("SELECT ifnull(max(key), 0) FROM exchange");
  if (!key) return std::move(key).error();
  return static_cast<uint64_t>(*key);
}

}  // namespace sluice::telemetry
