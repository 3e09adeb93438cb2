// The tools of a request, and which of them it wants called.
#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <string>

#include "wire/responses_conversation.h"

namespace sluice::responses {

using Choice = chat::ToolChoice::Kind;

void ConversationReader::note_others(const Object& object, const std::string& path,
                                     std::initializer_list<std::string_view> known) {
  for (const Object::Member& member : object.members()) {
    const bool read = std::find(known.begin(), known.end(), member.name) != known.end();
    if (!read) unmapped(path + "." + member.name);
  }
}

void ConversationReader::tools() {
  const std::vector<std::string_view> tools = elements_of(body_.raw("tools"));
  for (size_t i = 0; i < tools.size(); ++i) {
    const std::string path = fmt::format("tools[{}]", i);
    const Object tool(tools[i]);
    const std::string type = tool.text("type");
    if (type == "function") {
      function_tool(tool, path);
    } else if (type == "custom") {
      custom_tool(tool, path);
    } else {
      fail(fmt::format("`{}.type`: \"{}\" is run by its provider, and the target of this model "
                       "runs no tools: send a function tool instead, or choose a model whose "
                       "target speaks Responses",
                       path, type),
           path + ".type");
    }
  }
}

void ConversationReader::function_tool(const Object& tool, const std::string& path) {
  note_others(tool, path, {"type", "name", "description", "parameters", "strict"});
  chat::Tool& out = out_.tools.emplace_back();
  out.name = tool.text("name");
  out.description = tool.text("description");
  out.parameters = std::string(tool.raw("parameters"));
  out.strict = tool.boolean("strict");
  if (out.name.empty())
    missing(path + ".name", "the name of the function, a string beside `type`,");
}

void ConversationReader::custom_tool(const Object& tool, const std::string& path) {
  note_others(tool, path, {"type", "name", "description", "format"});
  chat::Tool& out = out_.tools.emplace_back();
  out.name = tool.text("name");
  out.description = tool.text("description");
  out.custom = true;
  if (out.name.empty()) missing(path + ".name", "the name of the tool, a string beside `type`,");
  const std::string format = Object(tool.raw("format")).text("type");
  if (!format.empty() && format != "text") unmapped(path + ".format");
}

void ConversationReader::tool_choice() {
  const std::string_view raw = body_.raw("tool_choice");
  if (raw.empty()) return;
  const Object choice(raw);
  const bool word = type_of(raw) == json::Type::String;
  const std::string type = word ? text_of(raw) : choice.text("type");
  if (word && type == "auto") {
    out_.tool_choice.kind = Choice::Auto;
  } else if (word && type == "none") {
    out_.tool_choice.kind = Choice::None;
  } else if (word && type == "required") {
    out_.tool_choice.kind = Choice::Required;
  } else if (!word && (type == "function" || type == "custom")) {
    out_.tool_choice = {.kind = Choice::One, .name = choice.text("name")};
    if (out_.tool_choice.name.empty()) missing("tool_choice.name", "the name of a tool, a string,");
  } else if (!word && type == "allowed_tools") {
    allowed_tools(choice);
  } else {
    fail(fmt::format("`tool_choice` must be \"auto\", \"none\", \"required\", a function, a custom "
                     "tool or allowed tools for the target of this model, not \"{}\"",
                     type),
         "tool_choice");
  }
}

// Tools that are not allowed are not sent: that is what the choice means.
void ConversationReader::allowed_tools(const Object& choice) {
  std::set<std::string> allowed;
  for (const std::string_view tool : elements_of(choice.raw("tools"))) {
    allowed.insert(Object(tool).text("name"));
  }
  std::erase_if(out_.tools, [&](const chat::Tool& tool) { return !allowed.contains(tool.name); });
  out_.tool_choice.kind = choice.text("mode") == "required" ? Choice::Required : Choice::Auto;
  if (out_.tools.empty()) out_.tool_choice.kind = Choice::Unset;
}

}  // namespace sluice::responses
