#include "wire/responses_writer.h"

#include <array>
#include <fmt/format.h>

#include "wire/json.h"
#include "wire/responses_items.h"

namespace sluice::responses {

// How events call one kind of text.
struct EventWriter::Words {
  std::string_view part_added;
  std::string_view delta;
  std::string_view done;
  std::string_view part_done;
  std::string_view member;  // of the done event
  std::string_view index;
  void (*append_part)(std::string& out, std::string_view text) = nullptr;
  bool logprobs = false;
};

namespace {

constexpr std::string_view kInProgress = "in_progress";
constexpr std::string_view kCompleted = "completed";

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  json::append_quoted(out, text);
}

}  // namespace

const EventWriter::Words& EventWriter::words_of(Text kind) {
  static constexpr std::array<Words, 4> kWords{{
      {},
      {"response.content_part.added", "response.output_text.delta", "response.output_text.done",
       "response.content_part.done", "text", "content_index", append_text_part, true},
      {"response.content_part.added", "response.refusal.delta", "response.refusal.done",
       "response.content_part.done", "refusal", "content_index", append_refusal_part},
      {"response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
       "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "text",
       "summary_index", append_summary_part},
  }};
  return kWords[static_cast<size_t>(kind)];
}

void EventWriter::write(const chat::AnswerEvent& event, std::string& out) {
  using Kind = chat::AnswerEvent::Kind;
  switch (event.kind) {
    case Kind::Start:
      return start(event, out);
    case Kind::Text:
      return text(Text::Output, event.text, out);
    case Kind::Refusal:
      return text(Text::Refusal, event.text, out);
    case Kind::Thinking:
      return text(Text::Summary, event.text, out);
    case Kind::Signature:
      return signature(event.text, out);
    case Kind::Redacted:
      return redacted(event.text, out);
    case Kind::ToolCall:
      return call(event, out);
    case Kind::Arguments:
      return arguments(event.text, out);
    case Kind::Finish:
      finish_ = event.finish;
      return close_item(status_of(finish_), out);
    case Kind::Usage:
      usage_ = event.usage;
      return;
    case Kind::End:
      return terminal(out);
  }
}

void EventWriter::begin(std::string_view type, std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "event: {}\ndata: {{\"type\":\"{}\",\"sequence_number\":{}", type, type,
                 sequence_++);
}

void EventWriter::begin_item(std::string_view type, std::string& out) {
  begin(type, out);
  append_member(out, "item_id", item_id_);
  fmt::format_to(std::back_inserter(out), R"(,"output_index":{})", output_index_);
}

void EventWriter::begin_part(std::string_view type, std::string& out) {
  begin_item(type, out);
  fmt::format_to(std::back_inserter(out), R"(,"{}":{})", words_of(part_).index, part_index_);
}

void EventWriter::end(std::string& out) {
  out += "}\n\n";
}

void EventWriter::start(const chat::AnswerEvent& event, std::string& out) {
  id_ = response_id_of(event.id.empty() ? names_.id : event.id);
  head_ = response_head(id_, event.name, event.created, names_);
  usage_ = event.usage;
  for (const std::string_view type : {"response.created", "response.in_progress"}) {
    begin(type, out);
    out += R"(,"response":)";
    out += head_;
    append_response_tail(out, std::nullopt, "", std::nullopt);
    end(out);
  }
}

void EventWriter::text(Text kind, std::string_view text, std::string& out) {
  if (text.empty()) return;
  const bool thinking = kind == Text::Summary;
  // What is signed is whole: more thinking is another item.
  const bool same_item = item_ == (thinking ? Item::Reasoning : Item::Message);
  if (!same_item || !signature_.empty()) {
    close_item(kCompleted, out);
    open_item(thinking ? Item::Reasoning : Item::Message, thinking ? "rs" : "msg", out);
  }
  if (part_ != kind) {
    close_text(out);
    open_text(kind, out);
  }
  text_ += text;
  begin_part(words_of(kind).delta, out);
  append_member(out, "delta", text);
  if (words_of(kind).logprobs) out += R"(,"logprobs":[])";
  end(out);
}

void EventWriter::signature(std::string_view text, std::string& out) {
  if (text.empty()) return;
  if (item_ != Item::Reasoning) {
    close_item(kCompleted, out);
    open_item(Item::Reasoning, "rs", out);
  }
  signature_ += text;
}

void EventWriter::redacted(std::string_view data, std::string& out) {
  close_item(kCompleted, out);
  open_item(Item::Reasoning, "rs", out);
  redacted_ = data;
  close_item(kCompleted, out);
}

void EventWriter::call(const chat::AnswerEvent& event, std::string& out) {
  close_item(kCompleted, out);
  custom_ = event.custom;
  call_id_ = event.id;
  name_ = event.name;
  open_item(Item::Call, custom_ ? "ctc" : "fc", out);
}

void EventWriter::arguments(std::string_view text, std::string& out) {
  if (text.empty() || item_ != Item::Call) return;
  text_ += text;
  begin_item(
      custom_ ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta",
      out);
  append_member(out, "delta", text);
  end(out);
}

void EventWriter::open_item(Item item, std::string_view prefix, std::string& out) {
  item_ = item;
  item_id_ = item_id_of(prefix, id_, output_index_);
  if (item == Item::Call && call_id_.empty()) call_id_ = item_id_;
  begin("response.output_item.added", out);
  fmt::format_to(std::back_inserter(out), R"(,"output_index":{},"item":)", output_index_);
  append_item(kInProgress, out);
  end(out);
}

void EventWriter::open_text(Text kind, std::string& out) {
  part_ = kind;
  begin_part(words_of(kind).part_added, out);
  out += R"(,"part":)";
  words_of(kind).append_part(out, "");
  end(out);
}

void EventWriter::close_text(std::string& out) {
  if (part_ == Text::None) return;
  const Words& words = words_of(part_);
  begin_part(words.done, out);
  append_member(out, words.member, text_);
  if (words.logprobs) out += R"(,"logprobs":[])";
  end(out);
  std::string part;
  words.append_part(part, text_);
  begin_part(words.part_done, out);
  out += R"(,"part":)";
  out += part;
  end(out);
  if (!content_.empty()) content_ += ',';
  content_ += part;
  text_.clear();
  part_ = Text::None;
  ++part_index_;
}

void EventWriter::close_call(std::string& out) {
  // Nothing at all is no JSON: clients parse arguments.
  if (text_.empty() && !custom_) arguments("{}", out);
  begin_item(
      custom_ ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done",
      out);
  if (!custom_) append_member(out, "name", name_);
  append_member(out, custom_ ? "input" : "arguments", text_);
  end(out);
}

void EventWriter::close_item(std::string_view status, std::string& out) {
  if (item_ == Item::None) return;
  close_text(out);
  if (item_ == Item::Call) close_call(out);
  std::string item;
  append_item(status, item);
  begin("response.output_item.done", out);
  fmt::format_to(std::back_inserter(out), R"(,"output_index":{},"item":)", output_index_);
  out += item;
  end(out);
  if (!output_.empty()) output_ += ',';
  output_ += item;
  content_.clear();
  text_.clear();
  call_id_.clear();
  name_.clear();
  signature_.clear();
  redacted_.clear();
  item_ = Item::None;
  part_index_ = 0;
  ++output_index_;
}

void EventWriter::append_item(std::string_view status, std::string& out) const {
  switch (item_) {
    case Item::None:
      return;
    case Item::Message:
      return append_message(out, item_id_, status, content_);
    case Item::Reasoning:
      return append_reasoning(
          out,
          {.id = item_id_, .summary = content_, .signature = signature_, .redacted = redacted_});
    case Item::Call:
      return append_call(out,
                         {.id = item_id_,
                          .call_id = call_id_,
                          .name = name_,
                          .custom = custom_,
                          .arguments = text_},
                         status);
  }
}

void EventWriter::terminal(std::string& out) {
  close_item(status_of(finish_), out);
  begin(status_of(finish_) == kCompleted ? "response.completed" : "response.incomplete", out);
  out += R"(,"response":)";
  out += head_;
  append_response_tail(out, finish_, output_, usage_);
  end(out);
  std::string().swap(output_);
}

}  // namespace sluice::responses
