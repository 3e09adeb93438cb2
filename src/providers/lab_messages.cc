#include "providers/lab_messages.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "providers/lab_fields.h"
#include "providers/lab_request.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr int64_t kImageTokens = 85;

// What a message says, as far as it is text.
struct Content {
  std::string text;
  int64_t other_tokens = 0;
};

void read_part(LabFields& fields, std::string_view role, Content& content) {
  const auto type = fields.required_text("type");
  if (!type) return;
  if (*type == "text") {
    content.text += fields.required_text("text").value_or("");
  } else if (*type == "image_url") {
    const auto image = fields.object("image_url");
    if (!image) {
      fields.require("image_url");
      return;
    }
    LabFields inner(*image, fields.path_of("image_url."), fields.error());
    inner.required_text("url");
    inner.word("detail", {"auto", "low", "high", "original"});
    content.other_tokens += kImageTokens;
  } else if (*type == "input_audio" || *type == "file") {
    fields.require(*type);
    content.other_tokens += kImageTokens;
  } else if (*type == "refusal" && role == "assistant") {
    content.text += fields.required_text("refusal").value_or("");
  } else {
    fields.refuse("invalid_value", "type",
                  fmt::format("Invalid value: '{}'. Supported values are: 'text', 'image_url', "
                              "'input_audio', 'refusal', and 'file'.",
                              *type));
  }
}

void read_content(LabFields& fields, std::string_view role, Content& content) {
  const auto value = fields.find("content");
  if (!value) {
    const bool may_be_absent =
        role == "assistant" && (fields.find("tool_calls") || fields.find("function_call") ||
                                fields.find("refusal") || fields.find("audio"));
    if (may_be_absent || !fields.require("content")) return;
    fields.refuse("invalid_type", "content",
                  fmt::format("Invalid value for '{}': expected a string, got null.",
                              fields.path_of("content")));
    return;
  }
  std::string_view text;
  array parts;
  if (value->get(text) == simdjson::SUCCESS) {
    content.text = text;
    return;
  }
  if (value->get(parts) != simdjson::SUCCESS) {
    fields.refuse_type("content", "one of an array of objects or a string", *value);
    return;
  }
  size_t index = 0;
  for (const element part : parts) {
    const std::string key = fmt::format("content[{}]", index++);
    std::optional<LabFields> inner = fields.element(key, part);
    if (!inner) return;
    read_part(*inner, role, content);
  }
}

void read_calls(LabFields& fields, Content& content) {
  const auto calls = fields.array("tool_calls");
  if (!calls) return;
  size_t index = 0;
  for (const element call : *calls) {
    const std::string key = fmt::format("tool_calls[{}]", index++);
    std::optional<LabFields> inner = fields.element(key, call);
    if (!inner) return;
    inner->required_text("id");
    inner->required_text("type");
    content.text += simdjson::minify(call);
  }
}

void read_message(LabFields& fields, LabRequest& request) {
  const auto role = fields.required_text("role");
  if (!role) return;
  fields.word("role", {"system", "developer", "user", "assistant", "tool", "function"});
  Content content;
  read_content(fields, *role, content);
  if (*role == "assistant") read_calls(fields, content);
  if (*role == "tool") fields.required_text("tool_call_id");
  fields.text("name");
  if (fields.failed()) return;

  request.last_is_tool_result = *role == "tool" || *role == "function";
  if (*role == "user") request.last_user_text = content.text;
  std::string lower = content.text;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  request.mentions_json = request.mentions_json || lower.find("json") != std::string::npos;

  LabRequest::Part part;
  part.tokens = lab_count_tokens(content.text) + content.other_tokens;
  request.hash = lab_hash(content.text, lab_hash(*role, request.hash));
  part.hash = request.hash;
  request.parts.push_back(part);
  request.prompt_tokens += part.tokens;
}

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

void read_tool(LabFields& fields, LabRequest& request) {
  const auto type = fields.required_text("type");
  if (!type || !fields.word("type", {"function", "custom"}) || !fields.require(*type)) return;
  const auto inside = fields.object(*type);
  if (!inside) return;
  LabFields inner(*inside, fields.path_of(*type) + ".", fields.error());
  const auto name = inner.required_text("name");
  if (!name) return;
  if (!is_tool_name(*name)) {
    inner.refuse("invalid_value", "name",
                 fmt::format("Invalid '{}': string does not match pattern. Expected a string that "
                             "matches the pattern '^[a-zA-Z0-9_-]{{1,64}}$'.",
                             inner.path_of("name")));
    return;
  }
  inner.text("description");
  LabTool tool;
  tool.name = *name;
  tool.custom = *type == "custom";
  if (!tool.custom && inner.object("parameters")) {
    tool.has_parameters = true;
    tool.parameters = *inner.find("parameters");
  }
  request.tools.push_back(std::move(tool));
}

// {type:"function",function:{name}} or {type:"custom",custom:{name}}
void read_named_tool(LabFields& fields, LabRequest& request) {
  const auto type = fields.required_text("type");
  if (!type || !fields.word("type", {"function", "custom"})) return;
  const auto inside = fields.object(*type);
  if (!inside) {
    fields.require(*type);
    return;
  }
  LabFields inner(*inside, fields.path_of(*type) + ".", fields.error());
  const auto name = inner.required_text("name");
  if (!name) return;
  if (std::ranges::find(request.tools, *name, &LabTool::name) == request.tools.end()) {
    inner.refuse("invalid_value", "name",
                 fmt::format("Tool choice '{}' not found in 'tools' parameter.", *name));
    return;
  }
  request.tool_names.emplace_back(*name);
}

void read_allowed_tools(LabFields& fields, LabRequest& request) {
  const auto allowed = fields.object("allowed_tools");
  if (!allowed) {
    fields.require("allowed_tools");
    return;
  }
  LabFields inner(*allowed, fields.path_of("allowed_tools."), fields.error());
  if (inner.word("mode", {"auto", "required"}) == "required") {
    request.tool_choice = LabRequest::ToolChoice::Required;
  }
  const auto tools = inner.required_array("tools");
  if (!tools) return;
  for (const element tool : *tools) {
    object members;
    if (tool.get(members) != simdjson::SUCCESS) continue;
    LabFields one(members, inner.path_of("tools[]."), fields.error());
    read_named_tool(one, request);
  }
}

void read_tool_choice(LabFields& fields, LabRequest& request) {
  const auto choice = fields.find("tool_choice");
  if (!choice) return;
  if (request.tools.empty()) {
    fields.refuse("", "tool_choice", "'tool_choice' is only allowed when 'tools' are specified.");
    return;
  }
  if (choice->is_string()) {
    const auto word = fields.word("tool_choice", {"none", "auto", "required"});
    if (word == "none") request.tool_choice = LabRequest::ToolChoice::None;
    if (word == "required") request.tool_choice = LabRequest::ToolChoice::Required;
    return;
  }
  const auto inside = fields.object("tool_choice");
  if (!inside) return;
  LabFields inner(*inside, "tool_choice.", fields.error());
  if (inner.text("type") == "allowed_tools") {
    read_allowed_tools(inner, request);
    return;
  }
  request.tool_choice = LabRequest::ToolChoice::Required;
  read_named_tool(inner, request);
}

}  // namespace

void read_lab_messages(LabFields& fields, LabRequest& request) {
  const auto messages = fields.required_array("messages");
  if (!messages) return;
  if (messages->size() == 0) {
    fields.refuse("empty_array", "messages",
                  "Invalid 'messages': empty array. Expected an array with minimum length 1, but "
                  "got an empty array instead.");
    return;
  }
  size_t index = 0;
  for (const element message : *messages) {
    const std::string key = fmt::format("messages[{}]", index++);
    std::optional<LabFields> inner = fields.element(key, message);
    if (!inner) return;
    read_message(*inner, request);
    if (fields.failed()) return;
  }
}

void read_lab_tools(LabFields& fields, LabRequest& request) {
  if (const auto tools = fields.array("tools")) {
    size_t index = 0;
    for (const element tool : *tools) {
      const std::string key = fmt::format("tools[{}]", index++);
      std::optional<LabFields> inner = fields.element(key, tool);
      if (!inner) return;
      read_tool(*inner, request);
    }
    const std::string text = simdjson::minify(*tools);
    request.hash = lab_hash(text, request.hash);
    request.prompt_tokens += lab_count_tokens(text);
  }
  read_tool_choice(fields, request);
  request.parallel_tools = fields.boolean("parallel_tool_calls").value_or(true);
}

void read_lab_format(LabFields& fields, LabRequest& request) {
  const auto format = fields.object("response_format");
  if (!format) return;
  LabFields inner(*format, "response_format.", fields.error());
  if (!inner.required_text("type")) return;
  const auto type = inner.word("type", {"text", "json_object", "json_schema"});
  if (!type || *type == "text") return;
  request.hash = lab_hash(simdjson::minify(*format), request.hash);
  if (*type == "json_object") {
    request.format = LabRequest::Format::JsonObject;
    if (!request.mentions_json) {
      fields.refuse("", "messages",
                    "'messages' must contain the word 'json' in some form, to use "
                    "'response_format' of type 'json_object'.");
    }
    return;
  }
  request.format = LabRequest::Format::JsonSchema;
  const auto wrapper = inner.object("json_schema");
  if (!wrapper) {
    inner.require("json_schema");
    return;
  }
  LabFields named(*wrapper, "response_format.json_schema.", fields.error());
  named.required_text("name");
  if (named.object("schema")) {
    request.schema = *named.find("schema");
  } else {
    named.require("schema");
  }
}

}  // namespace sluice::providers
