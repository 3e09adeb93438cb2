// Reading buffered replies.
#include "wire/anthropic.h"
#include "wire/anthropic_usage.h"
#include "wire/json.h"

namespace sluice::anthropic {
namespace {

using json::Reader;
using json::Text;
using json::Type;

struct ReplyState {
  chat::Reply reply;
  UsageCounts usage;
  chat::ErrorFacts error;
  Text type;
  bool has_content = false;  // an array
};

// A block of text counts by its text; any other is content by being there.
bool read_block(Reader& reader, chat::Reply* reply) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  bool is_text = false;
  int64_t bytes = 0;
  Text key;
  while (reader.next_member(&key)) {
    const Type type = reader.peek();
    const char* start = reader.pointer();
    Text text;
    if (type == Type::String && (key.raw == "text" || key.raw == "thinking")) {
      if (reader.string(&text)) bytes += static_cast<int64_t>(text.length());
    } else if (type == Type::String && key.raw == "type") {
      if (reader.string(&text)) is_text = text.is("text") || text.is("thinking");
    } else if (reader.skip() && key.raw == "input") {
      bytes += static_cast<int64_t>(reader.since(start).size());
    }
  }
  reply->output_bytes += bytes;
  reply->has_content |= !is_text || bytes > 0;
  return !reader.failed();
}

bool read_content(Reader& reader, ReplyState* state) {
  if (reader.peek() != Type::Array) return reader.skip();
  state->has_content = true;
  reader.open_array();
  while (reader.next_element()) read_block(reader, &state->reply);
  return !reader.failed();
}

bool read_member(Reader& reader, std::string_view key, ReplyState* state) {
  if (key == "content") return read_content(reader, state);
  if (key == "usage") return read_usage(reader, &state->usage);
  if (key == "error") {
    bool present = false;
    if (!read_error(reader, &state->error, &present)) return false;
    state->reply.is_error |= present;
    return true;
  }
  if (reader.peek() != Type::String) return reader.skip();
  Text text;
  if (!reader.string(&text)) return false;
  if (key == "model") state->reply.model = text.str();
  if (key == "type") state->type = text;
  return true;
}

}  // namespace

Result<chat::Reply> decode_reply(std::string_view body) {
  ReplyState state;
  Result<void> read = chat::read_reply(
      body, [&](Reader& reader, std::string_view key) { return read_member(reader, key, &state); });
  if (!read) return std::move(read).error();
  chat::Reply& reply = state.reply;
  reply.is_error |= state.type.is("error");
  if (reply.is_error) {
    reply.error_outcome = outcome_of_error(state.error.type, state.error.message);
    reply.error_message = std::move(state.error.message);
    reply.error_code = std::move(state.error.code);
    reply.error_type = std::move(state.error.type);
    return std::move(reply);
  }
  if (!state.has_content) return chat::bad_reply(body, "JSON without a `content` array");
  reply.usage = state.usage.buckets();
  return std::move(reply);
}

Result<int64_t> decode_count(std::string_view body) {
  if (!json::is_utf8(body)) return chat::bad_reply(body, "not valid UTF-8");
  Reader reader(body);
  if (reader.peek() != Type::Object) return chat::bad_reply(body, "not a JSON object");
  int64_t count = -1;
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    std::string_view digits;
    if (key.raw != "input_tokens" || reader.peek() != Type::Number) {
      reader.skip();
    } else if (reader.number(&digits)) {
      count = json::to_integer(digits).value_or(-1);
    }
  }
  if (!reader.finish() || count < 0 || count > chat::kAbsurdTokens) {
    return chat::bad_reply(body, "no count of tokens");
  }
  return count;
}

}  // namespace sluice::anthropic
