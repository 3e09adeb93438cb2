#include "providers/lab_responses_read.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_fields.h"
#include "providers/lab_messages.h"
#include "providers/lab_openai_read.h"
#include "providers/lab_request.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr int64_t kLeastOutput = 16;
constexpr int64_t kMostOutput = 1'000'000;

// Where parameters of Chat Completions went.
struct Moved {
  std::string_view from;
  std::string_view to;
};
constexpr Moved kMoved[] = {
    {"messages", "input"},
    {"response_format", "text.format"},
    {"max_tokens", "max_output_tokens"},
    {"max_completion_tokens", "max_output_tokens"},
    {"reasoning_effort", "reasoning.effort"},
    {"verbosity", "text.verbosity"},
};

void refuse_chat_shapes(LabFields& fields) {
  for (const Moved& one : kMoved) {
    if (!fields.find(one.from)) continue;
    fields.refuse("unsupported_parameter", one.from,
                  fmt::format("Unsupported parameter: '{0}'. In the Responses API, this parameter "
                              "has moved to '{1}'. Try again with the new parameter.",
                              one.from, one.to));
  }
}

void read_format(LabFields& fields, LabRequest& request) {
  const auto text = fields.object("text");
  if (!text) return;
  LabFields inner = fields.at("text", *text);
  inner.word("verbosity", {"low", "medium", "high"});
  const auto format = inner.object("format");
  if (!format) return;
  LabFields shape = inner.at("format", *format);
  if (!shape.required_text("type")) return;
  const auto type = shape.word("type", {"text", "json_object", "json_schema"});
  if (!type || *type == "text") return;
  request.hash = lab_hash(simdjson::minify(*format), request.hash);
  request.format = LabRequest::Format::JsonObject;
  if (*type == "json_object") {
    if (request.mentions_json) return;
    fields.refuse("", "input",
                  "Response input messages must contain the word 'json' in some form to use "
                  "'text.format' of type 'json_object'.");
    return;
  }
  request.format = LabRequest::Format::JsonSchema;
  shape.required_text("name");
  if (shape.required_object("schema")) request.schema = *shape.find("schema");
}

// Flat: {type:"function",name,parameters,strict}; the provider's own tools are passed by.
void read_tool(LabFields& fields, LabRequest& request) {
  const auto type = fields.required_text("type");
  if (!type || (*type != "function" && *type != "custom")) return;
  const auto name = fields.required_text("name");
  if (!name) return;
  LabTool tool;
  tool.name = *name;
  tool.custom = *type == "custom";
  if (!tool.custom && fields.object("parameters")) {
    tool.has_parameters = true;
    tool.parameters = *fields.find("parameters");
  }
  fields.boolean("strict");
  request.tools.push_back(std::move(tool));
}

void name_tool(LabFields& fields, LabRequest& request) {
  const auto name = fields.required_text("name");
  if (!name) return;
  if (std::ranges::find(request.tools, *name, &LabTool::name) == request.tools.end()) {
    fields.refuse("", "tool_choice",
                  fmt::format("Tool choice '{}' not found in 'tools' parameter.", *name));
    return;
  }
  request.tool_names.emplace_back(*name);
}

void read_tool_choice(LabFields& fields, LabRequest& request) {
  const auto choice = fields.find("tool_choice");
  if (!choice) return;
  using ToolChoice = LabRequest::ToolChoice;
  if (choice->is_string()) {
    const auto word = fields.word("tool_choice", {"none", "auto", "required"});
    if (word == "none") request.tool_choice = ToolChoice::None;
    if (word == "required") request.tool_choice = ToolChoice::Required;
    return;
  }
  const auto inside = fields.object("tool_choice");
  if (!inside) return;
  LabFields inner = fields.at("tool_choice", *inside);
  const auto type = inner.required_text("type");
  if (!type) return;
  if (inner.find("function"))
    return inner.refuse("unknown_parameter", "function",
                        "Unknown parameter: 'tool_choice.function'.");
  if (*type != "allowed_tools") {
    request.tool_choice = ToolChoice::Required;
    if (*type == "function" || *type == "custom") name_tool(inner, request);
    return;
  }
  if (inner.word("mode", {"auto", "required"}) == "required") {
    request.tool_choice = ToolChoice::Required;
  }
  const auto tools = inner.required_array("tools");
  if (!tools) return;
  for (const element one : *tools) {
    object members;
    if (one.get(members) != simdjson::SUCCESS) continue;
    LabFields tool = inner.at("tools[]", members);
    if (tool.text("type") == "function") name_tool(tool, request);
  }
}

void read_tools(LabFields& fields, LabRequest& request) {
  if (const auto tools = fields.array("tools")) {
    size_t index = 0;
    for (const element one : *tools) {
      const std::string key = fmt::format("tools[{}]", index++);
      std::optional<LabFields> inner = fields.element(key, one);
      if (!inner) return;
      read_tool(*inner, request);
    }
    const std::string text = simdjson::minify(*tools);
    request.add_part(text, lab_count_tokens(text));
  }
  read_tool_choice(fields, request);
  request.parallel_tools = fields.boolean("parallel_tool_calls").value_or(true);
}

void read_reasoning(LabFields& fields, LabRequest& request) {
  const auto reasoning = fields.object("reasoning");
  if (!reasoning) return;
  LabFields inner = fields.at("reasoning", *reasoning);
  inner.word("effort", {"none", "minimal", "low", "medium", "high", "xhigh", "max"});
  const auto summary = inner.word("summary", {"auto", "concise", "detailed"});
  if (summary) request.thinking = LabRequest::Thinking::Shown;
}

void read_include(LabFields& fields, LabRequest& request) {
  const auto include = fields.array("include");
  if (!include) return;
  for (const element one : *include) {
    std::string_view text;
    if (one.get(text) != simdjson::SUCCESS) return fields.refuse_type("include", "a string", one);
    request.encrypted_reasoning =
        request.encrypted_reasoning || text == "reasoning.encrypted_content";
  }
}

// What the response repeats of its request, as members of an object.
std::string repeated(LabFields& fields) {
  struct Member {
    std::string_view name;
    std::string_view otherwise;
  };
  constexpr Member kMembers[] = {
      {"instructions", "null"},
      {"max_output_tokens", "null"},
      {"metadata", "{}"},
      {"parallel_tool_calls", "true"},
      {"previous_response_id", "null"},
      {"reasoning", R"({"effort":null,"summary":null})"},
      {"store", "true"},
      {"temperature", "1.0"},
      {"text", R"({"format":{"type":"text"}})"},
      {"tool_choice", R"("auto")"},
      {"tools", "[]"},
      {"top_p", "1.0"},
      {"truncation", R"("disabled")"},
      {"user", "null"},
  };
  std::string out;
  for (const Member& one : kMembers) {
    const auto value = fields.find(one.name);
    out += fmt::format(R"("{}":{},)", one.name,
                       value ? simdjson::minify(*value) : std::string(one.otherwise));
  }
  return out;
}

void read_sampling(LabFields& fields, LabRequest& request) {
  const auto temperature = fields.number("temperature", 0, 2);
  fields.number("top_p", 0, 1);
  fields.integer("top_logprobs", 0, 20);
  if (request.traits.reasoning > 0 && temperature.value_or(1) != 1) {
    fields.refuse("", "temperature",
                  "Unsupported parameter: 'temperature' is not supported with this model.");
  }
}

}  // namespace

void read_lab_responses(LabFields& fields, LabRequest& request) {
  refuse_chat_shapes(fields);
  fields.only({"model",
               "input",
               "instructions",
               "max_output_tokens",
               "max_tool_calls",
               "metadata",
               "parallel_tool_calls",
               "previous_response_id",
               "conversation",
               "prompt",
               "reasoning",
               "text",
               "tools",
               "tool_choice",
               "temperature",
               "top_p",
               "top_logprobs",
               "truncation",
               "store",
               "background",
               "include",
               "stream",
               "stream_options",
               "service_tier",
               "safety_identifier",
               "prompt_cache_key",
               "prompt_cache_options",
               "prompt_cache_retention",
               "user",
               "moderation",
               "context_management",
               "image",
               "access_programs"});
  request.max_tokens = fields.integer("max_output_tokens", kLeastOutput, kMostOutput);
  request.stream = fields.boolean("stream").value_or(false);
  request.store = fields.boolean("store").value_or(true);
  request.previous = fields.text("previous_response_id").value_or("");
  if (!request.previous.empty() && fields.find("conversation")) {
    fields.refuse("mutually_exclusive_parameters", "previous_response_id",
                  "Mutually exclusive parameters: 'previous_response_id' and 'conversation'.");
  }
  request.background = fields.boolean("background").value_or(false);
  if (request.background && !request.store) {
    fields.refuse("", "background", "Background mode requires 'store' to be true.");
  }
  request.hash = lab_hash(request.previous, request.hash);
  if (const auto text = fields.text("instructions")) {
    request.add_part(*text, lab_count_tokens(*text));
  }
  read_sampling(fields, request);
  fields.word("truncation", {"auto", "disabled"});
  fields.word("service_tier", {"auto", "default", "flex", "scale", "priority", "fast"});
  read_reasoning(fields, request);
  read_include(fields, request);
  read_lab_metadata(fields);
  read_lab_items(fields, request);
  read_tools(fields, request);
  read_format(fields, request);
  request.repeated = repeated(fields);
}

}  // namespace sluice::providers
