// Writing the events of an answer as chunks.
#include <fmt/format.h>

#include "wire/openai_answer.h"
#include "wire/openai_events.h"

namespace sluice::openai {

using chat::AnswerEvent;
using Kind = AnswerEvent::Kind;

void EventWriter::write(const AnswerEvent& event, std::string& out) {
  if (event.kind != Kind::Arguments) close_call(out);
  switch (event.kind) {
    case Kind::Start:
      return start(event, out);
    case Kind::Text:
      return text_chunk("content", event.text, out);
    case Kind::Refusal:
      return text_chunk("refusal", event.text, out);
    case Kind::Thinking:
      return text_chunk("reasoning_content", event.text, out);
    case Kind::ToolCall:
      return call(event, out);
    case Kind::Arguments:
      return arguments(event.text, out);
    case Kind::Finish:
      return chunk("{}", &event, out);
    case Kind::Usage:
      usage_ = event.usage;
      return;
    case Kind::End:
      return end(out);
    case Kind::Signature:
    case Kind::Redacted:
      return;
  }
}

void EventWriter::start(const AnswerEvent& event, std::string& out) {
  head_ = "data: ";
  std::string identity;
  JsonWriter json(identity);
  json.open_object().member("id", event.id.empty() ? options_.id : event.id);
  json.member("object", "chat.completion.chunk");
  json.key("created").integer(event.created == 0 ? options_.created : event.created);
  json.member("model", event.name.empty() ? options_.model : event.name).key("choices");
  head_ += identity;
  chunk(R"({"role":"assistant","content":"","refusal":null})", nullptr, out);
}

void EventWriter::chunk(std::string_view delta, const AnswerEvent* finish, std::string& out) const {
  out += head_;
  JsonWriter json(out);
  json.open_array().open_object().key("index").integer(0).member_raw("delta", delta);
  json.key("logprobs").null();
  if (finish != nullptr) {
    write_finish(json, finish->finish, finish->text);
  } else {
    json.key("finish_reason").null();
  }
  json.close_object().close_array();
  if (options_.asked_usage) json.key("usage").null();
  json.close_object();
  out += "\n\n";
}

void EventWriter::text_chunk(std::string_view field, std::string_view text,
                             std::string& out) const {
  std::string delta;
  JsonWriter(delta).open_object().member(field, text).close_object();
  chunk(delta, nullptr, out);
}

void EventWriter::call(const AnswerEvent& event, std::string& out) {
  custom_ = event.custom;
  bare_ = !custom_;
  std::string delta;
  JsonWriter json(delta);
  json.open_object().key("tool_calls").open_array().open_object();
  json.key("index").integer(calls_++);
  json.member("id", event.id).member("type", custom_ ? "custom" : "function");
  json.key(custom_ ? "custom" : "function").open_object().member("name", event.name);
  json.member(custom_ ? "input" : "arguments", "").close_object();
  json.close_object().close_array().close_object();
  chunk(delta, nullptr, out);
}

void EventWriter::arguments(std::string_view text, std::string& out) {
  if (text.empty()) return;
  bare_ = false;
  std::string delta;
  JsonWriter json(delta);
  json.open_object().key("tool_calls").open_array().open_object();
  json.key("index").integer(calls_ - 1).key(custom_ ? "custom" : "function").open_object();
  json.member(custom_ ? "input" : "arguments", text).close_object();
  json.close_object().close_array().close_object();
  chunk(delta, nullptr, out);
}

// A tool without parameters may be called with nothing at all, which is no JSON.
void EventWriter::close_call(std::string& out) {
  if (bare_) arguments("{}", out);
}

void EventWriter::end(std::string& out) const {
  if (options_.asked_usage && usage_) {
    out += head_;
    JsonWriter json(out);
    json.open_array().close_array().key("usage");
    write_usage(json, *usage_);
    json.close_object();
    out += "\n\n";
  }
  out += "data: [DONE]\n\n";
}

std::string EventWriter::empty_event() const {
  std::string out;
  if (!head_.empty()) chunk("{}", nullptr, out);
  return out;
}

}  // namespace sluice::openai
