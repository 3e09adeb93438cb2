#include "wire/anthropic_answer_stream.h"

#include <fmt/format.h>
#include <utility>

#include "wire/anthropic_conversation.h"
#include "wire/anthropic_turns.h"

namespace sluice::anthropic {

using chat::AnswerEvent;
using Kind = chat::AnswerEvent::Kind;

namespace {

constexpr std::string_view kNoArguments = "{}";
constexpr std::string_view kEmptyText = R"({"type":"text","text":""})";
constexpr std::string_view kEmptyThinking = R"({"type":"thinking","thinking":"","signature":""})";

AnswerEvent event_of(Kind kind, std::string text) {
  AnswerEvent event;
  event.kind = kind;
  event.text = std::move(text);
  return event;
}

void append_event(std::string& out, std::string_view name, std::string_view members) {
  out += "event: ";
  out += name;
  out += R"(
data: {"type":")";
  out += name;
  out += '"';
  out += members;
  out += "}\n\n";
}

// `text` as the inside of a JSON string.
std::string escaped(std::string_view text) {
  const std::string whole = quoted(text);
  return whole.substr(1, whole.size() - 2);
}

}  // namespace

bool EventReader::take(const sse::Event& event, std::vector<AnswerEvent>& out) {
  StreamFacts facts;
  const StreamState::Step step = state_.take(event, &facts);
  if (step != StreamState::Step::Event) return step == StreamState::Step::Skip;
  switch (facts.type) {
    case EventType::MessageStart: {
      AnswerEvent start;
      start.id = facts.message_id.str();
      start.name = facts.model.str();
      start.usage = state_.usage();
      out.push_back(std::move(start));
      return true;
    }
    case EventType::BlockStart:
      begin_block(facts, out);
      return true;
    case EventType::BlockDelta:
    case EventType::BlockStop:
      // Whoever goes back to an earlier block cannot be told in another dialect.
      if (facts.index != state_.blocks() - 1) {
        state_.fail(Outcome::UpstreamBadReply,
                    "the upstream went back to an earlier content block");
        return false;
      }
      if (facts.type == EventType::BlockDelta) {
        delta(facts, out);
      } else {
        end_block(out);
      }
      return true;
    case EventType::MessageDelta:
    case EventType::MessageStop:
      end_message(facts, out);
      return true;
    default:
      return true;
  }
}

void EventReader::begin_block(const StreamFacts& facts, std::vector<AnswerEvent>& out) {
  end_block(out);
  block_ = facts.block;
  has_arguments_ = false;
  if (block_ == BlockType::Text || block_ == BlockType::Thinking) {
    if (facts.text.empty()) return;
    out.push_back(
        event_of(block_ == BlockType::Text ? Kind::Text : Kind::Thinking, facts.text.str()));
  } else if (block_ == BlockType::Redacted) {
    out.push_back(event_of(Kind::Redacted, facts.data.str()));
  } else if (block_ == BlockType::ToolUse) {
    AnswerEvent call;
    call.kind = Kind::ToolCall;
    call.id = facts.block_id.str();
    call.name = facts.block_name.str();
    out.push_back(std::move(call));
    // Some servers have the whole input ready at once.
    if (facts.input.size() > kNoArguments.size()) {
      has_arguments_ = true;
      out.push_back(event_of(Kind::Arguments, std::string(facts.input)));
    }
  }
}

void EventReader::delta(const StreamFacts& facts, std::vector<AnswerEvent>& out) {
  if (facts.text.empty()) return;
  if (facts.delta == DeltaType::Text && block_ == BlockType::Text) {
    out.push_back(event_of(Kind::Text, facts.text.str()));
  } else if (facts.delta == DeltaType::InputJson && block_ == BlockType::ToolUse) {
    has_arguments_ = true;
    out.push_back(event_of(Kind::Arguments, facts.text.str()));
  } else if (facts.delta == DeltaType::Thinking && block_ == BlockType::Thinking) {
    out.push_back(event_of(Kind::Thinking, facts.text.str()));
  } else if (facts.delta == DeltaType::Signature && block_ == BlockType::Thinking) {
    out.push_back(event_of(Kind::Signature, facts.text.str()));
  }
}

void EventReader::end_block(std::vector<AnswerEvent>& out) {
  if (block_ == BlockType::ToolUse && !has_arguments_) {
    out.push_back(event_of(Kind::Arguments, std::string(kNoArguments)));
  }
  block_ = BlockType::None;
}

void EventReader::end_message(const StreamFacts& facts, std::vector<AnswerEvent>& out) {
  const bool last = facts.type == EventType::MessageStop;
  if (!last && facts.stop_reason.empty()) return;  // usage so far: the answer goes on
  end_block(out);
  if (!finished_) {
    finished_ = true;
    AnswerEvent finish = event_of(Kind::Finish, facts.stop_reason.str());
    finish.finish = finish_of(finish.text);
    finish.id = facts.stop_sequence.str();
    out.push_back(std::move(finish));
  }
  if (!last) return;
  if (state_.usage()) {
    AnswerEvent usage = event_of(Kind::Usage, "");
    usage.usage = state_.usage();
    out.push_back(std::move(usage));
  }
  out.push_back(event_of(Kind::End, ""));
}

bool EventReader::finish(std::vector<AnswerEvent>&) {
  if (state_.done()) return true;
  if (state_.error() == nullptr) {
    state_.fail(Outcome::Truncated, "the upstream's stream ended before the answer did");
  }
  return false;
}

void EventWriter::write(const AnswerEvent& event, std::string& out) {
  if (!started_) start(event, out);
  switch (event.kind) {
    case Kind::Start:
      break;
    case Kind::Text:
      text(BlockType::Text, event.text, out);
      break;
    case Kind::Refusal:
      refused_ = true;
      text(BlockType::Text, event.text, out);
      break;
    case Kind::Thinking:
      text(BlockType::Thinking, event.text, out);
      break;
    case Kind::Signature:
      if (block_ != BlockType::Thinking) open(BlockType::Thinking, kEmptyThinking, out);
      delta("signature_delta", "signature", quoted(event.text), out);
      break;
    case Kind::Redacted:
      open(BlockType::Redacted, R"({"type":"redacted_thinking","data":)" + quoted(event.text) + "}",
           out);
      break;
    case Kind::ToolCall:
      tool_call(event, out);
      break;
    case Kind::Arguments:
      arguments(event.text, out);
      break;
    case Kind::Finish:
      finish_ = event.finish;
      native_finish_ = event.text;
      stop_sequence_ = event.id;
      break;
    case Kind::Usage:
      usage_ = event.usage;
      break;
    case Kind::End:
      end(out);
      break;
  }
}

void EventWriter::start(const AnswerEvent& event, std::string& out) {
  started_ = true;
  const bool says = event.kind == Kind::Start;
  if (says) usage_ = event.usage;
  std::string message = R"(,"message":{"id":)";
  message += quoted(says && !event.id.empty() ? std::string_view(event.id) : names_.id);
  message += R"(,"type":"message","role":"assistant","model":)";
  message += quoted(says && !event.name.empty() ? std::string_view(event.name) : names_.model);
  message += R"(,"content":[],"stop_reason":null,"stop_sequence":null,"usage":)";
  append_usage(message, usage_ ? *usage_ : estimated_usage(names_, 0));
  message += '}';
  append_event(out, "message_start", message);
}

void EventWriter::text(BlockType block, std::string_view text, std::string& out) {
  if (text.empty()) return;
  const bool plain = block == BlockType::Text;
  if (block_ != block) open(block, plain ? kEmptyText : kEmptyThinking, out);
  output_bytes_ += static_cast<int64_t>(text.size());
  delta(plain ? "text_delta" : "thinking_delta", plain ? "text" : "thinking", quoted(text), out);
}

void EventWriter::tool_call(const AnswerEvent& event, std::string& out) {
  tool_calls_ = true;
  std::string id = event.id;
  if (id.empty()) id = fmt::format("toolu_{}_{}", names_.id, index_ + 1);
  open(BlockType::ToolUse,
       R"({"type":"tool_use","id":)" + quoted(id) + R"(,"name":)" + quoted(event.name) +
           R"(,"input":{}})",
       out);
  custom_ = event.custom;
  if (custom_) delta("input_json_delta", "partial_json", quoted(R"({"input":")"), out);
}

void EventWriter::arguments(std::string_view fragment, std::string& out) {
  if (fragment.empty() || block_ != BlockType::ToolUse) return;
  output_bytes_ += static_cast<int64_t>(fragment.size());
  delta("input_json_delta", "partial_json", quoted(custom_ ? escaped(fragment) : fragment), out);
}

void EventWriter::open(BlockType block, std::string_view json, std::string& out) {
  close(out);
  block_ = block;
  ++index_;
  append_event(out, "content_block_start",
               fmt::format(R"(,"index":{},"content_block":{})", index_, json));
}

void EventWriter::close(std::string& out) {
  if (block_ == BlockType::None) return;
  if (block_ == BlockType::ToolUse && custom_) {
    delta("input_json_delta", "partial_json", quoted("\"}"), out);
  }
  custom_ = false;
  block_ = BlockType::None;
  append_event(out, "content_block_stop", fmt::format(R"(,"index":{})", index_));
}

void EventWriter::delta(std::string_view kind, std::string_view member, std::string_view json,
                        std::string& out) {
  append_event(
      out, "content_block_delta",
      fmt::format(R"(,"index":{},"delta":{{"type":"{}","{}":{}}})", index_, kind, member, json));
}

void EventWriter::end(std::string& out) {
  close(out);
  std::string members = R"(,"delta":{)";
  append_stop(members, refused_ ? chat::Finish::ContentFilter : finish_, native_finish_,
              stop_sequence_, tool_calls_);
  members += R"(},"usage":)";
  append_usage(members, usage_ ? *usage_ : estimated_usage(names_, output_bytes_));
  append_event(out, "message_delta", members);
  append_event(out, "message_stop", "");
}

}  // namespace sluice::anthropic
