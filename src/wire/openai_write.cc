#include "wire/openai_write.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "wire/openai_write_request.h"

namespace sluice::openai {

using chat::Format;
using chat::Tool;
using chat::ToolChoice;

namespace {

constexpr size_t kMaxStop = 4;
constexpr size_t kMaxUser = 64;
constexpr int64_t kLowBudget = 1024;
constexpr int64_t kMediumBudget = 4096;
constexpr int64_t kHighBudget = 16384;

}  // namespace

void DroppedNames::add(std::string_view name) {
  if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.emplace_back(name);
}

std::string_view effort_for(int64_t budget) {
  if (budget <= 2 * kLowBudget) return "low";
  return budget <= 2 * kMediumBudget ? "medium" : "high";
}

int64_t budget_for(std::string_view effort) {
  if (effort == "minimal" || effort == "low") return kLowBudget;
  return effort == "medium" ? kMediumBudget : kHighBudget;
}

Result<chat::Translated> write_request(const chat::Conversation& conversation,
                                       const chat::TargetTraits& traits) {
  return RequestWriter(conversation, traits).run();
}

Result<chat::Translated> RequestWriter::run() {
  for (const std::string& name : in_.unmapped) dropped_.add(name);
  json_.open_object().member("model", traits_.model).key("messages").open_array();
  for (size_t i = 0; i < in_.messages.size(); ++i) message(i);
  json_.close_array();
  if (messages_ == 0) {
    return Error(Outcome::BadRequest, "`messages` holds nothing that the target can read",
                 "messages");
  }
  tools();
  limits();
  sampling();
  reasoning();
  format();
  identity();
  stream();
  json_.close_object();
  out_.dropped = dropped_.take();
  return std::move(out_);
}

void RequestWriter::limits() {
  if (in_.max_output_tokens) {
    json_.key(traits_.old_max_tokens ? "max_tokens" : "max_completion_tokens");
    json_.integer(*in_.max_output_tokens);
  }
  if (in_.choices != 1) json_.key("n").integer(in_.choices);
  if (in_.stop.empty()) return;
  json_.key("stop").open_array();
  const size_t count = std::min(in_.stop.size(), kMaxStop);
  for (size_t i = 0; i < count; ++i) json_.text(in_.stop[i]);
  json_.close_array();
  if (in_.stop.size() > kMaxStop) dropped_.add("stop (beyond the first 4)");
}

void RequestWriter::sampling() {
  const auto sampled = [&](std::string_view name, const std::optional<double>& value) {
    if (!value) return;
    if (!traits_.fixed_sampling) {
      json_.key(name).real(*value);
    } else if (*value != 1) {
      // A target with fixed sampling samples as for 1.
      dropped_.add(name);
    }
  };
  sampled("temperature", in_.temperature);
  sampled("top_p", in_.top_p);
  if (in_.top_k) dropped_.add("top_k");
  if (in_.frequency_penalty) json_.key("frequency_penalty").real(*in_.frequency_penalty);
  if (in_.presence_penalty) json_.key("presence_penalty").real(*in_.presence_penalty);
  if (in_.seed) json_.key("seed").integer(*in_.seed);
}

void RequestWriter::reasoning() {
  const chat::Reasoning& reasoning = in_.reasoning;
  if (!reasoning.summary.empty()) dropped_.add("reasoning.summary");
  std::string_view effort = reasoning.effort;
  if (effort.empty() && reasoning.budget) effort = effort_for(*reasoning.budget);
  if (effort.empty() && reasoning.adaptive) effort = "medium";
  if (effort.empty()) return;
  if (traits_.reasoning_effort) {
    json_.member("reasoning_effort", effort);
  } else {
    dropped_.add("reasoning");
  }
}

void RequestWriter::format() {
  if (in_.format.kind == Format::Kind::Text) return;
  json_.key("response_format").open_object();
  if (in_.format.kind == Format::Kind::JsonObject) {
    json_.member("type", "json_object").close_object();
    return;
  }
  json_.member("type", "json_schema").key("json_schema").open_object();
  json_.member("name", in_.format.name.empty() ? "answer" : in_.format.name);
  if (!in_.format.description.empty()) json_.member("description", in_.format.description);
  if (!in_.format.schema.empty()) json_.member_raw("schema", in_.format.schema);
  if (in_.format.strict) json_.key("strict").boolean(*in_.format.strict);
  json_.close_object().close_object();
}

void RequestWriter::tools() {
  bool any = false;
  for (const Tool& entry : in_.tools) {
    if (!entry.json.empty()) {
      dropped_.add(fmt::format("tools ({})", entry.name));
      continue;
    }
    if (!any) json_.key("tools").open_array();
    any = true;
    tool(entry);
  }
  if (any) json_.close_array();
  tool_choice(any);
  if (!in_.parallel_tool_calls) return;
  // Without tools the field is an error, and there is nothing to call.
  if (any) json_.key("parallel_tool_calls").boolean(*in_.parallel_tool_calls);
}

void RequestWriter::tool(const Tool& tool) {
  if (!tool.cache_control.empty()) dropped_.add("tools.cache_control");
  const std::string_view kind = tool.custom ? "custom" : "function";
  json_.open_object().member("type", kind).key(kind).open_object().member("name", tool.name);
  if (!tool.description.empty()) json_.member("description", tool.description);
  if (!tool.custom) {
    if (!tool.parameters.empty()) json_.member_raw("parameters", tool.parameters);
    if (tool.strict) json_.key("strict").boolean(*tool.strict);
  }
  json_.close_object().close_object();
}

void RequestWriter::tool_choice(bool any_tool) {
  const ToolChoice& choice = in_.tool_choice;
  if (choice.kind == ToolChoice::Kind::Unset) return;
  if (!any_tool) {
    const bool asks = choice.kind == ToolChoice::Kind::Required;
    if (asks || choice.kind == ToolChoice::Kind::One) dropped_.add("tool_choice");
    return;
  }
  json_.key("tool_choice");
  if (choice.kind != ToolChoice::Kind::One) {
    json_.text(choice.kind == ToolChoice::Kind::None       ? "none"
               : choice.kind == ToolChoice::Kind::Required ? "required"
                                                           : "auto");
    return;
  }
  const bool custom = std::any_of(in_.tools.begin(), in_.tools.end(), [&](const Tool& tool) {
    return tool.custom && tool.name == choice.name;
  });
  const std::string_view kind = custom ? "custom" : "function";
  json_.open_object().member("type", kind).key(kind).open_object();
  json_.member("name", choice.name).close_object().close_object();
}

void RequestWriter::identity() {
  if (in_.user.size() > kMaxUser) {
    dropped_.add("user (longer than 64 bytes)");
  } else if (!in_.user.empty()) {
    json_.member(traits_.old_max_tokens ? "user" : "safety_identifier", in_.user);
  }
  if (!in_.service_tier.empty()) {
    // Anthropic's word for the tier that is OpenAI's default.
    const bool standard = in_.service_tier == "standard_only";
    json_.member("service_tier", standard ? "default" : in_.service_tier);
  }
  if (!in_.prompt_cache_key.empty()) json_.member("prompt_cache_key", in_.prompt_cache_key);
}

void RequestWriter::stream() {
  if (!in_.stream) return;
  json_.key("stream").boolean(true);
  if (!traits_.ask_usage) return;
  json_.key("stream_options").open_object().key("include_usage").boolean(true).close_object();
}

}  // namespace sluice::openai
