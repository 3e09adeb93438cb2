// Counting tokens before a call: which tokenizer a model has, and the counts of one loop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "wire/conversation.h"
#include "wire/encoding.h"

namespace sluice::tokens {

// A model of OpenAI's, or one that shares its tokenizer.
struct ModelTokenizer {
  EncodingName encoding = EncodingName::O200kBase;
  // Its chat format is written into the prompt as OpenAI documents it. Not so gpt-oss: whoever
  // serves it adds a system message of its own.
  bool known_format = true;
  friend bool operator==(const ModelTokenizer&, const ModelTokenizer&) = default;
};

// By the model's name as its provider calls it; what stands before the last '/' is a vendor's
// ("openai/gpt-4o"), and a fine-tuned model ("ft:gpt-4o:…") has the tokenizer it was made from.
// Nothing: the tokenizer is not public, or the name is not known.
std::optional<ModelTokenizer> tokenizer_of(std::string_view model);

// The encodings in the program. They are unpacked when the first count wants them, by a thread that
// has the time: 50 ms and 5 to 10 MB each, which stay. Any thread may call find and want.
class Tokenizers {
 public:
  // Null: it is not unpacked yet; that is wanted from now on.
  const Encoding* find(EncodingName name) const;
  void want(EncodingName name) const;

  // Unpacks what is wanted, if anything is. Of one thread, which no request waits for. An error is
  // a bug: the data in the program is damaged.
  Result<void> load_wanted();

 private:
  struct Slot {
    mutable std::atomic<bool> wanted{false};
    std::atomic<const Encoding*> ready{nullptr};
    std::unique_ptr<const Encoding> owned;
  };
  std::array<Slot, kEncodings> slots_;
};

// Counts for one loop; keeps the memory that merging needs. `tokenizers` outlives it.
class TokenCounter {
 public:
  explicit TokenCounter(const Tokenizers& tokenizers) : tokenizers_(tokenizers) {}

  // Exact for models whose tokenizer is public, once it is unpacked; else an estimate
  // (wire/text_estimate.h).
  Count text(std::string_view model, std::string_view text);
  // The whole prompt (wire/prompt_count.h says what of it can be exact).
  Count prompt(std::string_view model, const chat::Conversation& conversation);

 private:
  const Encoding* encoding_of(const std::optional<ModelTokenizer>& tokenizer) const;

  const Tokenizers& tokenizers_;
  Merger merger_;
};

}  // namespace sluice::tokens
