// Requests of the native API.
#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "wire/cortex.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_write_json.h"
#include "wire/openai_write_request.h"

namespace sluice::cortex {

using chat::Conversation;
using chat::Message;
using chat::Part;
using chat::Role;
using chat::Tool;
using chat::ToolChoice;
using json::Type;

namespace {

constexpr std::string_view kErrorPrefix = "Error: ";
constexpr std::string_view kNoParameters = R"({"type":"object","properties":{}})";
constexpr std::string_view kEphemeral = R"({"type":"ephemeral"})";
constexpr int64_t kMinBudget = 1024;
constexpr double kMaxTemperature = 1;

// Consecutive messages of one role.
struct Turn {
  Role role = Role::User;
  std::vector<const Part*> parts;
};

class CompleteWriter {
 public:
  CompleteWriter(const Conversation& conversation, const chat::TargetTraits& traits)
      : in_(conversation), traits_(traits), json_(out_.body) {}
  Result<chat::Translated> run();

 private:
  void collect();
  bool has_place(const Part& part, Role role);
  void add(Role role, const Part& part);
  void turn(const Turn& turn);
  void item(const Part& part);
  void begin_item(std::string_view type, const Part& part);
  void call(const Part& part);
  void result(const Part& part);
  void image(const Part& part);
  std::string_view name_of_call(const Part& result) const;

  void limits();
  void unsupported();
  void tools();
  void tool(const Tool& tool);
  void tool_choice();
  void format();
  void reasoning();

  const Conversation& in_;
  const chat::TargetTraits& traits_;
  chat::Translated out_;
  openai::JsonWriter json_;
  openai::DroppedNames dropped_;
  std::vector<Turn> turns_;
};

Result<chat::Translated> CompleteWriter::run() {
  for (const std::string& name : in_.unmapped) dropped_.add(name);
  collect();
  const bool user_last = !turns_.empty() && turns_.back().role == Role::User;
  if (!user_last) {
    return Error(Outcome::BadRequest,
                 turns_.empty() ? "`messages` holds nothing that the target can read"
                                : "`messages` must end with the user's turn: the target does not "
                                  "continue an assistant's",
                 "messages");
  }
  json_.open_object().member("model", traits_.model).key("messages").open_array();
  for (const Turn& entry : turns_) turn(entry);
  json_.close_array();
  tools();
  limits();
  format();
  reasoning();
  unsupported();
  json_.key("stream").boolean(in_.stream).close_object();
  out_.dropped = dropped_.take();
  return std::move(out_);
}

bool CompleteWriter::has_place(const Part& part, Role role) {
  switch (part.kind) {
    case Part::Kind::Text:
    case Part::Kind::Refusal:
      return true;
    case Part::Kind::ToolCall:
      return role == Role::Assistant;
    case Part::Kind::ToolResult:
      return role == Role::User;
    case Part::Kind::Image:
      return role == Role::User && !part.data.empty();
    default:
      return false;
  }
}

void CompleteWriter::add(Role role, const Part& part) {
  if (!has_place(part, role)) {
    const bool named = part.kind == Part::Kind::Foreign && !part.name.empty();
    dropped_.add(fmt::format("messages.content ({})",
                             named ? std::string_view(part.name) : openai::word_of(part.kind)));
    return;
  }
  if (part.kind == Part::Kind::Text && part.text.empty()) return;
  if (turns_.empty() || turns_.back().role != role) turns_.push_back({role, {}});
  turns_.back().parts.push_back(&part);
}

// Puts the messages into turns: results of tools first, what they cannot hold behind them.
void CompleteWriter::collect() {
  bool leading = true;
  for (const Message& message : in_.messages) {
    leading = leading && message.role == Role::System;
    const Role role = message.role == Role::System && !leading ? Role::User : message.role;
    for (const Part& part : message.parts) {
      if (part.kind == Part::Kind::ToolResult) add(role, part);
    }
    for (const Part& part : message.parts) {
      if (part.kind != Part::Kind::ToolResult) {
        add(role, part);
        continue;
      }
      for (const Part& inner : part.content) {
        if (inner.kind != Part::Kind::Text) add(role, inner);
      }
    }
  }
}

void CompleteWriter::turn(const Turn& turn) {
  constexpr std::string_view kRoles[] = {"system", "user", "assistant"};
  json_.open_object().member("role", kRoles[static_cast<int>(turn.role)]);
  const auto is_plain = [](const Part* part) {
    return part->kind == Part::Kind::Text && part->cache_control.empty();
  };
  if (std::all_of(turn.parts.begin(), turn.parts.end(), is_plain)) {
    std::string text;
    for (const Part* part : turn.parts) {
      if (!text.empty()) text += "\n\n";
      text += part->text;
    }
    json_.member("content", text).close_object();
    return;
  }
  json_.key("content_list").open_array();
  for (const Part* part : turn.parts) item(*part);
  json_.close_array().close_object();
}

void CompleteWriter::begin_item(std::string_view type, const Part& part) {
  json_.open_object().member("type", type);
  if (part.cache_control.empty()) return;
  json_.member_raw("cache_control", kEphemeral);
  if (part.cache_control.find("\"ttl\"") != std::string::npos) dropped_.add("cache_control.ttl");
}

void CompleteWriter::item(const Part& part) {
  switch (part.kind) {
    case Part::Kind::ToolCall:
      call(part);
      break;
    case Part::Kind::ToolResult:
      result(part);
      break;
    case Part::Kind::Image:
      image(part);
      break;
    default:
      begin_item("text", part);
      json_.member("text", part.text);
      break;
  }
  json_.close_object();
}

void CompleteWriter::call(const Part& part) {
  begin_item("tool_use", part);
  json_.key("tool_use").open_object().member("tool_use_id", part.id).member("name", part.name);
  json_.key("input");
  if (part.custom) {
    // The API knows no tools that take plain text: what was said to one is kept as an object.
    json_.open_object().member("input", part.arguments).close_object();
  } else if (openai::is_json(part.arguments, Type::Object)) {
    json_.raw(part.arguments);
  } else {
    json_.raw("{}");
    if (!part.arguments.empty()) dropped_.add("messages.tool_calls (arguments that are no object)");
  }
  json_.close_object();
}

std::string_view CompleteWriter::name_of_call(const Part& result) const {
  if (!result.name.empty()) return result.name;
  for (const Message& message : in_.messages) {
    for (const Part& part : message.parts) {
      if (part.kind == Part::Kind::ToolCall && part.id == result.id) return part.name;
    }
  }
  return "";
}

void CompleteWriter::result(const Part& part) {
  begin_item("tool_results", part);
  json_.key("tool_results").open_object().member("tool_use_id", part.id);
  json_.member("name", name_of_call(part)).key("content").open_array();
  std::string text;
  if (part.is_error) text = kErrorPrefix;
  for (const Part& inner : part.content) {
    if (inner.kind == Part::Kind::Text) text += inner.text;
  }
  json_.open_object().member("type", "text").member("text", text).close_object();
  json_.close_array().close_object();
}

void CompleteWriter::image(const Part& part) {
  begin_item("image", part);
  json_.key("details").open_object().member("type", "base64").member("content", part.data);
  json_.member("content_type", part.media_type);
  if (!part.detail.empty()) json_.member("detail", part.detail);
  json_.close_object();
}

void CompleteWriter::limits() {
  json_.key("max_tokens").integer(max_tokens_of(in_, traits_));
  if (traits_.fixed_sampling) {
    if (in_.temperature.value_or(1) != 1) dropped_.add("temperature");
    if (in_.top_p.value_or(1) != 1) dropped_.add("top_p");
    return;
  }
  if (in_.temperature) {
    json_.key("temperature").real(std::min(*in_.temperature, kMaxTemperature));
    if (*in_.temperature > kMaxTemperature) dropped_.add("temperature (above 1)");
  }
  if (in_.top_p) json_.key("top_p").real(*in_.top_p);
}

void CompleteWriter::unsupported() {
  if (in_.top_k) dropped_.add("top_k");
  if (in_.frequency_penalty.value_or(0) != 0) dropped_.add("frequency_penalty");
  if (in_.presence_penalty.value_or(0) != 0) dropped_.add("presence_penalty");
  if (in_.seed) dropped_.add("seed");
  if (in_.choices != 1) dropped_.add("n");
  if (!in_.stop.empty()) dropped_.add("stop");
  if (!in_.user.empty()) dropped_.add("user");
  if (!in_.service_tier.empty() && in_.service_tier != "auto") dropped_.add("service_tier");
  if (!in_.prompt_cache_key.empty()) dropped_.add("prompt_cache_key");
}

void CompleteWriter::tools() {
  // A tool that must not be called is as good as absent.
  if (in_.tool_choice.kind == ToolChoice::Kind::None) return;
  bool any = false;
  for (const Tool& entry : in_.tools) {
    if (!entry.json.empty() || entry.custom) {
      dropped_.add(fmt::format("tools ({})", entry.name));
      continue;
    }
    if (!any) json_.key("tools").open_array();
    any = true;
    tool(entry);
  }
  if (any) {
    json_.close_array();
    tool_choice();
  } else if (in_.tool_choice.kind >= ToolChoice::Kind::Required) {
    dropped_.add("tool_choice");
  }
  if (any && !in_.parallel_tool_calls.value_or(true)) dropped_.add("parallel_tool_calls");
}

void CompleteWriter::tool(const Tool& tool) {
  json_.open_object().key("tool_spec").open_object();
  json_.member("type", "generic").member("name", tool.name);
  if (!tool.description.empty()) json_.member("description", tool.description);
  json_.member_raw("input_schema", tool.parameters.empty() ? kNoParameters : tool.parameters);
  json_.close_object().close_object();
  if (tool.strict.value_or(false)) dropped_.add("tools.strict");
  if (!tool.cache_control.empty()) dropped_.add("tools.cache_control");
}

void CompleteWriter::tool_choice() {
  const ToolChoice& choice = in_.tool_choice;
  if (choice.kind == ToolChoice::Kind::Unset) return;
  json_.key("tool_choice").open_object();
  if (choice.kind == ToolChoice::Kind::One) {
    json_.member("type", "tool").key("name").open_array().text(choice.name).close_array();
  } else {
    json_.member("type", choice.kind == ToolChoice::Kind::Required ? "required" : "auto");
  }
  json_.close_object();
}

void CompleteWriter::format() {
  if (in_.format.kind == chat::Format::Kind::Text) return;
  const bool any_object = in_.format.schema.empty();
  json_.key("response_format").open_object().member("type", "json");
  json_.member_raw("schema", any_object ? R"({"type":"object"})" : in_.format.schema);
  json_.close_object();
}

// Claude thinks up to a budget below max_tokens, OpenAI's models with an effort, others as they do.
void CompleteWriter::reasoning() {
  const chat::Reasoning& asked = in_.reasoning;
  if (asked.effort.empty() && !asked.budget && !asked.adaptive) return;
  if (traits_.model.starts_with("claude")) {
    if (asked.effort == "none") return;
    std::string_view effort = asked.effort;
    if (effort.empty()) effort = "medium";
    const int64_t wanted = asked.budget.value_or(openai::budget_for(effort));
    const int64_t budget = std::min(wanted, max_tokens_of(in_, traits_) - 1);
    if (budget >= kMinBudget) {
      json_.key("anthropic").open_object().key("thinking").open_object();
      json_.key("budget_tokens").integer(budget).close_object().close_object();
      return;
    }
  } else if (traits_.model.starts_with("openai")) {
    std::string_view effort = asked.effort;
    if (effort.empty()) effort = asked.budget ? openai::effort_for(*asked.budget) : "medium";
    json_.key("openai").open_object().key("reasoning").open_object();
    json_.member("effort", effort).close_object().close_object();
    return;
  }
  dropped_.add("reasoning");
}

}  // namespace

int64_t max_tokens_of(const Conversation& conversation, const chat::TargetTraits& traits) {
  return conversation.max_output_tokens.value_or(traits.default_max_output);
}

Result<chat::Translated> write_complete_request(const Conversation& conversation,
                                                const chat::TargetTraits& traits) {
  return CompleteWriter(conversation, traits).run();
}

}  // namespace sluice::cortex
