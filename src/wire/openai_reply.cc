// Reading buffered replies.
#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_usage.h"

namespace sluice::openai {
namespace {

using json::Reader;
using json::Text;
using json::Type;

struct ReplyState {
  chat::Reply reply;
  chat::ErrorFacts error;
  bool has_choices = false;  // `choices`, or `data` of an embeddings reply
  Text object;
  chat::ServiceTier tier = chat::ServiceTier::Unsaid;
  Text message;  // top level, as some servers say what went wrong
};

bool read_message(Reader& reader, Content* content) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "content") {
      read_parts(reader, content);
    } else if (key.raw == "reasoning" || key.raw == "reasoning_content" || key.raw == "refusal") {
      read_text(reader, content);
    } else if (key.raw == "tool_calls") {
      read_tool_calls(reader, content);
    } else if (key.raw == "function_call") {
      read_function(reader, content);
    } else if (key.raw == "audio" || key.raw == "images") {
      read_presence(reader, content);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool note_error(Reader& reader, ReplyState* state) {
  bool present = false;
  if (!read_error(reader, &state->error, &present)) return false;
  if (present) state->reply.is_error = true;
  return true;
}

bool read_choice(Reader& reader, ReplyState* state, Content* content) {
  if (reader.peek() != Type::Object) return reader.skip();
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    if (key.raw == "message") {
      read_message(reader, content);
    } else if (key.raw == "text") {
      read_text(reader, content);
    } else if (key.raw == "error") {
      note_error(reader, state);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

bool read_choices(Reader& reader, ReplyState* state) {
  if (reader.peek() != Type::Array) return reader.skip();
  state->has_choices = true;
  Content content;
  reader.open_array();
  while (reader.next_element()) read_choice(reader, state, &content);
  state->reply.has_content = content.any;
  state->reply.output_bytes = content.bytes;
  return !reader.failed();
}

// Embeddings are numbers or base64: there is content, but no text.
bool read_data(Reader& reader, ReplyState* state) {
  if (reader.peek() != Type::Array) return reader.skip();
  state->has_choices = true;
  reader.open_array();
  while (reader.next_element()) {
    state->reply.has_content = true;
    reader.skip();
  }
  return !reader.failed();
}

bool read_member(Reader& reader, std::string_view key, bool embeddings, ReplyState* state) {
  if (key == "model") {
    Text text;
    if (!chat::read_string(reader, &text)) return false;
    state->reply.model = text.str();
    return true;
  }
  if (key == "choices" && !embeddings) return read_choices(reader, state);
  if (key == "data" && embeddings) return read_data(reader, state);
  if (key == "usage") return read_usage(reader, &state->reply.usage);
  if (key == "error") return note_error(reader, state);
  if (key == "service_tier") return read_tier(reader, &state->tier);
  if (key == "object") return chat::read_string(reader, &state->object);
  if (key == "message") return chat::read_string(reader, &state->message);
  return reader.skip();
}

}  // namespace

Result<chat::Reply> decode_reply(chat::Endpoint endpoint, std::string_view body) {
  ReplyState state;
  const bool embeddings = endpoint == chat::Endpoint::Embeddings;
  Result<void> read = chat::read_reply(body, [&](Reader& reader, std::string_view key) {
    return read_member(reader, key, embeddings, &state);
  });
  if (!read) return std::move(read).error();
  chat::Reply& reply = state.reply;
  if (reply.usage) reply.usage->tier = state.tier;
  if (state.object.raw == "error" && !reply.is_error) {
    reply.is_error = true;
    state.error.message = state.message.str();
  }
  if (reply.is_error) {
    reply.error_outcome = outcome_of_error(state.error.code, state.error.type);
    reply.error_message = std::move(state.error.message);
    reply.error_code = std::move(state.error.code);
    reply.error_type = std::move(state.error.type);
    return std::move(reply);
  }
  if (!state.has_choices) {
    return chat::bad_reply(
        body, embeddings ? "JSON without a `data` array" : "JSON without a `choices` array");
  }
  return std::move(reply);
}

}  // namespace sluice::openai
