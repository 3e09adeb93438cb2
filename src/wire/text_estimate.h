// How many tokens a text is for a tokenizer that is not public.
//
// The weights were fitted to the one that Anthropic has published: English prose, Markdown, C++ and
// Python come out within a tenth, JSON up to a fifth high, German a sixth low, Russian, Chinese and
// Japanese within a tenth. Tokenizers of other vendors are of the same kind and size: expect a
// fifth, for scripts other than Latin more.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::tokens {

int64_t estimate_text(std::string_view text);

// A bound that no tokenizer passes: each token stands for at least a byte. For reservations that
// must hold when nothing else is known.
constexpr int64_t most_tokens(int64_t text_bytes) {
  return text_bytes;
}

}  // namespace sluice::tokens
