// Reading buffered replies.
#include <fmt/format.h>

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
  ErrorFacts error;
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

bool read_plain_text(Reader& reader, Text* text) {
  return reader.peek() == Type::String ? reader.string(text) : reader.skip();
}

bool read_member(Reader& reader, std::string_view key, bool embeddings, ReplyState* state) {
  if (key == "model") {
    Text text;
    if (!read_plain_text(reader, &text)) return false;
    state->reply.model = text.str();
    return true;
  }
  if (key == "choices" && !embeddings) return read_choices(reader, state);
  if (key == "data" && embeddings) return read_data(reader, state);
  if (key == "usage") return read_usage(reader, &state->reply.usage);
  if (key == "error") return note_error(reader, state);
  if (key == "service_tier") return read_tier(reader, &state->tier);
  if (key == "object") return read_plain_text(reader, &state->object);
  if (key == "message") return read_plain_text(reader, &state->message);
  return reader.skip();
}

Error bad_reply(std::string_view body, std::string_view why) {
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return Error(Outcome::UpstreamBadReply, "the upstream's reply is empty");
  }
  if (body[first] == '<') {
    return Error(Outcome::UpstreamBadReply,
                 "the upstream's reply is an HTML or XML page, not JSON");
  }
  return Error(Outcome::UpstreamBadReply, fmt::format("the upstream's reply is {}", why));
}

}  // namespace

Result<chat::Reply> decode_reply(chat::Endpoint endpoint, std::string_view body) {
  if (!json::is_utf8(body)) return bad_reply(body, "not valid UTF-8");
  Reader reader(body);
  if (reader.peek() != Type::Object) return bad_reply(body, "not a JSON object");
  ReplyState state;
  reader.open_object();
  Text key;
  const bool embeddings = endpoint == chat::Endpoint::Embeddings;
  while (reader.next_member(&key)) {
    if (!read_member(reader, key.raw, embeddings, &state)) break;
  }
  if (!reader.finish()) {
    const Error error = json::error_of(Outcome::UpstreamBadReply, body, reader);
    return bad_reply(body, error.message());
  }
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
    return bad_reply(body,
                     embeddings ? "JSON without a `data` array" : "JSON without a `choices` array");
  }
  return std::move(reply);
}

}  // namespace sluice::openai
