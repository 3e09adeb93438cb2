#include "wire/cortex_content.h"

#include <algorithm>
#include <array>
#include <utility>

#include "wire/openai_answer.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_usage.h"

namespace sluice::cortex {

using chat::Finish;
using json::Type;

namespace {

struct FinishWord {
  std::string_view word;
  Finish finish;
};
// The models behind the API have words of their own beside OpenAI's.
constexpr std::array kFinishWords{
    FinishWord{"end_turn", Finish::Stop},         FinishWord{"stop_sequence", Finish::Stop},
    FinishWord{"max_tokens", Finish::Length},     FinishWord{"tool_use", Finish::ToolCalls},
    FinishWord{"refusal", Finish::ContentFilter},
};

void read_member(json::Reader& reader, std::string_view key, ContentItem* item) {
  if (key == "type") {
    item->type = openai::take_text(reader);
  } else if (key == "text" || key == "content") {
    std::string text = openai::take_text(reader);
    if (!text.empty()) item->text = std::move(text);
  } else if (key == "thinking" || key == "reasoning") {
    item->thinking = openai::take_text(reader);
  } else if (key == "tool_use_id") {
    item->id = openai::take_text(reader);
  } else if (key == "name") {
    item->name = openai::take_text(reader);
  } else if (key == "input") {
    item->input_json = reader.peek() != Type::String;
    item->input = item->input_json ? openai::take_raw(reader) : openai::take_text(reader);
  } else if (key == "tool_use") {
    openai::each_member(reader, [&](std::string_view name) { read_member(reader, name, item); });
  } else if (key == "content_list") {
    openai::each_element(reader, [&] { item->list.push_back(read_item(reader)); });
  } else {
    reader.skip();
  }
}

struct Counts {
  int64_t prompt = 0;
  int64_t completion = 0;
  int64_t guard = 0;
  int64_t total = 0;
  int64_t cache_read = 0;
  int64_t cache_write = 0;
};

int64_t* count_named(std::string_view key, Counts* counts) {
  if (key == "prompt_tokens") return &counts->prompt;
  if (key == "completion_tokens") return &counts->completion;
  if (key == "guard_tokens" || key == "guardrail_tokens") return &counts->guard;
  if (key == "total_tokens") return &counts->total;
  if (key == "cache_read_input_tokens") return &counts->cache_read;
  if (key == "cache_write_input_tokens") return &counts->cache_write;
  return nullptr;
}

chat::Usage buckets_of(const Counts& counts) {
  const int64_t cached = counts.cache_read + counts.cache_write;
  const bool beside =
      counts.total == counts.prompt + counts.completion + counts.guard + cached && cached > 0;
  chat::Usage usage;
  int64_t left = counts.prompt + (beside ? cached : 0);
  usage.cache_read = std::min(counts.cache_read, left);
  left -= usage.cache_read;
  usage.cache_write = std::min(counts.cache_write, left);
  usage.plain_input = left - usage.cache_write + counts.guard;
  usage.visible_output = counts.completion;
  return usage;
}

}  // namespace

ContentItem read_item(json::Reader& reader) {
  ContentItem item;
  openai::each_member(reader, [&](std::string_view key) { read_member(reader, key, &item); });
  return item;
}

std::vector<ContentItem> flatten(ContentItem&& item) {
  const auto speaks = [](const ContentItem& entry) {
    return entry.is_call() || !entry.text.empty() || !entry.thinking.empty();
  };
  if (!item.is_call() && std::any_of(item.list.begin(), item.list.end(), speaks)) {
    return std::move(item.list);
  }
  std::vector<ContentItem> items;
  items.push_back(std::move(item));
  return items;
}

std::optional<chat::Usage> read_usage(json::Reader& reader) {
  Counts counts;
  bool sane = true;
  openai::each_member(reader, [&](std::string_view key) {
    int64_t* count = count_named(key, &counts);
    if (count == nullptr || reader.peek() == Type::Null) {
      reader.skip();
      return;
    }
    *count = openai::take_integer(reader).value_or(-1);
    if (*count < 0 || *count > chat::kAbsurdTokens) sane = false;
  });
  if (!sane || (counts.prompt == 0 && counts.completion == 0)) return std::nullopt;
  return buckets_of(counts);
}

Finish finish_of(std::string_view word, bool any_call, const std::optional<chat::Usage>& usage,
                 int64_t max_tokens) {
  for (const FinishWord& entry : kFinishWords) {
    if (entry.word == word) return entry.finish;
  }
  if (!word.empty()) return openai::finish_named(word);
  if (any_call) return Finish::ToolCalls;
  return usage && usage->output() >= max_tokens ? Finish::Length : Finish::Stop;
}

}  // namespace sluice::cortex
