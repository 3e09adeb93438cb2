#include "wire/openai_usage.h"

#include <algorithm>

namespace sluice::openai {
namespace {

using json::Reader;
using json::Text;
using json::Type;

// A count of tokens as it stands in a usage object.
struct Count {
  int64_t value = 0;
  bool present = false;
};

struct RawUsage {
  Count prompt;
  Count completion;
  Count total;
  Count cached;
  Count cache_write;
  Count audio_input;
  Count reasoning;
  Count audio_output;
  double cost = 0;
  double upstream_cost = 0;
  bool byok = false;
  bool sane = true;
};

bool read_count(Reader& reader, Count* count, bool* sane) {
  const Type type = reader.peek();
  if (type == Type::Null) return reader.null();
  std::string_view digits;
  if (type != Type::Number) {
    *sane = false;
    return reader.skip();
  }
  if (!reader.number(&digits)) return false;
  const std::optional<int64_t> value = json::to_integer(digits);
  if (!value || *value < 0 || *value > kAbsurdTokens) {
    *sane = false;
    return true;
  }
  *count = {*value, true};
  return true;
}

// A cost counts only as a positive number (acceptance COST-7).
bool read_cost(Reader& reader, double* cost) {
  if (reader.peek() != Type::Number) return reader.skip();
  std::string_view digits;
  if (!reader.number(&digits)) return false;
  *cost = std::max(0.0, json::to_double(digits));
  return true;
}

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

// Takes up to `wanted` from what is left of a total.
int64_t take(int64_t wanted, int64_t* left) {
  const int64_t taken = std::min(wanted, *left);
  *left -= taken;
  return taken;
}

std::optional<chat::Usage> buckets_of(const RawUsage& raw) {
  if (!raw.sane || !raw.prompt.present) return std::nullopt;
  const int64_t prompt = raw.prompt.value;
  int64_t completion = raw.completion.value;
  if (!raw.completion.present && raw.total.present) {
    completion = std::max<int64_t>(0, raw.total.value - prompt);
  }
  // Some providers count reasoning beside completion_tokens, not within: the total tells which.
  const bool beside = raw.completion.present && raw.total.present && raw.reasoning.value > 0 &&
                      raw.total.value == prompt + completion + raw.reasoning.value;
  if (beside) completion += raw.reasoning.value;
  if (prompt == 0 && completion == 0) return std::nullopt;
  chat::Usage usage;
  int64_t left = prompt;
  usage.cache_read = take(raw.cached.value, &left);
  usage.cache_write = take(raw.cache_write.value, &left);
  usage.audio_input = take(raw.audio_input.value, &left);
  usage.plain_input = left;
  left = completion;
  usage.reasoning = take(raw.reasoning.value, &left);
  usage.audio_output = take(raw.audio_output.value, &left);
  usage.visible_output = left;
  if (raw.cost > 0 || raw.byok) usage.provider_cost = raw.cost;
  usage.own_key = raw.byok;
  if (raw.byok && raw.upstream_cost > 0) usage.upstream_cost = raw.upstream_cost;
  return usage;
}

// A number, a boolean or a string as text.
bool read_word(Reader& reader, std::string* word) {
  const Type type = reader.peek();
  Text text;
  if (type == Type::String) {
    if (!reader.string(&text)) return false;
    *word = text.str();
    return true;
  }
  const char* start = reader.pointer();
  if (!reader.skip()) return false;
  if (type == Type::Number) *word = std::string(reader.since(start));
  return true;
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

bool read_error(Reader& reader, ErrorFacts* facts, bool* present) {
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
