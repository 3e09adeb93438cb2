// The middle form as a Messages request.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "wire/anthropic_conversation.h"
#include "wire/anthropic_turns.h"
#include "wire/json_members.h"

namespace sluice::anthropic {
namespace {

using chat::Conversation;

// What an effort is on either scale: the word newer models take, and the budget for older ones.
struct Effort {
  std::string_view asked;
  std::string_view word;
  int64_t budget;
};
constexpr std::array<Effort, 6> kEfforts{{
    {"minimal", "low", 1024},
    {"low", "low", 1024},
    {"medium", "medium", 4096},
    {"high", "high", 16384},
    {"xhigh", "xhigh", 32768},
    {"max", "max", 32768},
}};
constexpr const Effort& kMedium = kEfforts[2];
constexpr int64_t kLeastBudget = 1024;

constexpr std::string_view kNoParameters = R"({"type":"object","properties":{}})";

const Effort* effort_named(std::string_view name) {
  const auto found = std::find_if(kEfforts.begin(), kEfforts.end(),
                                  [&](const Effort& effort) { return effort.asked == name; });
  return found == kEfforts.end() ? nullptr : &*found;
}

// The least effort that thinks as much as the budget allows.
const Effort& effort_of(int64_t budget) {
  const auto found = std::find_if(kEfforts.begin() + 1, kEfforts.end(),
                                  [&](const Effort& effort) { return effort.budget >= budget; });
  return found == kEfforts.end() ? kEfforts[3] : *found;
}

class RequestWriter {
 public:
  RequestWriter(const Conversation& conversation, const chat::TargetTraits& target)
      : from_(conversation), target_(target) {}

  Result<chat::Translated> run();

 private:
  void tools();
  std::string tool(const chat::Tool& tool, size_t index);
  void tool_choice();
  std::string_view choice_type() const;
  void plan_thinking(const TurnWriter& turns);
  void plan_effort();
  void plan_budget(const TurnWriter& turns);
  void sampling();
  void format();
  std::string instruction();
  void words();
  void left_out();
  void field(std::string_view name, std::string_view json);
  void drop(std::string what) { out_.dropped.push_back(std::move(what)); }

  const Conversation& from_;
  const chat::TargetTraits& target_;
  chat::Translated out_;
  int64_t max_tokens_ = 0;
  std::string thinking_;  // JSON; empty: not said
  std::string effort_;
  bool thinks_ = false;
  bool has_tools_ = false;
};

void RequestWriter::field(std::string_view name, std::string_view json) {
  out_.body += out_.body.empty() ? '{' : ',';
  out_.body += quoted(name);
  out_.body += ':';
  out_.body += json;
}

Result<chat::Translated> RequestWriter::run() {
  if (from_.choices > 1) {
    return Error(Outcome::BadRequest, "`n` must be 1: the target gives one answer", "n");
  }
  TurnWriter turns(from_, target_, &out_.dropped);
  if (!turns.run(instruction())) return turns.error();
  max_tokens_ = from_.max_output_tokens.value_or(target_.default_max_output);
  plan_thinking(turns);
  field("model", quoted(target_.model));
  field("max_tokens", std::to_string(max_tokens_));
  if (from_.stream) field("stream", "true");
  if (!turns.system().empty()) field("system", turns.system());
  field("messages", turns.messages());
  tools();
  tool_choice();
  if (!thinking_.empty()) field("thinking", thinking_);
  format();
  sampling();
  words();
  left_out();
  out_.body += '}';
  return std::move(out_);
}

void RequestWriter::tools() {
  std::string list;
  for (size_t i = 0; i < from_.tools.size(); ++i) {
    const std::string json = tool(from_.tools[i], i);
    if (!json.empty()) list += (list.empty() ? "" : ",") + json;
  }
  has_tools_ = !list.empty();
  if (has_tools_) field("tools", "[" + list + "]");
}

std::string RequestWriter::tool(const chat::Tool& tool, size_t index) {
  if (!tool.json.empty() && is_own_tool(tool.name)) return tool.json;
  if (!tool.json.empty() || tool.custom) {
    drop(fmt::format("tools[{}] ({})", index, tool.custom ? "custom" : tool.name));
    return "";
  }
  std::string out = R"({"name":)" + quoted(tool.name);
  if (!tool.description.empty()) out += R"(,"description":)" + quoted(tool.description);
  std::string schema = tool.parameters.empty() ? std::string(kNoParameters) : tool.parameters;
  const json::Members members(schema);
  if (members.empty()) {
    schema = kNoParameters;
  } else if (members["type"].empty()) {
    schema.insert(1, R"("type":"object",)");
  }
  out += R"(,"input_schema":)" + schema;
  if (tool.strict.value_or(false)) out += R"(,"strict":true)";
  if (!tool.cache_control.empty()) out += R"(,"cache_control":)" + tool.cache_control;
  return out + "}";
}

std::string_view RequestWriter::choice_type() const {
  using Kind = chat::ToolChoice::Kind;
  switch (from_.tool_choice.kind) {
    case Kind::Unset:
      return "";
    case Kind::Auto:
      return "auto";
    case Kind::None:
      return "none";
    case Kind::Required:
      return "any";
    case Kind::One:
      return "tool";
  }
  return "";
}

void RequestWriter::tool_choice() {
  const bool alone = from_.parallel_tool_calls.has_value() && !*from_.parallel_tool_calls;
  std::string_view type = choice_type();
  if (!has_tools_) {
    // Without tools the target refuses any choice, and only these ask for something.
    if (type == "any" || type == "tool") drop("tool_choice");
    return;
  }
  if (type.empty() && alone) type = "auto";
  if (type.empty()) return;
  std::string choice = fmt::format(R"({{"type":"{}")", type);
  if (type == "tool") choice += R"(,"name":)" + quoted(from_.tool_choice.name);
  if (alone && type != "none") choice += R"(,"disable_parallel_tool_use":true)";
  field("tool_choice", choice + "}");
}

// Whether the target shall think, in its own scale, within what its rules allow.
void RequestWriter::plan_thinking(const TurnWriter& turns) {
  const chat::Reasoning& asked = from_.reasoning;
  if (asked.effort.empty() && !asked.budget && !asked.adaptive) return;
  if (!asked.effort.empty() && asked.effort != "none" && effort_named(asked.effort) == nullptr) {
    drop("reasoning_effort");
    return;
  }
  if (asked.effort == "none") {
    if (target_.effort) thinking_ = R"({"type":"disabled"})";
    return;
  }
  const std::string_view choice = choice_type();
  if (!from_.tools.empty() && (choice == "any" || choice == "tool")) {
    drop("reasoning_effort (tool_choice forces a tool)");
    return;
  }
  if (target_.effort) {
    plan_effort();
  } else {
    plan_budget(turns);
  }
  if (thinks_ && !asked.summary.empty()) {
    thinking_.insert(thinking_.size() - 1, R"(,"display":"summarized")");
  }
}

void RequestWriter::plan_effort() {
  const chat::Reasoning& asked = from_.reasoning;
  thinks_ = true;
  thinking_ = R"({"type":"adaptive"})";
  if (!asked.effort.empty()) {
    effort_ = effort_named(asked.effort)->word;
  } else if (asked.budget) {
    effort_ = effort_of(*asked.budget).word;
    drop("thinking.budget_tokens");
  }
}

void RequestWriter::plan_budget(const TurnWriter& turns) {
  const chat::Reasoning& asked = from_.reasoning;
  if (turns.amid_calls_without_thinking()) {
    drop("reasoning_effort (the turn began without thinking)");
    return;
  }
  const Effort* effort = effort_named(asked.effort);
  int64_t budget = asked.budget.value_or(effort != nullptr ? effort->budget : kMedium.budget);
  // Thinking counts as output, and something has to be left for the answer.
  if (!from_.max_output_tokens) max_tokens_ += budget;
  if (!asked.budget) budget = std::min(budget, max_tokens_ / 2);
  budget = std::min(std::max(budget, kLeastBudget), max_tokens_ - 1);
  if (budget < kLeastBudget) {
    drop("reasoning_effort (max_tokens leaves no room to think)");
    return;
  }
  thinks_ = true;
  thinking_ = fmt::format(R"({{"type":"enabled","budget_tokens":{}}})", budget);
}

// What is the default anyway is left out without a word.
void RequestWriter::sampling() {
  const bool fixed = target_.fixed_sampling || thinks_;
  const std::optional<double> temperature = from_.temperature;
  if (temperature && fixed) {
    if (*temperature != 1) drop("temperature");
  } else if (temperature) {
    if (*temperature > 1) drop("temperature (cut to 1)");
    field("temperature", fmt::format("{}", std::clamp(*temperature, 0.0, 1.0)));
  }
  if (from_.top_p && *from_.top_p < 1) {
    // Newer models refuse the two together.
    if (fixed || temperature) {
      drop("top_p");
    } else {
      field("top_p", fmt::format("{}", *from_.top_p));
    }
  }
  if (!from_.top_k) return;
  if (fixed) {
    drop("top_k");
  } else {
    field("top_k", std::to_string(*from_.top_k));
  }
}

void RequestWriter::format() {
  const bool schema = from_.format.kind == chat::Format::Kind::JsonSchema && target_.output_schema;
  if (effort_.empty() && !schema) return;
  std::string config;
  if (!effort_.empty()) config = R"("effort":)" + quoted(effort_);
  if (schema) {
    if (!config.empty()) config += ',';
    config += R"("format":{"type":"json_schema","schema":)" + from_.format.schema + "}";
  }
  field("output_config", "{" + config + "}");
}

// A format the target cannot be held to is asked for in words.
std::string RequestWriter::instruction() {
  switch (from_.format.kind) {
    case chat::Format::Kind::Text:
      return "";
    case chat::Format::Kind::JsonObject:
      drop("response_format (asked for in words)");
      return "Answer with one JSON object and nothing else: no introduction, no code fence.";
    case chat::Format::Kind::JsonSchema:
      if (target_.output_schema) return "";
      drop("response_format (asked for in words)");
      return "Answer with one JSON object and nothing else: no introduction, no code fence. It "
             "must "
             "be valid against this JSON Schema: " +
             from_.format.schema;
  }
  return "";
}

void RequestWriter::words() {
  std::string stops;
  for (size_t i = 0; i < from_.stop.size(); ++i) {
    if (is_blank(from_.stop[i])) {
      drop(fmt::format("stop[{}] (only space)", i));
    } else {
      stops += (stops.empty() ? "" : ",") + quoted(from_.stop[i]);
    }
  }
  if (!stops.empty()) field("stop_sequences", "[" + stops + "]");
  if (!from_.user.empty()) field("metadata", R"({"user_id":)" + quoted(from_.user) + "}");
  if (from_.service_tier == "auto") {
    field("service_tier", quoted("auto"));
  } else if (from_.service_tier == "default") {
    field("service_tier", quoted("standard_only"));
  } else if (!from_.service_tier.empty()) {
    drop("service_tier");
  }
}

void RequestWriter::left_out() {
  if (from_.frequency_penalty.value_or(0) != 0) drop("frequency_penalty");
  if (from_.presence_penalty.value_or(0) != 0) drop("presence_penalty");
  if (from_.seed) drop("seed");
  if (!from_.prompt_cache_key.empty()) drop("prompt_cache_key");
  for (const std::string& name : from_.unmapped) drop(name);
}

}  // namespace

Result<chat::Translated> write_request(const Conversation& conversation,
                                       const chat::TargetTraits& target) {
  return RequestWriter(conversation, target).run();
}

}  // namespace sluice::anthropic
