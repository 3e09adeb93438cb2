#include "telemetry/body_store.h"

#include <utility>

#include "telemetry/metric_names.h"

namespace sluice::telemetry {
namespace {

constexpr Nanos kBetweenWarnings = 60 * kSecond;

store::JournalOptions journal_options(const BodyStoreOptions& options, BodyTable& table) {
  // One lane: whoever keeps bodies pays for copying them, not for a lock that is hardly ever held.
  return {.lanes = 1,
          .cap_bytes = options.queue_limit,
          .flush_window_millis = options.flush_window_millis,
          .chore = &table,
          .store = "bodies"};
}

}  // namespace

Result<std::unique_ptr<BodyStore>> BodyStore::open(const BodyStoreOptions& options,
                                                   const BodyStoreParts& parts) {
  auto database = open_bodies(options.path);
  if (!database) return std::move(database).error();
  auto opened = std::make_unique<BodyStore>(*std::move(database), options, parts);
  opened->journal_.start();
  return opened;
}

BodyStore::BodyStore(store::Database database, const BodyStoreOptions& options,
                     const BodyStoreParts& parts)
    : options_(options),
      clock_(parts.clock),
      log_(parts.log),
      table_(parts.clock, options.keeping),
      journal_(std::move(database), table_, parts.clock, parts.log,
               journal_options(options, table_)) {
  watch(parts.registry);
}

void BodyStore::watch(Registry& registry) {
  registry.watch(metric::kBodiesKept, {}, [this] { return kept_.load(); });
  registry.watch(metric::kBodiesDropped, {}, [this] { return dropped_.load(); });
  registry.watch(metric::kBodiesRemoved, {}, [this] { return table_.removed_rows(); });
  registry.watch(metric::kBodiesBytes, {},
                 [this] { return static_cast<int64_t>(held_.load() + journal_.queued_bytes()); });
}

bool BodyStore::hold(size_t bytes) {
  if (held_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= options_.queue_limit)
    return true;
  let_go(bytes);
  return false;
}

bool BodyStore::append(const Record& record, const KeptBodies& kept, BodyForm form) {
  bool whole = false;
  const size_t bound = body_row_bound(record, kept, form);
  const bool fits = journal_.append(0, bound, [&](char* out, store::Room room) {
    whole = form == BodyForm::Whole && room == store::Room::Plenty;
    return write_body_row(out, record, kept, whole ? BodyForm::Whole : BodyForm::Mark);
  });
  return fits && whole;
}

void BodyStore::keep(const Record& record, const KeptBodies& kept) {
  if (!kept.dropped && append(record, kept, BodyForm::Whole)) {
    kept_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  // A second mark of the same exchange does no harm: they have the same key.
  append(record, kept, BodyForm::Mark);
  dropped_.fetch_add(1, std::memory_order_relaxed);
  warn();
}

void BodyStore::warn() {
  const Nanos now = clock_.monotonic();
  Nanos due = warn_at_.load(std::memory_order_relaxed);
  if (now < due || !warn_at_.compare_exchange_strong(due, now + kBetweenWarnings)) return;
  log_.warn(
      "bodies are dropped: more come than the disk takes, or ledger.bodies.queue_limit is "
      "too small",
      {{"dropped", dropped_.load()}});
}

}  // namespace sluice::telemetry
