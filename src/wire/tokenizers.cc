#include "wire/tokenizers.h"

#include <utility>

#include "wire/prompt_count.h"
#include "wire/text_estimate.h"

namespace sluice::tokens {
namespace {

struct Row {
  std::string_view prefix;
  ModelTokenizer tokenizer;
};

constexpr ModelTokenizer kO200k{.encoding = EncodingName::O200kBase};
constexpr ModelTokenizer kHarmony{.encoding = EncodingName::O200kBase, .known_format = false};
constexpr ModelTokenizer kCl100k{.encoding = EncodingName::Cl100kBase};

// After tiktoken 0.14.0, tiktoken/model.py. The first that fits counts.
constexpr Row kModels[] = {
    {"gpt-4o", kO200k},
    {"chatgpt-4o", kO200k},
    {"gpt-4.1", kO200k},
    {"gpt-4.5", kO200k},
    {"gpt-5", kO200k},
    {"gpt-5.", kO200k},
    {"o1", kO200k},
    {"o3", kO200k},
    {"o4", kO200k},
    {"gpt-oss", kHarmony},
    {"gpt-4", kCl100k},
    {"gpt-3.5", kCl100k},
    {"gpt-35", kCl100k},  // as Azure has it
    {"text-embedding-3", kCl100k},
    {"text-embedding-ada-002", kCl100k},
    {"davinci-002", kCl100k},
    {"babbage-002", kCl100k},
};

// "gpt-4" and "gpt-4-turbo" and "gpt-4:extended", but not "gpt-4x"; after "gpt-5." anything.
bool fits(std::string_view model, std::string_view prefix) {
  if (!model.starts_with(prefix)) return false;
  const std::string_view rest = model.substr(prefix.size());
  return prefix.ends_with('.') || rest.empty() ||
         std::string_view("-:@").find(rest.front()) != std::string_view::npos;
}

}  // namespace

std::optional<ModelTokenizer> tokenizer_of(std::string_view model) {
  model.remove_prefix(model.rfind('/') + 1);  // of npos: nothing
  if (model.starts_with("ft:")) model.remove_prefix(3);
  for (const Row& row : kModels) {
    if (fits(model, row.prefix)) return row.tokenizer;
  }
  return std::nullopt;
}

const Encoding* Tokenizers::find(EncodingName name) const {
  const Slot& slot = slots_[static_cast<size_t>(name)];
  const Encoding* encoding = slot.ready.load(std::memory_order_acquire);
  if (encoding == nullptr) want(name);
  return encoding;
}

void Tokenizers::want(EncodingName name) const {
  slots_[static_cast<size_t>(name)].wanted.store(true, std::memory_order_relaxed);
}

Result<void> Tokenizers::load_wanted() {
  for (size_t i = 0; i < kEncodings; ++i) {
    Slot& slot = slots_[i];
    if (!slot.wanted.exchange(false) || slot.owned) continue;
    Result<std::unique_ptr<const Encoding>> encoding = Encoding::load(static_cast<EncodingName>(i));
    if (!encoding) return std::move(encoding).error();
    slot.owned = *std::move(encoding);
    slot.ready.store(slot.owned.get(), std::memory_order_release);
  }
  return {};
}

const Encoding* TokenCounter::encoding_of(const std::optional<ModelTokenizer>& tokenizer) const {
  return tokenizer ? tokenizers_.find(tokenizer->encoding) : nullptr;
}

Count TokenCounter::text(std::string_view model, std::string_view text) {
  const Encoding* encoding = encoding_of(tokenizer_of(model));
  if (encoding == nullptr) return {.tokens = estimate_text(text), .exact = false};
  return encoding->count(text, merger_);
}

Count TokenCounter::prompt(std::string_view model, const chat::Conversation& conversation) {
  const std::optional<ModelTokenizer> tokenizer = tokenizer_of(model);
  const Format& format = tokenizer ? kOpenaiFormat : kAnthropicFormat;
  Count count = count_prompt(conversation, format, encoding_of(tokenizer), merger_);
  if (!tokenizer || !tokenizer->known_format) count.exact = false;
  return count;
}

}  // namespace sluice::tokens
