// What one exchange costs at its end: on the loop's thread (finish), and on the journal's (store).
#include <benchmark/benchmark.h>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/id.h"
#include "store/schema.h"
#include "telemetry/ledger.h"
#include "telemetry/ledger_sink.h"

namespace sluice::telemetry {
namespace {

// A ledger in a folder of its own, whose journal stores when told to.
class Bench {
 public:
  Bench() {
    std::filesystem::create_directories(folder_);
    access_ = std::move(*LineSink::to_file(folder_ + "/access.log", {}));
    log_.emplace(*access_, clock_, LogStyle::Json);
    auto database = store::open_store(folder_ + "/ledger.db", store::ledger_schema(),
                                      {.outlives_power_cuts = true});
    journal_.emplace(std::move(*database), sink_, clock_, *log_, store::JournalOptions{});
    ledger_.emplace(LedgerParts{.registry = registry_,
                                .journal = *journal_,
                                .access = access_.get(),
                                .log = *log_,
                                .clock = clock_},
                    std::make_shared<PriceTable>(PriceTable::built_in()),
                    std::span<const UsageBase>());
    for (const char* model : {"gpt-5-mini", "gpt-5-nano", "gpt-5", "gpt-4.1", "gpt-4o", "o3"})
      targets_.push_back(&ledger_->target("openai", model, "tier2"));
  }
  ~Bench() {
    ledger_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Rows of one busy afternoon: few models, some keys, many end users.
  Record record_of_many() {
    Record r = record();
    const size_t n = ++count_;
    r.meters = targets_[n % targets_.size()];
    r.model = r.meters->model();
    r.user = "user-" + std::to_string(n * 7 % kUsers);
    r.caller = {.organisation = "acme",
                .team = "team " + std::to_string(n % 5),
                .key = "key " + std::to_string(n % kKeys),
                .environment = "prod"};
    return r;
  }
  Record record() {
    Record r;
    r.started_micros = clock_.wall_micros();
    r.key = ids_.next_key(r.started_micros);
    r.request_id = ids_.request_id(r.key);
    r.trace_id = ids_.trace_id();
    r.endpoint = "chat";
    r.asked_model = "tier2";
    r.alias = "tier2";
    r.provider = "openai";
    r.model = "gpt-5-mini";
    r.answered_model = "gpt-5-mini-2025-08-07";
    r.user = "user-4711";
    r.status = 200;
    r.stream = true;
    r.usage.plain_input = 812;
    r.usage.cache_read = 128;
    r.usage.visible_output = 230;
    r.usage.reasoning = 64;
    r.usage_source = chat::UsageSource::Reported;
    r.duration_micros = 812'345;
    r.ttft_micros = 210'456;
    r.upstream_micros = 812'000;
    r.overhead_micros = 37;
    r.attempts.push_back(
        {.target = "openai/gpt-5-mini", .status = 200, .duration_micros = 812'000});
    r.meters = targets_.front();
    return r;
  }
  Ledger& ledger() { return *ledger_; }
  store::Journal& journal() { return *journal_; }

 private:
  const std::string folder_ =
      std::filesystem::temp_directory_path() / ("ledger_bench_" + std::to_string(getpid()));
  SystemClock clock_;
  IdSource ids_{0, 1};
  std::unique_ptr<LineSink> access_;
  std::optional<Logger> log_;
  Registry registry_{1};
  LedgerSink sink_;
  std::optional<store::Journal> journal_;
  std::optional<Ledger> ledger_;
  static constexpr size_t kUsers = 500;
  static constexpr size_t kKeys = 20;
  std::vector<const TargetMeters*> targets_;
  size_t count_ = 0;
};

// Rows of one tenth of a second at 20,000 a second.
constexpr int kRows = 2000;

void finish_exchange(benchmark::State& state) {
  Bench bench;
  std::vector<Record> records(kRows);
  for (auto _ : state) {
    state.PauseTiming();
    (void)bench.journal().drain();
    for (Record& record : records) record = bench.record();
    state.ResumeTiming();
    for (Record& record : records) bench.ledger().finish(0, std::move(record));
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(finish_exchange);

void store_rows(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) {
    state.PauseTiming();
    for (int i = 0; i < kRows; ++i) bench.ledger().finish(0, bench.record());
    state.ResumeTiming();
    if (!bench.journal().drain()) state.SkipWithError("the store takes no rows");
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(store_rows);

void store_rows_of_many(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) {
    state.PauseTiming();
    for (int i = 0; i < kRows; ++i) bench.ledger().finish(0, bench.record_of_many());
    state.ResumeTiming();
    if (!bench.journal().drain()) state.SkipWithError("the store takes no rows");
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(store_rows_of_many);

}  // namespace
}  // namespace sluice::telemetry

BENCHMARK_MAIN();
