#include "providers/lab_anthropic_messages.h"

#include <algorithm>
#include <fmt/format.h>

#include "providers/lab_anthropic_blocks.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::element;

void refuse(LabFields& fields, std::string message) {
  fields.refuse("", "", std::move(message));
}

std::string join(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) out += (out.empty() ? "" : ", ") + one;
  return out;
}

bool has(const std::vector<std::string>& list, const std::string& one) {
  return std::ranges::find(list, one) != list.end();
}

bool is_empty(const std::optional<element>& content) {
  if (!content) return false;
  std::string_view text;
  simdjson::dom::array blocks;
  if (content->get(text) == simdjson::SUCCESS) return text.empty();
  return content->get(blocks) == simdjson::SUCCESS && blocks.size() == 0;
}

void read_message(LabFields& fields, size_t index, LabRequest& request,
                  std::vector<LabTurn>& turns) {
  fields.only({"role", "content"});
  if (!fields.required_text("role")) return;
  const auto role = fields.word("role", {"user", "assistant", "system"});
  if (!role) return;
  if (*role == "system" && !request.traits.modern) {
    return refuse(fields,
                  "messages: Unexpected role \"system\". The Messages API accepts a top-level "
                  "`system` parameter, not \"system\" as an input message role.");
  }
  if (turns.empty() || turns.back().role != *role) {
    turns.emplace_back();
    turns.back().role = *role;
    turns.back().message = index;
  }
  request.hash = lab_hash(*role, request.hash);
  LabTurn& turn = turns.back();
  const size_t said = turn.text.size();
  read_lab_anthropic_content(fields, request, turn);
  if (is_empty(fields.find("content")) && *role != "assistant") {
    refuse(fields, fmt::format("messages.{}: all messages must have non-empty content except for "
                               "the optional final assistant message",
                               index));
  }
  if (*role == "user" && turn.text.size() > said) request.last_user_text = turn.text.substr(said);
}

// Every tool_use is answered at the beginning of the next turn, and nothing else is answered there.
void check_pairs(LabFields& fields, const std::vector<LabTurn>& turns) {
  const LabTurn none;
  for (size_t at = 0; at < turns.size(); ++at) {
    const LabTurn& turn = turns[at];
    const LabTurn& before = at > 0 ? turns[at - 1] : none;
    for (const std::string& id : turn.results) {
      if (has(before.uses, id)) continue;
      return refuse(fields,
                    fmt::format("messages.{}: unexpected `tool_use_id` found in `tool_result` "
                                "blocks: {}. Each `tool_result` block must have a corresponding "
                                "`tool_use` block in the previous message.",
                                turn.message, id));
    }
    for (const std::string& id : turn.uses) {
      if (std::ranges::count(turn.uses, id) == 1) continue;
      return refuse(fields,
                    fmt::format("messages.{}: `tool_use` ids must be unique", turn.message));
    }
    const bool last = at + 1 == turns.size();
    if (turn.uses.empty()) continue;
    const LabTurn& next = last ? none : turns[at + 1];
    std::vector<std::string> open;
    for (const std::string& id : turn.uses) {
      if (next.other_before_result || !has(next.results, id)) open.push_back(id);
      if (std::ranges::count(next.results, id) <= 1) continue;
      return refuse(fields,
                    fmt::format("messages.{}: each tool_use must have a single result. Found "
                                "multiple `tool_result` blocks with id: {}",
                                next.message, id));
    }
    if (open.empty()) continue;
    return refuse(fields,
                  fmt::format("messages.{}: `tool_use` ids were found without `tool_result` blocks "
                              "immediately after: {}. Each `tool_use` block must have a "
                              "corresponding `tool_result` block in the next message.",
                              turn.message, join(open)));
  }
}

void check_ends(LabFields& fields, const LabRequest& request, const std::vector<LabTurn>& turns) {
  if (turns.front().role == "assistant") {
    return refuse(fields, "messages: first message must use the \"user\" role");
  }
  const LabTurn& last = turns.back();
  if (last.role != "assistant") return;
  if (request.traits.modern) {
    return refuse(fields,
                  "This model does not support assistant message prefill. The conversation must "
                  "end with a user message.");
  }
  if (last.blank_at_end) {
    refuse(fields, "messages: final assistant content cannot end with trailing whitespace");
  }
}

// With thinking on, the turn whose calls are being answered begins with its thoughts.
void check_thoughts(LabFields& fields, const LabRequest& request,
                    const std::vector<LabTurn>& turns) {
  if (!request.thinking_budget || turns.size() < 2 || turns.back().results.empty()) return;
  const LabTurn& asked = turns[turns.size() - 2];
  if (asked.first_block == "thinking" || asked.first_block == "redacted_thinking") return;
  refuse(fields,
         fmt::format("messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but "
                     "found `{}`. When `thinking` is enabled, a final `assistant` message must "
                     "start with a thinking block (preceeding the lastmost set of `tool_use` and "
                     "`tool_result` blocks).",
                     asked.message, asked.first_block));
}

}  // namespace

void read_lab_anthropic_system(LabFields& fields, LabRequest& request) {
  const auto system = fields.find("system");
  if (!system) return;
  std::string_view text;
  if (system->get(text) == simdjson::SUCCESS) {
    request.add_part(text, lab_count_tokens(text));
    return;
  }
  simdjson::dom::array blocks;
  if (system->get(blocks) != simdjson::SUCCESS) {
    fields.refuse_type("system", "a string or an array", *system);
    return;
  }
  size_t index = 0;
  for (const element one : blocks) {
    const std::string key = fmt::format("system.{}", index++);
    std::optional<LabFields> inner = fields.element(key, one);
    if (!inner) return;
    inner->only({"type", "text", "cache_control", "citations"});
    inner->required_text("type");
    inner->word("type", {"text"});
    const auto said = inner->required_text("text");
    if (!said) return;
    if (said->empty()) return refuse(fields, "system: text content blocks must be non-empty");
    const LabRequest::Keep keep = read_lab_cache_control(*inner, request);
    request.add_part(*said, lab_count_tokens(*said), keep);
  }
}

void read_lab_anthropic_messages(LabFields& fields, LabRequest& request) {
  const auto messages = fields.required_array("messages");
  if (!messages) return;
  if (messages->size() == 0) return refuse(fields, "messages: at least one message is required");
  std::vector<LabTurn> turns;
  size_t index = 0;
  for (const element one : *messages) {
    const std::string key = fmt::format("messages.{}", index);
    std::optional<LabFields> inner = fields.element(key, one);
    if (!inner) return;
    read_message(*inner, index++, request, turns);
    if (fields.failed()) return;
  }
  check_ends(fields, request, turns);
  check_pairs(fields, turns);
  check_thoughts(fields, request, turns);
  request.last_is_tool_result = !turns.back().results.empty();
}

}  // namespace sluice::providers
