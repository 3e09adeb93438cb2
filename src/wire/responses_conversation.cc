#include "wire/responses_conversation.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "wire/responses.h"

namespace sluice::responses {
namespace {

// What only a provider can do that keeps things. `advice` says how to go without it.
struct Stateful {
  std::string_view field;
  std::string_view reason;
  std::string_view advice;
};
constexpr std::array<Stateful, 4> kStateful{{
    {"previous_response_id", "refers to a response that a provider keeps",
     "send the earlier items in `input`"},
    {"conversation", "refers to a conversation that a provider keeps",
     "send the earlier items in `input`"},
    {"prompt", "refers to a prompt that a provider keeps",
     "send its text in `instructions` and `input`"},
    {"background", "asks for an answer that a provider keeps until it is fetched", "leave it out"},
}};

// Fields of the body that are read, or that change nothing for a target of another dialect:
// `metadata` goes back to the client with the answer, `stream_options` speaks of padding that the
// gateway never sends.
constexpr std::string_view kRead[] = {
    "model",
    "stream",
    "input",
    "instructions",
    "max_output_tokens",
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "user",
    "safety_identifier",
    "service_tier",
    "prompt_cache_key",
    "tools",
    "tool_choice",
    "text",
    "reasoning",
    "store",
    "include",
    "truncation",
    "top_logprobs",
    "metadata",
    "stream_options",
    "previous_response_id",
    "conversation",
    "prompt",
    "background",
};

}  // namespace

void ConversationReader::fail(std::string message, std::string param) {
  if (!error_) error_.emplace(Outcome::BadRequest, std::move(message), std::move(param));
}

void ConversationReader::missing(const std::string& path, std::string_view expected) {
  fail(fmt::format("`{}` is missing: {} is required", path, expected), path);
}

Result<chat::Conversation> ConversationReader::run() {
  out_.model = body_.text("model");
  out_.stream = body_.boolean("stream").value_or(false);
  check_stateless();
  input();
  tools();
  tool_choice();
  sampling();
  format();
  reasoning();
  store_and_include();
  rest();
  if (error_) return std::move(*error_);
  return std::move(out_);
}

void ConversationReader::check_stateless() {
  for (const Stateful& stateful : kStateful) {
    const std::string_view value = body_.raw(stateful.field);
    if (value.empty() || value == "false") continue;
    fail(fmt::format("`{}` {}, and the target of this model keeps nothing: {}, or choose a model "
                     "whose target speaks Responses",
                     stateful.field, stateful.reason, stateful.advice),
         std::string(stateful.field));
  }
}

void ConversationReader::sampling() {
  out_.max_output_tokens = body_.integer("max_output_tokens");
  out_.temperature = body_.real("temperature");
  out_.top_p = body_.real("top_p");
  out_.parallel_tool_calls = body_.boolean("parallel_tool_calls");
  out_.user = body_.text("safety_identifier");
  if (out_.user.empty()) out_.user = body_.text("user");
  out_.service_tier = body_.text("service_tier");
  out_.prompt_cache_key = body_.text("prompt_cache_key");
}

void ConversationReader::format() {
  using Kind = chat::Format::Kind;
  const Object text(body_.raw("text"));
  note_others(text, "text", {"format", "verbosity"});
  const std::string verbosity = text.text("verbosity");
  if (!verbosity.empty() && verbosity != "medium") unmapped("text.verbosity");
  const Object format(text.raw("format"));
  const std::string type = format.text("type");
  if (type == "json_object") {
    out_.format.kind = Kind::JsonObject;
  } else if (type == "json_schema") {
    out_.format = {.kind = Kind::JsonSchema,
                   .name = format.text("name"),
                   .description = format.text("description"),
                   .schema = std::string(format.raw("schema")),
                   .strict = format.boolean("strict")};
    if (out_.format.name.empty()) missing("text.format.name", "the name of the schema, a string,");
    if (format.type("schema") != json::Type::Object) {
      missing("text.format.schema", "a JSON Schema, an object,");
    }
  } else if (!type.empty() && type != "text") {
    fail(fmt::format("`text.format.type` must be \"text\", \"json_object\" or \"json_schema\" for "
                     "the target of this model, not \"{}\"",
                     type),
         "text.format.type");
  }
}

void ConversationReader::reasoning() {
  const Object reasoning(body_.raw("reasoning"));
  note_others(reasoning, "reasoning", {"effort", "summary", "generate_summary"});
  out_.reasoning.effort = reasoning.text("effort");
  out_.reasoning.summary = reasoning.text("summary");
  if (out_.reasoning.summary.empty()) {
    out_.reasoning.summary = reasoning.text("generate_summary");
  }
}

void ConversationReader::store_and_include() {
  // That answers are kept is the default, which nobody asked for.
  if (body_.boolean("store").value_or(false)) unmapped("store");
  const std::string truncation = body_.text("truncation");
  if (!truncation.empty() && truncation != "disabled") unmapped("truncation");
  if (body_.integer("top_logprobs").value_or(0) > 0) unmapped("top_logprobs");
  const std::vector<std::string_view> include = elements_of(body_.raw("include"));
  for (size_t i = 0; i < include.size(); ++i) {
    const std::string what = text_of(include[i]);
    if (what != "reasoning.encrypted_content") unmapped(fmt::format("include[{}] ({})", i, what));
  }
}

void ConversationReader::rest() {
  for (const Object::Member& member : body_.members()) {
    const bool read = std::find(std::begin(kRead), std::end(kRead), member.name) != std::end(kRead);
    if (!read) unmapped(member.name);
  }
}

Result<chat::Conversation> read_conversation(std::string_view body) {
  return ConversationReader(body).run();
}

}  // namespace sluice::responses
