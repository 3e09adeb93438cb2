// What a decision costs. build: -DSLUICE_BENCH=ON, target routing_bench.
#include <benchmark/benchmark.h>
#include <string>

#include "routing/router.h"

namespace sluice::routing {
namespace {

RouterOptions options() {
  RouterOptions options;
  options.providers = {{.name = "a", .models = {"m"}}, {.name = "b"}};
  options.tiers = {{"tier1", {"a/m", "b/n"}}};
  options.routes = {
      {.name = "code_generation", .kind = RouteKind::Task, .root = {.target = "tier1"}},
      {.name = "business_intelligence", .kind = RouteKind::Task, .root = {.target = "tier1"}},
      {.name = "chat", .kind = RouteKind::Task, .root = {.target = "tier1"}},
      {.name = "split",
       .root = {.mode = Mode::Weighted,
                .children = {{.target = "a/m"}, {.target = "b/n"}},
                .weights = {70, 30}}},
      {.name = "rules",
       .root = {.mode = Mode::Conditional,
                .children = {{.target = "a/m"}, {.target = "tier1"}},
                .rules = {{.when = R"({"key": {"$regex": "^ci-[a-z]+$"}, "hour": {"$lt": 8}})"}},
                .otherwise = 1}},
  };
  options.classifier = builtin_rules({"code_generation", "business_intelligence", "chat"});
  return options;
}

void decide(benchmark::State& state, Facts facts) {
  const Result<Router> router = Router::make(options());
  for (auto _ : state) {
    Result<Decision> decision = router->decide(facts);
    benchmark::DoNotOptimize(decision->route().targets.size());
    ++facts.random;
  }
}

void BM_DecideTier(benchmark::State& state) {
  decide(state, {.model = "tier1"});
}
BENCHMARK(BM_DecideTier);

void BM_DecideTaskOfHeader(benchmark::State& state) {
  decide(state, {.task = "chat"});
}
BENCHMARK(BM_DecideTaskOfHeader);

void BM_DecideWeighted(benchmark::State& state) {
  decide(state, {.model = "split"});
}
BENCHMARK(BM_DecideWeighted);

void BM_DecideConditional(benchmark::State& state) {
  decide(state, {.model = "rules", .key = "ci-nightly"});
}
BENCHMARK(BM_DecideConditional);

// Text as people send it: prose, code, figures.
std::string text_of(size_t size) {
  const std::string piece =
      "Please refactor the function below so that quarterly revenue is summed by region; it "
      "throws a TypeError when a customer has no orders. Explain what you changed and why. "
      "for (int i = 0; i < n; ++i) { total[i] = orders[i].price * 1.19; }\n";
  std::string text;
  while (text.size() < size) text += piece;
  text.resize(size);
  return text;
}

void BM_Classify(benchmark::State& state) {
  const std::string user = text_of(static_cast<size_t>(state.range(0)));
  const std::vector<std::string> tasks{"code_generation", "business_intelligence", "chat"};
  const Result<Classifier> classifier = Classifier::make(builtin_rules(tasks), tasks);
  for (auto _ : state) {
    const Guess guess = classifier->classify({.last_user = user});
    benchmark::DoNotOptimize(guess.confidence);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Classify)->Arg(200)->Arg(8 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace sluice::routing

BENCHMARK_MAIN();
