#include "wire/openai_conversation.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "wire/openai.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_conversation_reader.h"

namespace sluice::openai {

using json::Type;

Result<chat::Conversation> read_conversation(std::string_view body) {
  Result<chat::Request> request = decode_request(chat::Endpoint::Chat, body);
  if (!request) return std::move(request.error());
  return ConversationReader(body).run();
}

Result<chat::Conversation> ConversationReader::run() {
  each_member(reader_, [this](std::string_view key) { member(key); });
  if (error_) return std::move(*error_);
  keep_allowed();
  return std::move(out_);
}

size_t ConversationReader::offset_here() {
  reader_.peek();
  return static_cast<size_t>(reader_.pointer() - body_.data());
}

void ConversationReader::fail(std::string what, size_t offset) {
  if (error_) return;
  const std::string path = json::path_at(body_, offset);
  error_.emplace(Outcome::BadRequest,
                 fmt::format("`{}` {} at {}", path, what, json::position_at(body_, offset)), path);
}

void ConversationReader::note(std::string field) {
  auto& names = out_.unmapped;
  if (std::find(names.begin(), names.end(), field) == names.end()) {
    names.push_back(std::move(field));
  }
}

void ConversationReader::member(std::string_view key) {
  if (key == "messages") {
    each_element(reader_, [this] { message(); });
  } else if (key == "tools") {
    each_element(reader_, [this] { tool(); });
  } else if (key == "functions") {
    each_element(reader_, [this] { function(&out_.tools.emplace_back()); });
  } else if (key == "tool_choice") {
    tool_choice();
  } else if (key == "function_call") {
    function_choice();
  } else if (key == "stop") {
    stop();
  } else if (key == "stream") {
    out_.stream = take_bool(reader_).value_or(false);
  } else if (key == "stream_options") {
    stream_options();
  } else if (key == "response_format") {
    response_format();
  } else if (key == "reasoning") {
    reasoning();
  } else if (!sampling(key) && !text_member(key)) {
    unmapped(key);
  }
}

bool ConversationReader::sampling(std::string_view key) {
  if (key == "temperature") {
    out_.temperature = take_real(reader_);
  } else if (key == "top_p") {
    out_.top_p = take_real(reader_);
  } else if (key == "top_k") {
    out_.top_k = take_integer(reader_);
  } else if (key == "frequency_penalty") {
    out_.frequency_penalty = take_real(reader_);
  } else if (key == "presence_penalty") {
    out_.presence_penalty = take_real(reader_);
  } else if (key == "seed") {
    out_.seed = take_integer(reader_);
  } else if (key == "n") {
    out_.choices = take_integer(reader_).value_or(1);
  } else if (key == "parallel_tool_calls") {
    out_.parallel_tool_calls = take_bool(reader_);
  } else if (key == "max_completion_tokens") {
    const std::optional<int64_t> limit = take_integer(reader_);
    completion_limit_ = limit.has_value();
    if (limit) out_.max_output_tokens = limit;
  } else if (key == "max_tokens") {
    const std::optional<int64_t> limit = take_integer(reader_);
    if (!completion_limit_) out_.max_output_tokens = limit;
  } else {
    return false;
  }
  return true;
}

bool ConversationReader::text_member(std::string_view key) {
  if (key == "model") {
    out_.model = take_text(reader_);
  } else if (key == "service_tier") {
    out_.service_tier = take_text(reader_);
  } else if (key == "prompt_cache_key") {
    out_.prompt_cache_key = take_text(reader_);
  } else if (key == "reasoning_effort") {
    out_.reasoning.effort = take_text(reader_);
  } else if (key == "safety_identifier") {
    safety_identifier_ = reader_.peek() == Type::String;
    std::string user = take_text(reader_);
    if (safety_identifier_) out_.user = std::move(user);
  } else if (key == "user") {
    std::string user = take_text(reader_);
    if (!safety_identifier_) out_.user = std::move(user);
  } else {
    return false;
  }
  return true;
}

void ConversationReader::stop() {
  if (reader_.peek() == Type::String) {
    out_.stop.push_back(take_text(reader_));
    return;
  }
  each_element(reader_, [this] {
    if (reader_.peek() != Type::String) fail("must be a string", offset_here());
    out_.stop.push_back(take_text(reader_));
  });
}

// include_usage is a matter between the gateway and the client; the rest concerns the upstream.
void ConversationReader::stream_options() {
  each_member(reader_, [this](std::string_view key) {
    const bool on = take_bool(reader_).value_or(true);
    if (on && key != "include_usage") note(fmt::format("stream_options.{}", key));
  });
}

void ConversationReader::response_format() {
  const size_t offset = offset_here();
  std::string type = "text";
  each_member(reader_, [&](std::string_view key) {
    if (key == "type") {
      type = take_text(reader_);
    } else if (key == "json_schema") {
      json_schema();
    } else {
      note(fmt::format("response_format.{}", key));
      reader_.skip();
    }
  });
  if (type == "json_object") {
    out_.format.kind = chat::Format::Kind::JsonObject;
  } else if (type == "json_schema") {
    out_.format.kind = chat::Format::Kind::JsonSchema;
  } else if (type != "text") {
    fail("must have the type \"text\", \"json_object\" or \"json_schema\"", offset);
  }
}

void ConversationReader::json_schema() {
  each_member(reader_, [this](std::string_view key) {
    if (key == "name") {
      out_.format.name = take_text(reader_);
    } else if (key == "description") {
      out_.format.description = take_text(reader_);
    } else if (key == "schema") {
      out_.format.schema = take_raw(reader_);
    } else if (key == "strict") {
      out_.format.strict = take_bool(reader_);
    } else {
      reader_.skip();
    }
  });
}

// OpenRouter's way to say it; it knows a budget too.
void ConversationReader::reasoning() {
  each_member(reader_, [this](std::string_view key) {
    if (key == "effort") {
      out_.reasoning.effort = take_text(reader_);
    } else if (key == "max_tokens") {
      out_.reasoning.budget = take_integer(reader_);
    } else {
      note(fmt::format("reasoning.{}", key));
      reader_.skip();
    }
  });
}

void ConversationReader::unmapped(std::string_view key) {
  // Values that ask for nothing, or for what is done anyway.
  constexpr std::array<std::string_view, 6> kNothing{"", "false", "{}", "[]", "0", "\"\""};
  const std::string value = take_raw(reader_);
  const bool nothing = std::find(kNothing.begin(), kNothing.end(), value) != kNothing.end() ||
                       (key == "modalities" && value == R"(["text"])") ||
                       (key == "verbosity" && value == R"("medium")");
  if (!nothing) note(std::string(key));
}

}  // namespace sluice::openai
