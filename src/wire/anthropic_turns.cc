#include "wire/anthropic_turns.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice::anthropic {

using chat::Message;
using chat::Part;
using chat::Role;

namespace {

// A conversation has to begin with the user.
constexpr std::string_view kOpening = R"({"type":"text","text":"Continue."})";

std::string_view name_of(Role role) {
  switch (role) {
    case Role::System:
      return "system";
    case Role::User:
      return "user";
    case Role::Assistant:
      return "assistant";
  }
  return "user";
}

}  // namespace

bool TurnWriter::fail(std::string message, std::string param) {
  if (!error_) error_.emplace(Outcome::BadRequest, std::move(message), std::move(param));
  return false;
}

void TurnWriter::drop(std::string what) {
  if (std::find(dropped_->begin(), dropped_->end(), what) == dropped_->end()) {
    dropped_->push_back(std::move(what));
  }
}

bool TurnWriter::run(std::string_view instruction) {
  find_last_words();
  size_t leading = leading_system();
  // Without a turn there is nothing to answer: then the system's words are the user's.
  if (leading == conversation_.messages.size()) leading = 0;
  write_system(leading, instruction);
  for (size_t i = leading; i < conversation_.messages.size(); ++i) {
    if (!message(i)) return false;
  }
  if (!all_answered()) return false;
  if (turns_.empty()) return fail("`messages` has nothing to answer", "messages");
  write_messages();
  return true;
}

size_t TurnWriter::leading_system() const {
  const auto& messages = conversation_.messages;
  const auto first = std::find_if(messages.begin(), messages.end(), [](const Message& message) {
    return message.role != Role::System;
  });
  return static_cast<size_t>(first - messages.begin());
}

void TurnWriter::find_last_words() {
  for (size_t i = conversation_.messages.size(); i-- > 0;) {
    const Message& message = conversation_.messages[i];
    for (size_t j = message.parts.size(); j-- > 0;) {
      const Part& part = message.parts[j];
      const bool text = part.kind == Part::Kind::Text || part.kind == Part::Kind::Refusal;
      if (text && is_blank(part.text)) continue;
      if (text && message.role == Role::Assistant) last_words_ = &part;
      return;
    }
  }
}

bool TurnWriter::message(size_t index) {
  const Message& message = conversation_.messages[index];
  const std::string path = fmt::format("messages[{}]", index);
  if (!message.name.empty()) drop(path + ".name");
  if (message.role == Role::System) return late_system(message, path);
  size_t calls = 0;
  for (size_t i = 0; i < message.parts.size(); ++i) {
    const bool call = message.parts[i].kind == Part::Kind::ToolCall;
    const std::string place = call ? fmt::format("{}.tool_calls[{}]", path, calls++)
                                   : fmt::format("{}.content[{}]", path, i);
    if (!part(message.role, message.parts[i], place)) return false;
  }
  return true;
}

// Amid tool calls nothing may stand between the calls and their results.
bool TurnWriter::late_system(const Message& message, const std::string& path) {
  const bool open_calls =
      std::any_of(calls_.begin(), calls_.end(), [](const Call& call) { return !call.answered; });
  const bool in_turn = target_.system_in_turn && !open_calls && !turns_.empty();
  for (size_t i = 0; i < message.parts.size(); ++i) {
    std::string block;
    if (!simple_block(message.parts[i], fmt::format("{}.content[{}]", path, i), &block)) {
      return false;
    }
    if (!block.empty() && !add(in_turn ? Role::System : Role::User, std::move(block))) return false;
  }
  return true;
}

bool TurnWriter::part(Role role, const Part& part, const std::string& path) {
  switch (part.kind) {
    case Part::Kind::ToolCall:
      return tool_call(part, path);
    case Part::Kind::ToolResult:
      return tool_result(part, path);
    case Part::Kind::Thinking:
      if (part.signature.empty()) {
        drop("messages[].reasoning_content (without a signature)");
        return true;
      }
      return add_thought(R"({"type":"thinking","thinking":)" + quoted(part.text) +
                         R"(,"signature":)" + quoted(part.signature) + "}");
    case Part::Kind::Redacted:
      // Of this provider such a block has no name of its own; others name it.
      if (!part.id.empty()) {
        drop("messages[].reasoning (encrypted by another provider)");
        return true;
      }
      return add_thought(R"({"type":"redacted_thinking","data":)" + quoted(part.data) + "}");
    default: {
      std::string block;
      if (!simple_block(part, path, &block)) return false;
      return block.empty() || add(role, std::move(block));
    }
  }
}

bool TurnWriter::all_answered() {
  for (const Call& call : calls_) {
    if (!call.answered) {
      return fail(
          fmt::format("the tool call at `{}` has no result in the turn after it", call.path),
          call.path);
    }
  }
  return true;
}

// The last turn, if it is of the role, else a new one.
TurnWriter::Turn& TurnWriter::turn_of(Role role) {
  if (turns_.empty() || turns_.back().role != role) {
    turns_.emplace_back();
    turns_.back().role = role;
  }
  return turns_.back();
}

bool TurnWriter::add(Role role, std::string block) {
  const bool begins = turns_.empty() || turns_.back().role != role;
  if (begins && role == Role::Assistant) {
    if (!all_answered()) return false;
    calls_.clear();
    amid_calls_ = false;
    thought_ = false;
  }
  turn_of(role).blocks.push_back(std::move(block));
  return true;
}

bool TurnWriter::add_thought(std::string block) {
  if (!add(Role::Assistant, std::move(block))) return false;
  thought_ = true;
  return true;
}

// One string, or blocks where a marker has to keep its place.
void TurnWriter::write_system(size_t count, std::string_view instruction) {
  std::string text;
  std::string blocks;
  bool marked = false;
  const auto add_text = [&](std::string_view words, std::string_view cache_control) {
    if (is_blank(words)) return;
    text += (text.empty() ? "" : "\n\n") + std::string(words);
    blocks += (blocks.empty() ? "" : ",") + (R"({"type":"text","text":)" + quoted(words));
    if (!cache_control.empty()) blocks += R"(,"cache_control":)" + std::string(cache_control);
    blocks += '}';
    marked |= !cache_control.empty();
  };
  for (size_t i = 0; i < count; ++i) {
    const Message& message = conversation_.messages[i];
    for (size_t j = 0; j < message.parts.size(); ++j) {
      if (message.parts[j].kind == Part::Kind::Text) {
        add_text(message.parts[j].text, message.parts[j].cache_control);
      } else {
        drop(fmt::format("messages[{}].content[{}]", i, j));
      }
    }
  }
  add_text(instruction, {});
  if (!text.empty()) system_ = marked ? "[" + blocks + "]" : quoted(text);
}

void TurnWriter::write_messages() {
  if (turns_.front().role != Role::User) {
    turns_.insert(turns_.begin(), Turn{});
    turns_.front().blocks.emplace_back(kOpening);
  }
  messages_ = "[";
  for (Turn& turn : turns_) {
    std::sort(turn.results.begin(), turn.results.end());
    if (messages_.size() > 1) messages_ += ',';
    messages_ += fmt::format(R"({{"role":"{}","content":[)", name_of(turn.role));
    bool first = true;
    const auto block = [&](const std::string& text) {
      if (!first) messages_ += ',';
      first = false;
      messages_ += text;
    };
    for (const auto& [order, result] : turn.results) block(result);
    for (const std::string& text : turn.blocks) block(text);
    messages_ += "]}";
  }
  messages_ += ']';
}

}  // namespace sluice::anthropic
