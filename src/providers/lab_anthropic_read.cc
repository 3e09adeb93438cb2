// The body of an Anthropic request but for its messages: limits, sampling, thinking, tools, format.
#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "providers/lab_anthropic_blocks.h"
#include "providers/lab_anthropic_face.h"
#include "providers/lab_anthropic_messages.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::element;

constexpr int64_t kLeastBudget = 1024;
constexpr int64_t kMostTokens = 10'000'000;

void refuse(LabFields& fields, std::string message) {
  fields.refuse("", "", std::move(message));
}

void read_limits(LabFields& fields, LabRequest& request) {
  if (request.endpoint == chat::Endpoint::CountTokens) {
    for (const std::string_view key : {"max_tokens", "stream", "temperature"}) {
      if (fields.find(key)) fields.refuse(kLabAnthropicWording.extra(key));
    }
    return;
  }
  if (!fields.require("max_tokens")) return;
  request.max_tokens = fields.integer("max_tokens", 0, kMostTokens);
  request.stream = fields.boolean("stream").value_or(false);
  request.include_usage = true;
  if (request.max_tokens.value_or(0) > request.traits.most_output) {
    refuse(fields, fmt::format("max_tokens: {} > {}, which is the maximum allowed number of output "
                               "tokens for {}",
                               *request.max_tokens, request.traits.most_output, request.model));
  }
}

void read_stops(LabFields& fields, LabRequest& request) {
  const auto stops = fields.array("stop_sequences");
  if (!stops) return;
  for (const element one : *stops) {
    std::string_view text;
    if (one.get(text) != simdjson::SUCCESS) {
      return fields.refuse_type("stop_sequences", "a string", one);
    }
    if (text.find_first_not_of(" \n\t\r") == std::string_view::npos) {
      return refuse(fields, "stop_sequences: each stop sequence must contain non-whitespace");
    }
    request.stops.emplace_back(text);
  }
}

void read_sampling(LabFields& fields, LabRequest& request) {
  for (const std::string_view key : {"temperature", "top_p", "top_k"}) {
    if (request.api_version == "2023-06-01" || !fields.find(key)) continue;
    return fields.refuse(kLabAnthropicWording.extra(key));
  }
  const auto temperature = fields.number("temperature", 0, 1);
  const auto top_p = fields.number("top_p", 0, 1);
  const auto top_k = fields.integer("top_k", 0, kMostTokens);
  if (request.traits.modern) {
    const bool warm = temperature.value_or(1) != 1;
    if (!warm && !top_k && top_p.value_or(1) >= 0.99) return;
    const std::string_view key = warm ? "temperature" : top_k ? "top_k" : "top_p";
    return refuse(fields, fmt::format("`{}` is not supported by this model", key));
  }
  if (request.thinking == LabRequest::Thinking::Off) return;
  if (temperature.value_or(1) != 1) {
    refuse(fields, "`temperature` may only be set to 1 when thinking is enabled.");
  }
  if (top_k) refuse(fields, "`top_k` must be unset when thinking is enabled.");
  if (top_p.value_or(1) < 0.95) {
    refuse(fields, "`top_p` must be greater than or equal to 0.95 when thinking is enabled.");
  }
}

void read_thinking(LabFields& fields, LabRequest& request) {
  const auto thinking = fields.object("thinking");
  if (!thinking) return;
  LabFields inner = fields.at("thinking", *thinking);
  if (!inner.required_text("type")) return;
  const auto type = inner.word("type", {"enabled", "adaptive", "disabled", "between_tools"});
  if (!type || *type == "disabled") return;
  const bool budgeted = *type == "enabled";
  if (request.traits.thinks == 0) return refuse(fields, "This model does not support thinking.");
  if (budgeted && request.traits.modern) {
    return refuse(fields,
                  "`thinking.type` `enabled` is not supported by this model; use `adaptive`");
  }
  if (budgeted) {
    if (!inner.require("budget_tokens")) return;
    request.thinking_budget = inner.integer("budget_tokens", kLeastBudget, kMostTokens);
    if (request.max_tokens && request.thinking_budget &&
        *request.thinking_budget >= *request.max_tokens) {
      return refuse(fields, "`max_tokens` must be greater than `thinking.budget_tokens`.");
    }
  }
  const bool omitted = inner.word("display", {"summarized", "omitted"}) == "omitted";
  request.thinking = omitted ? LabRequest::Thinking::Omitted : LabRequest::Thinking::Shown;
}

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

// One of the client's own tools.
void read_tool(LabFields& fields, LabRequest& request) {
  fields.only({"type", "name", "description", "input_schema", "cache_control", "strict",
               "input_examples", "eager_input_streaming"});
  const auto name = fields.required_text("name");
  const auto schema = fields.required_object("input_schema");
  if (!name || !schema) return;
  if (!is_tool_name(*name)) {
    return refuse(
        fields, fields.path_of("name") + ": String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
  }
  LabFields inner = fields.at("input_schema", *schema);
  if (!inner.required_text("type") || !inner.word("type", {"object"})) return;
  if (std::ranges::find(request.tools, *name, &LabTool::name) != request.tools.end()) {
    return refuse(fields, "tools: Tool names must be unique.");
  }
  LabTool tool;
  tool.name = *name;
  tool.has_parameters = true;
  tool.parameters = *fields.find("input_schema");
  const std::string text = fmt::format("{} {} {}", *name, fields.text("description").value_or(""),
                                       simdjson::minify(*schema));
  request.tools.push_back(std::move(tool));
  const LabRequest::Keep keep = read_lab_cache_control(fields, request);
  request.add_part(text, lab_count_tokens(text), keep);
}

void read_tools(LabFields& fields, LabRequest& request) {
  const auto tools = fields.array("tools");
  if (!tools) return;
  size_t index = 0;
  for (const element one : *tools) {
    const std::string key = fmt::format("tools.{}", index++);
    std::optional<LabFields> typed = fields.element(key, one);
    if (!typed) return;
    const std::string_view type = typed->text("type").value_or("custom");
    if (type == "custom") {
      LabFields custom = fields.at(key + ".custom", typed->members());
      read_tool(custom, request);
    } else if (type.find("_20") != std::string_view::npos) {  // "web_search_20250305"
      const std::string text = simdjson::minify(typed->members());
      request.add_part(text, lab_count_tokens(text));
    } else {
      refuse(fields, fmt::format("{}: Input tag '{}' found using 'type' does not match any of the "
                                 "expected tags",
                                 key, type));
    }
    if (fields.failed()) return;
  }
}

void read_tool_choice(LabFields& fields, LabRequest& request) {
  const auto choice = fields.object("tool_choice");
  if (!choice) return;
  if (!fields.array("tools")) {
    return refuse(fields, "tool_choice: may only be specified while providing tools");
  }
  LabFields inner = fields.at("tool_choice", *choice);
  inner.only({"type", "name", "disable_parallel_tool_use"});
  if (!inner.required_text("type")) return;
  const auto type = inner.word("type", {"auto", "any", "tool", "none"});
  request.parallel_tools = !inner.boolean("disable_parallel_tool_use").value_or(false);
  if (!type || *type == "auto") return;
  if (*type == "none") {
    request.tool_choice = LabRequest::ToolChoice::None;
    return;
  }
  request.tool_choice = LabRequest::ToolChoice::Required;
  if (request.thinking != LabRequest::Thinking::Off) {
    return refuse(fields, "Thinking may not be enabled when tool_choice forces tool use.");
  }
  if (*type == "any") return;
  const auto name = inner.required_text("name");
  if (!name) return;
  if (std::ranges::find(request.tools, *name, &LabTool::name) == request.tools.end()) {
    return refuse(fields, fmt::format("Tool '{}' not found in provided tools", *name));
  }
  request.tool_names.emplace_back(*name);
}

void read_output_config(LabFields& fields, LabRequest& request) {
  const auto config = fields.object("output_config");
  if (!config) return;
  LabFields inner = fields.at("output_config", *config);
  inner.only({"effort", "format"});
  inner.word("effort", {"low", "medium", "high", "xhigh", "max"});
  const auto format = inner.object("format");
  if (!format) return;
  LabFields shape = inner.at("format", *format);
  if (!shape.required_text("type") || !shape.word("type", {"json_schema"})) return;
  if (!shape.required_object("schema")) return;
  request.format = LabRequest::Format::JsonSchema;
  request.schema = *shape.find("schema");
  request.hash = lab_hash(simdjson::minify(*format), request.hash);
}

void read_metadata(LabFields& fields, LabRequest& request) {
  const auto metadata = fields.object("metadata");
  if (!metadata) return;
  LabFields inner = fields.at("metadata", *metadata);
  inner.only({"user_id"});
  request.user = inner.text("user_id").value_or("");
}

}  // namespace

// The order of the prompt is tools, system, messages: what is cached is a beginning of that.
void lab_anthropic_read(LabFields& fields, LabRequest& request) {
  fields.only({"model",          "max_tokens",      "messages",     "system",
               "stop_sequences", "stream",          "tools",        "tool_choice",
               "thinking",       "output_config",   "metadata",     "service_tier",
               "speed",          "cache_control",   "container",    "inference_geo",
               "diagnostics",    "user_profile_id", "workspace_id", "temperature",
               "top_p",          "top_k",           "mcp_servers",  "context_management"});
  read_limits(fields, request);
  read_stops(fields, request);
  read_thinking(fields, request);
  read_sampling(fields, request);
  fields.word("service_tier", {"auto", "standard_only"});
  fields.word("speed", {"standard", "fast"});
  read_metadata(fields, request);
  read_output_config(fields, request);
  read_tools(fields, request);
  read_tool_choice(fields, request);
  read_lab_anthropic_system(fields, request);
  read_lab_anthropic_messages(fields, request);
  const LabRequest::Keep keep = read_lab_cache_control(fields, request);
  if (keep != LabRequest::Keep::No && !request.parts.empty()) request.parts.back().keep = keep;
}

}  // namespace sluice::providers
