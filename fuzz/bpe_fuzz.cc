// Token counts: the queue and the scan merge as the definition says, whatever the text, and the
// splitters lose nothing. The first byte chooses the encoding.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/encoding.h"

namespace {

using namespace sluice::tokens;

void require(bool holds) {
  if (!holds) std::abort();
}

const Encoding& encoding(bool o200k) {
  static const auto kO200k = *Encoding::load(EncodingName::O200kBase);
  static const auto kCl100k = *Encoding::load(EncodingName::Cl100kBase);
  return o200k ? *kO200k : *kCl100k;
}

// As the reference defines it: of all neighbours whose bytes are a token, the lowest, the leftmost.
std::vector<Token> naive(const Vocabulary& vocabulary, std::string_view piece) {
  std::vector<std::string> parts;
  for (const char c : piece) parts.emplace_back(1, c);
  for (;;) {
    Token lowest = kNoToken;
    size_t at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const Token token = vocabulary.find(parts[i] + parts[i + 1]);
      if (token >= lowest) continue;
      lowest = token;
      at = i;
    }
    if (lowest == kNoToken) break;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
  std::vector<Token> tokens;
  for (const std::string& part : parts) tokens.push_back(vocabulary.find(part));
  return tokens;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 2000) return 0;
  const Encoding& chosen = encoding((data[0] & 1) != 0);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Merger merger;
  // The whole text as one piece: longer than splitters leave it, so that the queue is used, too.
  const std::span<const Token> merged = merger.merge(chosen.vocabulary(), text);
  require(std::ranges::equal(merged, naive(chosen.vocabulary(), text)));
  std::vector<Token> tokens;
  chosen.encode(text, merger, tokens);
  std::string back;
  for (const Token token : tokens) back += chosen.vocabulary().bytes_of(token);
  require(back == text);
  require(chosen.count(text, merger) == Count{static_cast<int64_t>(tokens.size()), true});
  return 0;
}
