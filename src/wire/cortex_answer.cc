// Buffered answers of the native API.
#include <fmt/format.h>
#include <utility>

#include "wire/cortex.h"
#include "wire/cortex_content.h"
#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_usage.h"

namespace sluice::cortex {

using chat::Answer;
using chat::Finish;
using chat::Part;
using json::Type;

namespace {

struct Body {
  Answer answer;
  std::string finish_word;
  chat::ErrorFacts error;
  bool has_error = false;
  bool has_choice = false;
  bool any_call = false;
};

void place(ContentItem&& item, Body* body) {
  Part part;
  if (item.is_call()) {
    part.kind = Part::Kind::ToolCall;
    part.id =
        item.id.empty() ? fmt::format("call_{}", body->answer.parts.size()) : std::move(item.id);
    part.name = std::move(item.name);
    part.arguments = std::move(item.input);
    body->any_call = true;
  } else if (item.is_thinking()) {
    part.kind = Part::Kind::Thinking;
    part.text = item.take_thinking();
  } else {
    part.text = std::move(item.text);
  }
  if (part.kind != Part::Kind::ToolCall && part.text.empty()) return;
  body->answer.parts.push_back(std::move(part));
}

void read_choice(json::Reader& reader, Body* body) {
  body->has_choice = true;
  openai::each_member(reader, [&](std::string_view key) {
    if (key == "message") {
      for (ContentItem& item : flatten(read_item(reader))) place(std::move(item), body);
    } else if (key == "finish_reason") {
      body->finish_word = openai::take_text(reader);
    } else {
      reader.skip();
    }
  });
}

void read_member(json::Reader& reader, std::string_view key, Body* body) {
  if (key == "id") {
    body->answer.id = openai::take_text(reader);
  } else if (key == "model") {
    body->answer.model = openai::take_text(reader);
  } else if (key == "created") {
    body->answer.created = openai::take_integer(reader).value_or(0);
  } else if (key == "usage") {
    body->answer.usage = read_usage(reader);
  } else if (key == "error") {
    openai::read_error(reader, &body->error, &body->has_error);
  } else if (key == "message") {
    body->error.message = openai::take_text(reader);
  } else if (key == "code" || key == "error_code") {
    body->error.code = openai::take_text(reader);
  } else if (key == "choices") {
    openai::each_element(reader, [&] {
      if (body->has_choice || reader.peek() != Type::Object) {
        reader.skip();
      } else {
        read_choice(reader, body);
      }
    });
  } else {
    reader.skip();
  }
}

}  // namespace

Result<Answer> read_answer(std::string_view text, int64_t max_tokens) {
  if (!openai::is_json(text, Type::Object)) {
    return Error(Outcome::UpstreamBadReply, "the upstream's reply is not a JSON object");
  }
  Body body;
  json::Reader reader(text);
  openai::each_member(reader, [&](std::string_view key) { read_member(reader, key, &body); });
  const bool error = body.has_error || (!body.has_choice && !body.error.message.empty());
  if (error) {
    std::string message = std::move(body.error.message);
    if (message.empty()) message = "the upstream reported an error without a message";
    return Error(openai::outcome_of_error(body.error.code, body.error.type), std::move(message));
  }
  if (!body.has_choice) {
    return Error(Outcome::UpstreamBadReply, "the upstream's reply has no choice in `choices`");
  }
  Answer& answer = body.answer;
  answer.finish = finish_of(body.finish_word, body.any_call, answer.usage, max_tokens);
  if (answer.finish == Finish::Unknown) answer.native_finish = std::move(body.finish_word);
  return std::move(answer);
}

}  // namespace sluice::cortex
