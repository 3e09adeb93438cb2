#include "wire/anthropic_usage.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice::anthropic {
namespace {

using chat::read_cost;
using chat::read_word;
using json::Reader;
using json::Text;
using json::Type;

bool read_count(Reader& reader, int64_t* count) {
  if (reader.peek() != Type::Number) return reader.skip();
  std::string_view digits;
  if (!reader.number(&digits)) return false;
  const int64_t value = json::to_integer(digits).value_or(-1);
  if (value >= 0 && value <= chat::kAbsurdTokens) *count = value;
  return true;
}

bool read_lifetimes(Reader& reader, UsageCounts* counts) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "ephemeral_5m_input_tokens") {
      read_count(reader, &counts->cache_write_5m);
    } else if (key.raw == "ephemeral_1h_input_tokens") {
      read_count(reader, &counts->cache_write_1h);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_output_details(Reader& reader, UsageCounts* counts) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "thinking_tokens") {
      read_count(reader, &counts->thinking);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_tier(Reader& reader, chat::ServiceTier* tier) {
  if (reader.peek() != Type::String) return reader.skip();
  Text word;
  if (!reader.string(&word)) return false;
  const chat::ServiceTier named = chat::service_tier_named(word.str());
  if (*tier != chat::ServiceTier::Fast) *tier = named;
  return true;
}

// "fast" has rates of its own, as a tier has.
bool read_speed(Reader& reader, chat::ServiceTier* tier) {
  if (reader.peek() != Type::String) return reader.skip();
  Text word;
  if (!reader.string(&word)) return false;
  if (word.is("fast")) *tier = chat::ServiceTier::Fast;
  return true;
}

bool read_member(Reader& reader, std::string_view key, UsageCounts* counts) {
  if (key == "input_tokens") return read_count(reader, &counts->input);
  if (key == "cache_creation_input_tokens") return read_count(reader, &counts->cache_write);
  if (key == "cache_read_input_tokens") return read_count(reader, &counts->cache_read);
  if (key == "cache_creation") return read_lifetimes(reader, counts);
  if (key == "output_tokens") return read_count(reader, &counts->output);
  if (key == "output_tokens_details") return read_output_details(reader, counts);
  if (key == "cost") return read_cost(reader, &counts->cost);
  if (key == "service_tier") return read_tier(reader, &counts->tier);
  if (key == "speed") return read_speed(reader, &counts->tier);
  return reader.skip();
}

void replace(int64_t* count, int64_t later) {
  if (later >= 0) *count = later;
}

bool read_details(Reader& reader, chat::ErrorFacts* facts) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "error_code") {
      read_word(reader, &facts->code);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

}  // namespace

void UsageCounts::update(const UsageCounts& later) {
  if (later.input > 0 || later.cache_write > 0 || later.cache_read > 0 || input < 0) {
    replace(&input, later.input);
    replace(&cache_write, later.cache_write);
    replace(&cache_write_5m, later.cache_write_5m);
    replace(&cache_write_1h, later.cache_write_1h);
    replace(&cache_read, later.cache_read);
  }
  replace(&output, later.output);
  replace(&thinking, later.thinking);
  if (later.cost > 0) cost = later.cost;
  if (later.tier != chat::ServiceTier::Unsaid) tier = later.tier;
}

std::optional<chat::Usage> UsageCounts::buckets() const {
  const auto count = [](int64_t value) { return std::max<int64_t>(value, 0); };
  if (input < 0) return std::nullopt;
  chat::Usage usage;
  usage.plain_input = input;
  usage.cache_read = count(cache_read);
  // The lifetimes are details of the total; alone they are the total.
  const int64_t written =
      cache_write >= 0 ? cache_write : count(cache_write_5m) + count(cache_write_1h);
  usage.cache_write_1h = std::min(count(cache_write_1h), written);
  usage.cache_write = written - usage.cache_write_1h;
  usage.reasoning = std::min(count(thinking), count(output));
  usage.visible_output = count(output) - usage.reasoning;
  if (usage.input() == 0 && usage.output() == 0) return std::nullopt;
  if (cost > 0) usage.provider_cost = cost;
  usage.tier = tier;
  return usage;
}

bool read_usage(Reader& reader, UsageCounts* counts) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (!read_member(reader, key.raw, counts)) return false;
  }
  return !reader.failed();
}

void append_usage(std::string& out, const chat::Usage& usage) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"input_tokens":{},"cache_creation_input_tokens":{},)"
                 R"("cache_read_input_tokens":{},"cache_creation":)"
                 R"({{"ephemeral_5m_input_tokens":{},"ephemeral_1h_input_tokens":{}}},)"
                 R"("output_tokens":{},"output_tokens_details":{{"thinking_tokens":{}}}}})",
                 usage.plain_input + usage.audio_input, usage.cache_write + usage.cache_write_1h,
                 usage.cache_read, usage.cache_write, usage.cache_write_1h, usage.output(),
                 usage.reasoning);
}

chat::Usage estimated_usage(const chat::StreamOptions& names, int64_t output_bytes) {
  constexpr int64_t kBytesPerToken = 4;
  chat::Usage usage;
  usage.plain_input = std::max<int64_t>(names.prompt_tokens, 1);
  usage.visible_output = std::max<int64_t>((output_bytes + kBytesPerToken - 1) / kBytesPerToken, 1);
  return usage;
}

bool read_error(Reader& reader, chat::ErrorFacts* facts, bool* present) {
  const Type type = reader.peek();
  *present = type != Type::Null;
  if (type != Type::Object) return read_word(reader, &facts->message);
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "message") {
      read_word(reader, &facts->message);
    } else if (key.raw == "type") {
      read_word(reader, &facts->type);
    } else if (key.raw == "code") {
      read_word(reader, &facts->code);
    } else if (key.raw == "details") {
      read_details(reader, facts);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

}  // namespace sluice::anthropic
