// Whole replies to and from the middle form.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "wire/anthropic.h"
#include "wire/anthropic_conversation.h"
#include "wire/anthropic_turns.h"
#include "wire/anthropic_usage.h"
#include "wire/json_members.h"

namespace sluice::anthropic {
namespace {

using chat::Answer;
using chat::Finish;
using chat::Part;
using json::Members;

constexpr std::array<std::pair<std::string_view, Finish>, 7> kStopReasons{{
    {"end_turn", Finish::Stop},
    {"max_tokens", Finish::Length},
    {"tool_use", Finish::ToolCalls},
    {"refusal", Finish::ContentFilter},
    {"stop_sequence", Finish::Stop},
    {"pause_turn", Finish::Stop},
    {"model_context_window_exceeded", Finish::Length},
}};

// False for a block that no other dialect can tell.
bool read_block(const Members& block, Part* part) {
  const std::string type = block.text("type");
  if (type == "text") {
    part->text = block.text("text");
  } else if (type == "thinking") {
    part->kind = Part::Kind::Thinking;
    part->text = block.text("thinking");
    part->signature = block.text("signature");
  } else if (type == "redacted_thinking") {
    part->kind = Part::Kind::Redacted;
    part->data = block.text("data");
  } else if (type == "tool_use") {
    part->kind = Part::Kind::ToolCall;
    part->id = block.text("id");
    part->name = block.text("name");
    part->arguments = input_of(block["input"]);
  } else {
    return false;
  }
  return true;
}

// Empty for a part that an answer of this dialect does not have.
std::string block_of(const Part& part) {
  switch (part.kind) {
    case Part::Kind::Text:
    case Part::Kind::Refusal:
      if (part.text.empty()) return "";
      return R"({"type":"text","text":)" + quoted(part.text) + "}";
    case Part::Kind::Thinking:
      return R"({"type":"thinking","thinking":)" + quoted(part.text) + R"(,"signature":)" +
             quoted(part.signature) + "}";
    case Part::Kind::Redacted:
      return R"({"type":"redacted_thinking","data":)" + quoted(part.data) + "}";
    case Part::Kind::ToolCall: {
      const std::string input = part.custom ? R"({"input":)" + quoted(part.arguments) + "}"
                                            : std::string(input_of(part.arguments));
      return R"({"type":"tool_use","id":)" + quoted(part.id) + R"(,"name":)" + quoted(part.name) +
             R"(,"input":)" + input + "}";
    }
    default:
      return "";
  }
}

int64_t bytes_of(const Answer& answer) {
  int64_t bytes = 0;
  for (const Part& part : answer.parts) {
    bytes += static_cast<int64_t>(part.text.size() + part.arguments.size());
  }
  return bytes;
}

}  // namespace

Finish finish_of(std::string_view stop_reason) {
  for (const auto& [name, finish] : kStopReasons) {
    if (name == stop_reason) return finish;
  }
  return Finish::Unknown;
}

std::string_view stop_reason_of(Finish finish, bool tool_calls, bool stop_sequence) {
  // Some upstreams say "stop" where they mean "answer my calls".
  if (finish == Finish::Stop && tool_calls) finish = Finish::ToolCalls;
  if (finish == Finish::Stop && stop_sequence) return "stop_sequence";
  for (const auto& [name, known] : kStopReasons) {
    if (known == finish) return name;
  }
  return "";
}

void append_stop(std::string& out, Finish finish, std::string_view native,
                 std::string_view stop_sequence, bool tool_calls) {
  const std::string_view reason = stop_reason_of(finish, tool_calls, !stop_sequence.empty());
  out += R"("stop_reason":)" + (reason.empty() ? "null" : quoted(reason));
  out += R"(,"stop_sequence":)" + (stop_sequence.empty() ? "null" : quoted(stop_sequence));
  if (reason.empty() && !native.empty()) {
    out += R"(,"native_finish_reason":)" + quoted(native);
  }
}

Result<Answer> read_answer(std::string_view body) {
  Result<chat::Reply> reply = decode_reply(body);
  if (!reply) return std::move(reply).error();
  if (reply->is_error) return Error(reply->error_outcome, reply->error_message);
  const Members fields(body.substr(body.find('{')));
  Answer answer;
  answer.id = fields.text("id");
  answer.model = reply->model;
  answer.usage = reply->usage;
  for (const std::string_view block : json::elements_of(fields["content"])) {
    Part part;
    if (read_block(Members(block), &part)) answer.parts.push_back(std::move(part));
  }
  answer.native_finish = fields.text("stop_reason");
  answer.finish = finish_of(answer.native_finish);
  answer.stop_sequence = fields.text("stop_sequence");
  return answer;
}

std::string write_answer(const Answer& answer, const chat::StreamOptions& names) {
  std::string out = R"({"id":)" + quoted(answer.id.empty() ? names.id : answer.id);
  out += R"(,"type":"message","role":"assistant","model":)";
  out += quoted(answer.model.empty() ? names.model : answer.model);
  out += R"(,"content":[)";
  bool first = true;
  bool tool_calls = false;
  bool refused = false;
  for (const Part& part : answer.parts) {
    tool_calls |= part.kind == Part::Kind::ToolCall;
    refused |= part.kind == Part::Kind::Refusal;
    const std::string block = block_of(part);
    if (block.empty()) continue;
    if (!first) out += ',';
    first = false;
    out += block;
  }
  out += "],";
  append_stop(out, refused ? Finish::ContentFilter : answer.finish, answer.native_finish,
              answer.stop_sequence, tool_calls);
  out += R"(,"usage":)";
  append_usage(out, answer.usage ? *answer.usage : estimated_usage(names, bytes_of(answer)));
  out += '}';
  return out;
}

}  // namespace sluice::anthropic
