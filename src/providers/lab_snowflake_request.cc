#include "providers/lab_snowflake_request.h"

#include <algorithm>
#include <fmt/format.h>

#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr int64_t kUsualTokens = 4'096;
constexpr int64_t kMostTokens = 131'072;
constexpr int64_t kImageTokens = 85;

// Calls `visit(fields)` for each object of the array at `key`; refuses what is none.
template <class Visit>
void each_object(LabFields& fields, std::string_view key, array list, Visit visit) {
  size_t index = 0;
  for (const element one : list) {
    const std::string name = fmt::format("{}[{}]", key, index++);
    object members;
    if (one.get(members) != simdjson::SUCCESS) {
      fields.refuse_type(name, "an object", one);
    } else {
      LabFields inner(members, fields.path_of(name) + ".", fields.error());
      visit(inner);
    }
    if (fields.failed()) return;
  }
}

// An object that must be there: its fields, or nothing when something was refused.
std::optional<LabFields> inside(LabFields& fields, std::string_view key) {
  if (!fields.require(key)) return std::nullopt;
  const auto members = fields.object(key);
  if (!members) {
    if (!fields.failed()) fields.refuse("invalid_type", key, fmt::format("'{}' is null.", key));
    return std::nullopt;
  }
  return LabFields(*members, fields.path_of(key) + ".", fields.error());
}

// What a message says, as far as it is text.
struct Content {
  std::string text;
  int64_t other_tokens = 0;
  bool has_result = false;
};

void read_tool_use(LabFields& fields, Content& content) {
  fields.required_text("tool_use_id");
  content.text += fields.required_text("name").value_or("");
  if (const auto input = fields.find("input")) content.text += simdjson::minify(*input);
}

void read_tool_results(LabFields& fields, Content& content) {
  fields.required_text("tool_use_id");
  fields.required_text("name");
  content.has_result = true;
  const auto results = fields.required_array("content");
  if (!results) return;
  each_object(fields, "content", *results, [&content](LabFields& result) {
    const auto type = result.required_text("type");
    if (!type || !result.word("type", {"text", "json"}) || !result.require(*type)) return;
    if (*type == "text") content.text += result.required_text("text").value_or("");
    if (const auto json = result.find("json")) content.text += simdjson::minify(*json);
  });
}

void read_item(LabFields& item, Content& content) {
  const auto type = item.required_text("type");
  if (!type) return;
  if (*type == "text") {
    content.text += item.required_text("text").value_or("");
  } else if (*type == "tool_use") {
    if (auto use = inside(item, "tool_use")) read_tool_use(*use, content);
  } else if (*type == "tool_results") {
    if (auto results = inside(item, "tool_results")) read_tool_results(*results, content);
  } else if (*type == "image") {
    if (auto details = inside(item, "details")) {
      details->required_text("type");
      details->required_text("content");
      details->required_text("content_type");
    }
    content.other_tokens += kImageTokens;
  } else if (*type != "thinking" && *type != "redacted_thinking" && *type != "reasoning") {
    item.refuse("invalid_value", "type", fmt::format("Unknown content type '{}'.", *type));
  }
}

Content read_content(LabFields& fields) {
  Content content;
  const auto text = fields.text("content");
  const auto items = fields.array("content_list");
  if (!text && !items)
    fields.refuse("missing_required_parameter", "content",
                  "A message needs 'content' or 'content_list'.");
  content.text = text.value_or("");
  if (items) {
    each_object(fields, "content_list", *items,
                [&content](LabFields& item) { read_item(item, content); });
  }
  return content;
}

void add_part(LabRequest& request, std::string_view role, const Content& content) {
  request.hash = lab_hash(content.text, lab_hash(role, request.hash));
  LabRequest::Part part;
  part.hash = request.hash;
  part.tokens = lab_count_tokens(content.text) + content.other_tokens;
  request.parts.push_back(part);
  request.prompt_tokens += part.tokens;
}

void read_messages(LabFields& fields, LabRequest& request) {
  const auto messages = fields.required_array("messages");
  if (!messages) return;
  std::string_view last;
  each_object(fields, "messages", *messages, [&](LabFields& message) {
    const auto role = message.required_text("role");
    if (!role || !message.word("role", {"system", "user", "assistant"})) return;
    const bool in_turn = *role == "system" ? last.empty()
                         : *role == "user" ? last != "user"
                                           : last == "user";
    if (!in_turn) {
      message.refuse("invalid_value", "role",
                     "A system message comes first, then user and assistant alternate.");
    }
    const Content content = read_content(message);
    if (message.failed()) return;
    request.last_is_tool_result = content.has_result;
    if (*role == "user") request.last_user_text = content.text;
    add_part(request, *role, content);
    last = *role;
  });
  if (!fields.failed() && last != "user")
    fields.refuse("invalid_value", "messages", "The last message must be of the user.");
}

void read_tools(LabFields& fields, LabRequest& request) {
  const auto tools = fields.array("tools");
  if (!tools) return;
  each_object(fields, "tools", *tools, [&request](LabFields& outer) {
    auto spec = inside(outer, "tool_spec");
    if (!spec) return;
    spec->required_text("type");
    spec->word("type", {"generic"});
    spec->text("description");
    const auto name = spec->required_text("name");
    const auto schema = inside(*spec, "input_schema");
    if (spec->failed()) return;
    LabTool tool;
    tool.name = *name;
    tool.has_parameters = true;
    tool.parameters = *spec->find("input_schema");
    request.tools.push_back(std::move(tool));
  });
  const std::string text = simdjson::minify(*tools);
  request.hash = lab_hash(text, request.hash);
  request.prompt_tokens += lab_count_tokens(text);
}

// {"type":"auto"|"required"|"tool","name":["get_weather"]}
void read_tool_choice(LabFields& fields, LabRequest& request) {
  if (!fields.find("tool_choice")) return;
  auto choice = inside(fields, "tool_choice");
  if (!choice) return;
  const auto type = choice->required_text("type");
  if (!type || !choice->word("type", {"auto", "required", "tool"}) || *type == "auto") return;
  request.tool_choice = LabRequest::ToolChoice::Required;
  if (*type != "tool") return;
  const auto names = choice->required_array("name");
  if (!names) return;
  for (const element one : *names) {
    std::string_view name;
    const bool known =
        one.get(name) == simdjson::SUCCESS &&
        std::ranges::find(request.tools, name, &LabTool::name) != request.tools.end();
    if (!known) return choice->refuse("invalid_value", "name", "names a tool that is not there.");
    request.tool_names.emplace_back(name);
  }
}

void read_format(LabFields& fields, LabRequest& request) {
  if (!fields.find("response_format")) return;
  auto format = inside(fields, "response_format");
  if (!format) return;
  format->required_text("type");
  format->word("type", {"json"});
  if (!inside(*format, "schema")) return;
  request.format = LabRequest::Format::JsonSchema;
  request.schema = *format->find("schema");
  request.hash = lab_hash(simdjson::minify(request.schema), request.hash);
}

}  // namespace

void read_lab_snowflake_complete(LabFields& fields, LabRequest& request) {
  read_messages(fields, request);
  fields.number("temperature", 0, 1);
  fields.number("top_p", 0, 1);
  request.max_tokens = fields.integer("max_tokens", 1, kMostTokens).value_or(kUsualTokens);
  request.stream = fields.boolean("stream").value_or(true);
  request.include_usage = true;
  read_tools(fields, request);
  read_tool_choice(fields, request);
  read_format(fields, request);
  if (const auto guardrails = fields.object("guardrails")) {
    LabFields inner(*guardrails, fields.path_of("guardrails."), fields.error());
    inner.boolean("enabled");
    inner.text("response_when_unsafe");
  }
}

void read_lab_snowflake_embed(LabFields& fields, LabRequest& request) {
  const auto texts = fields.required_array("text");
  if (!texts) return;
  if (texts->size() == 0) fields.refuse("invalid_value", "text", "'text' must not be empty.");
  for (const element one : *texts) {
    std::string_view text;
    if (one.get(text) != simdjson::SUCCESS)
      return fields.refuse_type("text", "an array of strings", one);
    if (text.empty())
      return fields.refuse("invalid_value", "text", "'text' must not hold an empty string.");
    request.hash = 0;  // an embedding depends on its own text alone
    Content content;
    content.text = text;
    add_part(request, "", content);
  }
}

void check_lab_snowflake_chat(LabFields& fields) {
  if (fields.find("max_tokens")) {
    fields.refuse("unsupported_parameter", "max_tokens",
                  "'max_tokens' is not supported. Use 'max_completion_tokens' instead.");
  }
  fields.integer("max_completion_tokens", 1, kMostTokens);
}

}  // namespace sluice::providers
