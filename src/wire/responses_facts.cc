#include "wire/responses_facts.h"

#include <algorithm>
#include <array>

namespace sluice::responses {
namespace {

using chat::read_cost;
using chat::read_count;
using chat::take_from;
using json::Reader;
using json::Text;
using json::Type;

struct RawUsage {
  std::optional<int64_t> input;
  std::optional<int64_t> output;
  std::optional<int64_t> total;
  std::optional<int64_t> cached;
  std::optional<int64_t> cache_write;
  std::optional<int64_t> reasoning;
  double cost = 0;
  double upstream_cost = 0;
  bool byok = false;
  bool sane = true;
};

// Where in `usage` a number stands and where it goes.
struct Count {
  std::string_view object;  // the object it is in; empty: `usage` itself
  std::string_view name;
  std::optional<int64_t> RawUsage::*place;
};
constexpr std::array<Count, 6> kCounts{{
    {"", "input_tokens", &RawUsage::input},
    {"", "output_tokens", &RawUsage::output},
    {"", "total_tokens", &RawUsage::total},
    {"input_tokens_details", "cached_tokens", &RawUsage::cached},
    {"input_tokens_details", "cache_write_tokens", &RawUsage::cache_write},
    {"output_tokens_details", "reasoning_tokens", &RawUsage::reasoning},
}};

bool read_usage_object(Reader& reader, std::string_view object, RawUsage* usage);

bool read_usage_member(Reader& reader, std::string_view object, std::string_view key,
                       RawUsage* usage) {
  for (const Count& count : kCounts) {
    if (count.object == object && count.name == key) {
      return read_count(reader, &(usage->*count.place), &usage->sane);
    }
  }
  if (object == "cost_details" && key == "upstream_inference_cost") {
    return read_cost(reader, &usage->upstream_cost);
  }
  if (!object.empty()) return reader.skip();
  if (key == "cost") return read_cost(reader, &usage->cost);
  if (key == "is_byok" && reader.peek() == Type::Bool) return reader.boolean(&usage->byok);
  if (key.ends_with("_details") && reader.peek() == Type::Object) {
    return read_usage_object(reader, key, usage);
  }
  return reader.skip();
}

bool read_usage_object(Reader& reader, std::string_view object, RawUsage* usage) {
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (!read_usage_member(reader, object, key.raw, usage)) return false;
  }
  return !reader.failed();
}

std::optional<chat::Usage> buckets_of(const RawUsage& raw) {
  if (!raw.sane || !raw.input) return std::nullopt;
  const int64_t input = *raw.input;
  const int64_t rest = std::max<int64_t>(0, raw.total.value_or(input) - input);
  const int64_t output = raw.output.value_or(rest);
  if (input == 0 && output == 0) return std::nullopt;
  chat::Usage usage;
  int64_t left = input;
  usage.cache_read = take_from(&left, raw.cached.value_or(0));
  usage.cache_write = take_from(&left, raw.cache_write.value_or(0));
  usage.plain_input = left;
  left = output;
  usage.reasoning = take_from(&left, raw.reasoning.value_or(0));
  usage.visible_output = left;
  if (raw.cost > 0 || raw.byok) usage.provider_cost = raw.cost;
  usage.own_key = raw.byok;
  if (raw.byok && raw.upstream_cost > 0) usage.upstream_cost = raw.upstream_cost;
  return usage;
}

// An array of parts, each with its text under `text` or `refusal`.
bool read_text_parts(Reader& reader, openai::Content* content) {
  if (reader.peek() != Type::Array) return openai::read_text(reader, content);
  reader.open_array();
  while (reader.next_element()) {
    if (reader.peek() != Type::Object) {
      reader.skip();
      continue;
    }
    reader.open_object();
    Text key;
    while (reader.next_member(&key)) {
      if (key.raw == "text" || key.raw == "refusal") {
        openai::read_text(reader, content);
      } else {
        reader.skip();
      }
    }
  }
  return !reader.failed();
}

bool read_output(Reader& reader, ResponseFacts* facts) {
  if (reader.peek() != Type::Array) return reader.skip();
  facts->has_output = true;
  reader.open_array();
  while (reader.next_element()) {
    ItemFacts item;
    if (!read_item(reader, &item)) return false;
    facts->visible |= item.visible(/*done=*/true);
    facts->output_bytes += item.content.bytes;
    if (facts->item_ids.size() >= kMaxItemIds) continue;
    if (!item.id.empty()) facts->item_ids.push_back(item.id.str());
    if (!item.encrypted.empty()) facts->item_ids.push_back(seal_id(item.encrypted));
  }
  return !reader.failed();
}

}  // namespace

bool read_usage(Reader& reader, std::optional<chat::Usage>* usage) {
  usage->reset();
  if (reader.peek() != Type::Object) return reader.skip();
  RawUsage raw;
  if (!read_usage_object(reader, "", &raw)) return false;
  *usage = buckets_of(raw);
  return true;
}

bool ItemFacts::visible(bool done) const {
  if (content.any) return true;
  if (type.is("message") || type.is("reasoning")) return false;
  if (type.is("function_call") || type.is("custom_tool_call")) return done && !name.empty();
  return !type.empty();
}

std::string seal_id(const Text& encrypted) {
  constexpr size_t kEnough = 96;
  return "sealed:" + encrypted.str().substr(0, kEnough);
}

bool read_item(Reader& reader, ItemFacts* item) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    const std::string_view name = key.raw;
    if (name == "id") {
      chat::read_string(reader, &item->id);
    } else if (name == "type") {
      chat::read_string(reader, &item->type);
    } else if (name == "name") {
      chat::read_string(reader, &item->name);
    } else if (name == "encrypted_content") {
      chat::read_string(reader, &item->encrypted);
    } else if (name == "content" || name == "summary") {
      read_text_parts(reader, &item->content);
    } else if (name == "arguments" || name == "input" || name == "code" || name == "text" ||
               name == "refusal") {
      openai::read_text(reader, &item->content);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool ResponseFacts::is_failure() const {
  return has_error || status.is("failed") || status.is("cancelled");
}

bool ResponseFacts::read_member(Reader& reader, std::string_view key) {
  if (key == "id") return chat::read_string(reader, &id);
  if (key == "model") return chat::read_string(reader, &model);
  if (key == "status") return chat::read_string(reader, &status);
  if (key == "object") return chat::read_string(reader, &object);
  if (key == "output") return read_output(reader, this);
  if (key == "usage" || key == "service_tier") {
    const bool read =
        key == "usage" ? read_usage(reader, &usage) : openai::read_tier(reader, &tier);
    if (usage) usage->tier = tier;
    return read;
  }
  if (key == "error") return openai::read_error(reader, &error, &has_error);
  return reader.skip();
}

bool read_response(Reader& reader, ResponseFacts* facts) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (!facts->read_member(reader, key.raw)) return false;
  }
  return !reader.failed();
}

}  // namespace sluice::responses
