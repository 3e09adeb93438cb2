// Messages requests to the middle form.
#include <fmt/format.h>

#include "wire/anthropic.h"
#include "wire/anthropic_conversation.h"
#include "wire/json_members.h"

namespace sluice::anthropic {
namespace {

using chat::Conversation;
using chat::Message;
using chat::Part;
using json::Members;
using json::Type;

// Reads one body that decode_request has accepted.
class ConversationReader {
 public:
  Result<Conversation> run(std::string_view body);

 private:
  void field(const std::string& key, std::string_view value);
  void system(std::string_view value);
  void message(const std::string& path, std::string_view value);
  void parts(const std::string& path, std::string_view content, std::vector<Part>* out);
  Part part(const std::string& path, std::string_view block);
  Part image(const Members& block);
  Part document(const std::string& path, std::string_view json, const Members& block);
  Part tool_result(const std::string& path, const Members& block);
  void tools(std::string_view value);
  void tool_choice(const Members& choice);
  void thinking(const Members& thinking);
  void output_config(const Members& config);
  // Of a block or a tool, what no member stands for.
  void note(const std::string& path, const Members& members, std::string_view key);
  bool scalar(const std::string& key, std::string_view value);
  void fail(std::string message, std::string param);

  Conversation conversation_;
  std::optional<Error> error_;
};

void ConversationReader::fail(std::string message, std::string param) {
  if (!error_) error_.emplace(Outcome::BadRequest, std::move(message), std::move(param));
}

void ConversationReader::note(const std::string& path, const Members& members,
                              std::string_view key) {
  if (!members[key].empty()) conversation_.unmapped.push_back(fmt::format("{}.{}", path, key));
}

Result<Conversation> ConversationReader::run(std::string_view body) {
  const Result<chat::Request> request = decode_request(chat::Endpoint::CountTokens, body);
  if (!request)
    return Error(request.error().outcome(), request.error().message(), request.error().param());
  conversation_.model = request->model;
  conversation_.stream = request->stream;
  conversation_.max_output_tokens = request->max_output_tokens;
  conversation_.user = request->user;
  // From the opening brace, for Members wants no space before it.
  const Members fields(body.substr(request->object_open - 1));
  system(fields["system"]);
  for (const Members::Member& member : fields) {
    if (json::type_of(member.value) != Type::Null) field(member.key.str(), member.value);
  }
  if (error_) return std::move(*error_);
  return std::move(conversation_);
}

void ConversationReader::field(const std::string& key, std::string_view value) {
  if (scalar(key, value)) return;
  if (key == "messages") {
    const std::vector<std::string_view> messages = json::elements_of(value);
    for (size_t i = 0; i < messages.size(); ++i)
      message(fmt::format("messages[{}]", i), messages[i]);
  } else if (key == "tools") {
    tools(value);
  } else if (key == "tool_choice") {
    tool_choice(Members(value));
  } else if (key == "thinking") {
    thinking(Members(value));
  } else if (key == "output_config") {
    output_config(Members(value));
  } else if (key == "stop_sequences") {
    for (const std::string_view stop : json::elements_of(value)) {
      conversation_.stop.push_back(json::text_of(stop));
    }
  } else {
    conversation_.unmapped.push_back(key);
  }
}

// The fields that decode_request has read, and those of one number or word.
bool ConversationReader::scalar(const std::string& key, std::string_view value) {
  if (key == "model" || key == "stream" || key == "max_tokens" || key == "metadata" ||
      key == "system") {
    return true;
  }
  if (key == "temperature") {
    conversation_.temperature = json::to_double(value);
  } else if (key == "top_p") {
    conversation_.top_p = json::to_double(value);
  } else if (key == "top_k") {
    conversation_.top_k = json::to_integer(value);
  } else if (key == "service_tier") {
    const std::string tier = json::text_of(value);
    conversation_.service_tier = tier == "standard_only" ? "default" : tier;
  } else {
    return false;
  }
  return true;
}

void ConversationReader::system(std::string_view value) {
  if (value.empty()) return;
  Message message;
  message.role = chat::Role::System;
  parts("system", value, &message.parts);
  conversation_.messages.push_back(std::move(message));
}

void ConversationReader::message(const std::string& path, std::string_view value) {
  const Members members(value);
  const std::string role = members.text("role");
  Message message;
  if (role == "assistant") {
    message.role = chat::Role::Assistant;
  } else if (role == "system") {
    message.role = chat::Role::System;
  } else if (role != "user") {
    fail(fmt::format("`{}.role` must be user, assistant or system", path), path + ".role");
  }
  parts(path + ".content", members["content"], &message.parts);
  conversation_.messages.push_back(std::move(message));
}

void ConversationReader::parts(const std::string& path, std::string_view content,
                               std::vector<Part>* out) {
  if (json::type_of(content) == Type::String) {
    Part text;
    text.text = json::text_of(content);
    out->push_back(std::move(text));
    return;
  }
  const std::vector<std::string_view> blocks = json::elements_of(content);
  for (size_t i = 0; i < blocks.size(); ++i) {
    out->push_back(part(fmt::format("{}[{}]", path, i), blocks[i]));
  }
}

Part ConversationReader::part(const std::string& path, std::string_view json) {
  const Members block(json);
  const std::string type = block.text("type");
  Part part;
  if (type == "text") {
    part.text = block.text("text");
    if (!json::elements_of(block["citations"]).empty()) note(path, block, "citations");
  } else if (type == "image") {
    part = image(block);
  } else if (type == "document") {
    part = document(path, json, block);
  } else if (type == "tool_use") {
    part.kind = Part::Kind::ToolCall;
    part.id = block.text("id");
    part.name = block.text("name");
    part.arguments = input_of(block["input"]);
  } else if (type == "tool_result") {
    part = tool_result(path, block);
  } else if (type == "thinking") {
    part.kind = Part::Kind::Thinking;
    part.text = block.text("thinking");
    part.signature = block.text("signature");
  } else if (type == "redacted_thinking") {
    part.kind = Part::Kind::Redacted;
    part.data = block.text("data");
  } else {
    part.kind = Part::Kind::Foreign;
    part.name = type;
    part.json = json;
    return part;
  }
  part.cache_control = block["cache_control"];
  return part;
}

Part ConversationReader::image(const Members& block) {
  const Members source(block["source"]);
  Part part;
  part.kind = Part::Kind::Image;
  part.url = source.text("url");
  part.media_type = source.text("media_type");
  part.data = source.text("data");
  part.file_id = source.text("file_id");
  return part;
}

Part ConversationReader::document(const std::string& path, std::string_view json,
                                  const Members& block) {
  const Members source(block["source"]);
  const std::string type = source.text("type");
  Part part;
  if (type == "content") {
    part.kind = Part::Kind::Foreign;
    part.name = "document";
    part.json = json;
    return part;
  }
  const std::string title = block.text("title");
  if (type == "text") {
    part.text = (title.empty() ? "" : title + "\n\n") + source.text("data");
  } else {
    part = image(block);
    part.kind = Part::Kind::File;
    part.text = title;
  }
  note(path, block, "context");
  note(path, block, "citations");
  return part;
}

Part ConversationReader::tool_result(const std::string& path, const Members& block) {
  Part part;
  part.kind = Part::Kind::ToolResult;
  part.id = block.text("tool_use_id");
  part.is_error = block.boolean("is_error").value_or(false);
  parts(path + ".content", block["content"], &part.content);
  return part;
}

void ConversationReader::tools(std::string_view value) {
  size_t index = 0;
  for (const std::string_view json : json::elements_of(value)) {
    const Members members(json);
    const std::string type = members.text("type");
    const std::string path = fmt::format("tools[{}]", index++);
    chat::Tool tool;
    if (type.empty() || type == "custom") {
      tool.name = members.text("name");
      tool.description = members.text("description");
      tool.parameters = members["input_schema"];
      tool.strict = members.boolean("strict");
      tool.cache_control = members["cache_control"];
      note(path, members, "input_examples");
      note(path, members, "eager_input_streaming");
      if (tool.name.empty()) fail(fmt::format("`{}.name` is missing", path), path + ".name");
    } else {
      tool.name = type;
      tool.json = json;
    }
    conversation_.tools.push_back(std::move(tool));
  }
}

void ConversationReader::tool_choice(const Members& choice) {
  using Kind = chat::ToolChoice::Kind;
  const std::string type = choice.text("type");
  chat::ToolChoice& out = conversation_.tool_choice;
  if (type == "auto") out.kind = Kind::Auto;
  if (type == "none") out.kind = Kind::None;
  if (type == "any") out.kind = Kind::Required;
  if (type == "tool") out.kind = Kind::One;
  if (out.kind == Kind::Unset) {
    fail("`tool_choice.type` must be auto, any, tool or none", "tool_choice.type");
  }
  out.name = choice.text("name");
  if (const std::optional<bool> disable = choice.boolean("disable_parallel_tool_use")) {
    conversation_.parallel_tool_calls = !*disable;
  }
}

void ConversationReader::thinking(const Members& thinking) {
  const std::string type = thinking.text("type");
  chat::Reasoning& reasoning = conversation_.reasoning;
  if (type == "enabled") {
    reasoning.budget = thinking.integer("budget_tokens");
  } else if (type == "adaptive") {
    reasoning.adaptive = true;
  } else if (type == "disabled") {
    // An effort may stand beside it, of the answer's own words: not thinking goes first.
    reasoning.effort = "none";
  } else {
    conversation_.unmapped.push_back("thinking");
  }
  if (thinking.text("display") == "summarized") reasoning.summary = "auto";
}

void ConversationReader::output_config(const Members& config) {
  chat::Reasoning& reasoning = conversation_.reasoning;
  if (reasoning.effort.empty()) reasoning.effort = config.text("effort");
  const Members format(config["format"]);
  if (format.text("type") == "json_schema") {
    conversation_.format.kind = chat::Format::Kind::JsonSchema;
    conversation_.format.schema = format["schema"];
    conversation_.format.strict = true;
  } else if (!format.empty()) {
    conversation_.unmapped.push_back("output_config.format");
  }
}

}  // namespace

Result<Conversation> read_conversation(std::string_view body) {
  return ConversationReader().run(body);
}

}  // namespace sluice::anthropic
