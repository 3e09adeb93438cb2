// What counting tokens costs, in bytes of text a second. build: -DSLUICE_BENCH=ON, target
// wire_bench.
#include <benchmark/benchmark.h>
#include <string>

#include "wire/encoding.h"

namespace sluice::tokens {
namespace {

constexpr size_t kSize = 1 << 20;

std::string repeated(const std::string& piece) {
  std::string text;
  while (text.size() < kSize) text += piece;
  return text;
}

void count(benchmark::State& state, const std::string& text) {
  const std::unique_ptr<const Encoding> encoding = *Encoding::load(EncodingName::O200kBase);
  Merger merger;
  for (auto _ : state) benchmark::DoNotOptimize(encoding->count(text, merger).tokens);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void BM_CountEnglish(benchmark::State& state) {
  count(state, repeated("Please refactor the function below so that quarterly revenue is summed by "
                        "region; it throws a TypeError when a customer hasn't ordered yet.\n"));
}
BENCHMARK(BM_CountEnglish);

void BM_CountCode(benchmark::State& state) {
  count(state, repeated("for (size_t i = 0; i + 1 < tokens_.size(); ++i) {\n  next_made_[i] = "
                        "vocabulary.merged(tokens_[i], tokens_[i + 1]);\n}\n"));
}
BENCHMARK(BM_CountCode);

void BM_CountRussian(benchmark::State& state) {
  count(state, repeated("Съешь ещё этих мягких французских булок, да выпей чаю. "));
}
BENCHMARK(BM_CountRussian);

void BM_CountChinese(benchmark::State& state) {
  count(state, repeated("今天天气怎么样？我们去公园散步吧，然后一起吃饭。"));
}
BENCHMARK(BM_CountChinese);

void BM_CountOneLetter(benchmark::State& state) {
  count(state, std::string(kSize, 'a'));
}
BENCHMARK(BM_CountOneLetter);

}  // namespace
}  // namespace sluice::tokens
