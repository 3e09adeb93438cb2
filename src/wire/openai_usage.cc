#include "wire/openai_usage.h"

#include <algorithm>

namespace sluice::openai {
namespace {

using chat::read_cost;
using chat::read_count;
using chat::read_word;
using chat::take_from;
using json::Reader;
using json::Text;
using json::Type;

struct RawUsage {
  std::optional<int64_t> prompt;
  std::optional<int64_t> completion;
  std::optional<int64_t> total;
  std::optional<int64_t> cached;
  std::optional<int64_t> cache_write;
  std::optional<int64_t> audio_input;
  std::optional<int64_t> reasoning;
  std::optional<int64_t> audio_output;
  double cost = 0;
  double upstream_cost = 0;
  bool byok = false;
  bool sane = true;
};

bool read_prompt_details(Reader& reader, RawUsage* usage) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "cached_tokens") {
      read_count(reader, &usage->cached, &usage->sane);
    } else if (key.raw == "cache_write_tokens") {
      read_count(reader, &usage->cache_write, &usage->sane);
    } else if (key.raw == "audio_tokens") {
      read_count(reader, &usage->audio_input, &usage->sane);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_completion_details(Reader& reader, RawUsage* usage) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "reasoning_tokens") {
      read_count(reader, &usage->reasoning, &usage->sane);
    } else if (key.raw == "audio_tokens") {
      read_count(reader, &usage->audio_output, &usage->sane);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_cost_details(Reader& reader, RawUsage* usage) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "upstream_inference_cost") {
      read_cost(reader, &usage->upstream_cost);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_usage_member(Reader& reader, std::string_view key, RawUsage* usage) {
  if (key == "prompt_tokens") return read_count(reader, &usage->prompt, &usage->sane);
  if (key == "completion_tokens") return read_count(reader, &usage->completion, &usage->sane);
  if (key == "total_tokens") return read_count(reader, &usage->total, &usage->sane);
  if (key == "prompt_tokens_details") return read_prompt_details(reader, usage);
  if (key == "completion_tokens_details") return read_completion_details(reader, usage);
  if (key == "cost") return read_cost(reader, &usage->cost);
  if (key == "cost_details") return read_cost_details(reader, usage);
  if (key == "is_byok" && reader.peek() == Type::Bool) return reader.boolean(&usage->byok);
  return reader.skip();
}

std::optional<chat::Usage> buckets_of(const RawUsage& raw) {
  if (!raw.sane || !raw.prompt) return std::nullopt;
  const int64_t prompt = *raw.prompt;
  const int64_t reasoning = raw.reasoning.value_or(0);
  const int64_t rest = std::max<int64_t>(0, raw.total.value_or(prompt) - prompt);
  int64_t completion = raw.completion.value_or(rest);
  // Some providers count reasoning beside completion_tokens, not within: the total tells which.
  const bool beside =
      raw.completion && reasoning > 0 && raw.total == prompt + completion + reasoning;
  if (beside) completion += reasoning;
  if (prompt == 0 && completion == 0) return std::nullopt;
  chat::Usage usage;
  int64_t left = prompt;
  usage.cache_read = take_from(&left, raw.cached.value_or(0));
  usage.cache_write = take_from(&left, raw.cache_write.value_or(0));
  usage.audio_input = take_from(&left, raw.audio_input.value_or(0));
  usage.plain_input = left;
  left = completion;
  usage.reasoning = take_from(&left, reasoning);
  usage.audio_output = take_from(&left, raw.audio_output.value_or(0));
  usage.visible_output = left;
  if (raw.cost > 0 || raw.byok) usage.provider_cost = raw.cost;
  usage.own_key = raw.byok;
  if (raw.byok && raw.upstream_cost > 0) usage.upstream_cost = raw.upstream_cost;
  return usage;
}

// One entry of tool_calls.
bool read_tool_call(Reader& reader, Content* content) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "function" || key.raw == "custom") {
      read_function(reader, content);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_part(Reader& reader, Content* content) {
  if (reader.peek() == Type::String) return read_text(reader, content);
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  content->any = true;
  while (reader.next_member(&key)) {
    if (key.raw == "text" || key.raw == "refusal" || key.raw == "thinking") {
      read_parts(reader, content);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

}  // namespace

bool read_usage(Reader& reader, std::optional<chat::Usage>* usage) {
  usage->reset();
  if (reader.peek() != Type::Object) return reader.skip();
  RawUsage raw;
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (!read_usage_member(reader, key.raw, &raw)) return false;
  }
  if (reader.failed()) return false;
  *usage = buckets_of(raw);
  return true;
}

bool read_tier(Reader& reader, chat::ServiceTier* tier) {
  if (reader.peek() != Type::String) return reader.skip();
  Text word;
  if (!reader.string(&word)) return false;
  *tier = chat::service_tier_named(word.str());
  return true;
}

bool read_error(Reader& reader, chat::ErrorFacts* facts, bool* present) {
  const Type type = reader.peek();
  *present = true;
  if (type != Type::Object) {
    const char* start = reader.pointer();
    if (!read_word(reader, &facts->message)) return false;
    if (type == Type::Null || reader.since(start) == "false") *present = false;
    if (type == Type::String && facts->message.empty()) *present = false;
    return true;
  }
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "message") {
      read_word(reader, &facts->message);
    } else if (key.raw == "type") {
      read_word(reader, &facts->type);
    } else if (key.raw == "code") {
      read_word(reader, &facts->code);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_text(Reader& reader, Content* content) {
  if (reader.peek() != Type::String) return reader.skip();
  Text text;
  if (!reader.string(&text)) return false;
  if (!text.empty()) content->any = true;
  content->bytes += static_cast<int64_t>(text.length());
  return true;
}

bool read_parts(Reader& reader, Content* content) {
  if (reader.peek() != Type::Array) return read_text(reader, content);
  // Parts hold parts at most once (a thinking part's text): no deeper recursion than the reader's
  // own limit allows.
  reader.open_array();
  while (reader.next_element()) read_part(reader, content);
  return !reader.failed();
}

bool read_presence(Reader& reader, Content* content) {
  const Type type = reader.peek();
  const char* start = reader.pointer();
  if (!reader.skip()) return false;
  const std::string_view value = reader.since(start);
  if ((type == Type::Object || type == Type::Array) && value.size() > 2) content->any = true;
  return true;
}

bool read_tool_calls(Reader& reader, Content* content) {
  if (reader.peek() != Type::Array) return reader.skip();
  reader.open_array();
  while (reader.next_element()) {
    content->any = true;
    read_tool_call(reader, content);
  }
  return !reader.failed();
}

bool read_function(Reader& reader, Content* content) {
  if (reader.peek() != Type::Object) return reader.skip();
  content->any = true;
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "arguments" || key.raw == "input") {
      read_text(reader, content);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

}  // namespace sluice::openai
