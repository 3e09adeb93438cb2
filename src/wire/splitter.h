// Where OpenAI's tokenizers cut a text before they merge: no token crosses such a cut. Written by
// hand after the patterns that are published with each tokenizer (tiktoken 0.14.0,
// tiktoken_ext/openai_public.py); every function takes time linear in the text, whatever it holds.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::tokens {

// The end of the piece that begins at `begin`; more than begin. Requires: begin < text.size(), a
// cut (or the start) is at begin.
size_t o200k_piece_end(std::string_view text, size_t begin);
size_t cl100k_piece_end(std::string_view text, size_t begin);

}  // namespace sluice::tokens
