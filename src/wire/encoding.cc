#include "wire/encoding.h"

#include <span>
#include <utility>

#include "wire/data/cl100k_base_merges_zst.h"
#include "wire/data/o200k_base_merges_zst.h"
#include "wire/splitter.h"

namespace sluice::tokens {

Result<std::unique_ptr<const Encoding>> Encoding::load(EncodingName name) {
  const bool o200k = name == EncodingName::O200kBase;
  Result<Vocabulary> vocabulary =
      Vocabulary::unpack(o200k ? wire::o200k_base_merges() : wire::cl100k_base_merges());
  if (!vocabulary) return std::move(vocabulary).error();
  return std::unique_ptr<const Encoding>(
      new Encoding(*std::move(vocabulary), o200k ? o200k_piece_end : cl100k_piece_end));
}

// False: some piece was too long, and cut.
template <class OnTokens>
bool Encoding::each_piece(std::string_view text, Merger& merger, const OnTokens& on_tokens) const {
  bool whole = true;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = piece_end_(text, begin);
    if (end - begin > Merger::kLongest) {
      whole = false;
      end = begin + Merger::kLongest;
    }
    const std::string_view piece = text.substr(begin, end - begin);
    const Token token = vocabulary_.find(piece);
    if (token != kNoToken) {
      on_tokens(std::span(&token, 1));
    } else {
      on_tokens(merger.merge(vocabulary_, piece));
    }
    begin = end;
  }
  return whole;
}

Count Encoding::count(std::string_view text, Merger& merger) const {
  Count count;
  count.exact = each_piece(text, merger, [&](std::span<const Token> tokens) {
    count.tokens += static_cast<int64_t>(tokens.size());
  });
  return count;
}

void Encoding::encode(std::string_view text, Merger& merger, std::vector<Token>& out) const {
  each_piece(text, merger, [&](std::span<const Token> tokens) {
    out.insert(out.end(), tokens.begin(), tokens.end());
  });
}

}  // namespace sluice::tokens
