// What keys, limits and budgets cost a request. build: -DSLUICE_BENCH=ON, target governance_bench.
#include <benchmark/benchmark.h>
#include <string>

#include "governance/admission.h"
#include "governance/directory.h"

namespace sluice::governance {
namespace {

constexpr int64_t kNoon = 1'795'435'200'000'000;  // 2026-11-23T12:00:00Z

// Ten thousand keys in a hundred teams; every level has limits and two budgets that are far away.
class Installation {
 public:
  Installation() {
    Policy policy;
    policy.limits = {.requests_per_minute = 1'000'000'000,
                     .tokens_per_minute = 1'000'000'000'000,
                     .parallel = 1'000'000};
    for (const Period period : {Period::Day, Period::Month}) {
      BudgetRule rule;
      rule.name = name_of(period);
      rule.amount = 1'000'000 * kDollar;
      rule.period = period;
      rule.time_zone = "Europe/Amsterdam";
      rule.ladder = {{800, Step::Warn}, {950, Step::CheaperTier}};
      policy.budgets.push_back(rule);
    }
    DirectoryParts parts;
    parts.organisations = {{.name = "o", .policy = policy}};
    for (int i = 0; i < 100; ++i)
      parts.teams.push_back(
          {.name = "t" + std::to_string(i), .organisation = "o", .policy = policy});
    for (int i = 0; i < 10'000; ++i) {
      Key key;
      key.name = "k" + std::to_string(i);
      key.team = "t" + std::to_string(i % 100);
      key.digests = {{.digest = digester_.of(text_of(i))}};
      key.policy = policy;
      parts.keys.push_back(std::move(key));
    }
    directory_ = *Directory::build(std::move(parts), accounts_, digester_, kNoon);
  }

  static std::string text_of(int i) {
    return "sk-sluice-" + std::string(44, 'k') + std::to_string(i);
  }
  const Directory& directory() const { return *directory_; }

 private:
  KeyDigester digester_{Secret(std::string(64, 'p'))};
  Accounts accounts_;
  std::shared_ptr<const Directory> directory_;
};

Moment moment_of(int64_t micros) {
  return {.monotonic = micros * kMicrosecond, .wall_micros = kNoon + micros};
}

void BM_FindKey(benchmark::State& state) {
  const Installation installation;
  const std::string text = Installation::text_of(4711);
  for (auto _ : state) {
    const Directory::Found found = installation.directory().find(text, "127.0.0.1", kNoon);
    benchmark::DoNotOptimize(found.entry);
  }
}
BENCHMARK(BM_FindKey);

void BM_RefuseUnknownKey(benchmark::State& state) {
  const Installation installation;
  const std::string text = Installation::text_of(-1);
  for (auto _ : state) {
    const Directory::Found found = installation.directory().find(text, "127.0.0.1", kNoon);
    benchmark::DoNotOptimize(found.entry);
  }
}
BENCHMARK(BM_RefuseUnknownKey);

// All that a request asks of this room: its key, the steps and demands of three levels, a place in
// every limit and budget of theirs, what headers say, and the settlement.
void BM_WholeRequest(benchmark::State& state) {
  const Installation installation;
  const std::string text = Installation::text_of(4711);
  const Ask ask{.cost = kDollar / 1000, .tokens = 500};
  int64_t micros = 0;
  for (auto _ : state) {
    const Moment now = moment_of(micros += 50);
    const Directory::Entry& entry =
        *installation.directory().find(text, "127.0.0.1", now.wall_micros).entry;
    const Subjects subjects{entry.organisation_account, entry.team, entry.account, nullptr};
    for (const auto& account : {entry.organisation_account, entry.team, entry.account}) {
      benchmark::DoNotOptimize(account->step(now.wall_micros));
      benchmark::DoNotOptimize(account->demands());
    }
    Admission admission;
    benchmark::DoNotOptimize(admission.take(subjects, ask, now, nullptr));
    for (const auto& account : {entry.organisation_account, entry.team, entry.account}) {
      benchmark::DoNotOptimize(account->allowances(now));
    }
    const Moment end = moment_of(micros + 20);
    admission.settle({.cost = kDollar / 100'000, .tokens = 300, .ended_micros = end.wall_micros},
                     end, nullptr);
  }
}
BENCHMARK(BM_WholeRequest);

// Of that, what one account costs: a place in its limits and budgets, and the settlement.
void BM_TakeAndSettle(benchmark::State& state) {
  const Installation installation;
  const std::string text = Installation::text_of(4711);
  Account& account = *installation.directory().find(text, "127.0.0.1", kNoon).entry->account;
  const Ask ask{.cost = kDollar / 1000, .tokens = 500};
  int64_t micros = 0;
  for (auto _ : state) {
    const Moment now = moment_of(micros += 50);
    benchmark::DoNotOptimize(account.take(ask, now, nullptr));
    const Moment end = moment_of(micros + 20);
    const Used used{.cost = kDollar / 100'000, .tokens = 300, .ended_micros = end.wall_micros};
    account.settle(ask, now, used, end, nullptr);
  }
}
BENCHMARK(BM_TakeAndSettle);

}  // namespace
}  // namespace sluice::governance

BENCHMARK_MAIN();
