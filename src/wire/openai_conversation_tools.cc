// Tools, and which of them may or must be called.
#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "wire/openai_conversation_json.h"
#include "wire/openai_conversation_reader.h"

namespace sluice::openai {

using chat::Tool;
using chat::ToolChoice;
using json::Type;

void ConversationReader::tool() {
  const size_t offset = offset_here();
  const char* start = reader_.pointer();
  Tool tool;
  std::string type = "function";
  each_member(reader_, [&](std::string_view key) {
    if (key == "type") {
      type = take_text(reader_);
    } else if (key == "function" || key == "custom") {
      tool.custom = key == "custom";
      function(&tool);
    } else if (key == "cache_control") {
      tool.cache_control = take_raw(reader_);
    } else {
      reader_.skip();
    }
  });
  if (type != "function" && type != "custom") {
    tool = Tool();
    tool.name = type;
    tool.json = std::string(reader_.since(start));
  } else if (tool.name.empty()) {
    fail(fmt::format("has no `{}.name`", type), offset);
  }
  out_.tools.push_back(std::move(tool));
}

// What stands under `function` or `custom`, or is an entry of the deprecated `functions`.
void ConversationReader::function(Tool* tool) {
  const size_t offset = offset_here();
  each_member(reader_, [&](std::string_view key) {
    if (key == "name") {
      tool->name = take_text(reader_);
    } else if (key == "description") {
      tool->description = take_text(reader_);
    } else if (key == "parameters") {
      tool->parameters = take_raw(reader_);
    } else if (key == "strict") {
      tool->strict = take_bool(reader_);
    } else if (key == "format") {
      const std::string format = take_raw(reader_);
      if (!format.empty() && format != R"({"type":"text"})") note("tools.custom.format");
    } else {
      reader_.skip();
    }
  });
  if (tool->name.empty()) fail("has no `name`", offset);
}

void ConversationReader::tool_choice() {
  ToolChoice& choice = out_.tool_choice;
  const size_t offset = offset_here();
  if (reader_.peek() == Type::Object) {
    each_member(reader_, [&](std::string_view key) {
      if (key == "function" || key == "custom") {
        choice.kind = ToolChoice::Kind::One;
        each_member(reader_, [&](std::string_view name) {
          if (name == "name") {
            choice.name = take_text(reader_);
          } else {
            reader_.skip();
          }
        });
      } else if (key == "allowed_tools") {
        allowed_tools();
      } else {
        reader_.skip();
      }
    });
    const bool nameless = choice.kind == ToolChoice::Kind::One && choice.name.empty();
    if (choice.kind == ToolChoice::Kind::Unset || nameless) fail("names no tool", offset);
    return;
  }
  if (reader_.peek() != Type::String) {
    reader_.skip();
    return;
  }
  const std::string word = take_text(reader_);
  if (word == "auto") {
    choice.kind = ToolChoice::Kind::Auto;
  } else if (word == "none") {
    choice.kind = ToolChoice::Kind::None;
  } else if (word == "required") {
    choice.kind = ToolChoice::Kind::Required;
  } else {
    fail("must be \"auto\", \"none\", \"required\" or name a tool", offset);
  }
}

// {"mode":"auto"|"required","tools":[{"type":"function","function":{"name"}}]}
void ConversationReader::allowed_tools() {
  out_.tool_choice.kind = ToolChoice::Kind::Auto;
  std::vector<std::string>& names = allowed_.emplace();
  const auto take_name = [&](std::string_view key) {
    if (key == "name") {
      names.push_back(take_text(reader_));
    } else {
      reader_.skip();
    }
  };
  each_member(reader_, [&](std::string_view key) {
    if (key == "mode") {
      if (take_text(reader_) == "required") out_.tool_choice.kind = ToolChoice::Kind::Required;
    } else if (key == "tools") {
      each_element(reader_, [&] {
        each_member(reader_, [&](std::string_view member) {
          if (member == "function" || member == "custom") {
            each_member(reader_, take_name);
          } else {
            take_name(member);
          }
        });
      });
    } else {
      reader_.skip();
    }
  });
}

// The deprecated `function_call`: "none", "auto" or {"name"}.
void ConversationReader::function_choice() {
  if (reader_.peek() != Type::Object) {
    tool_choice();
    return;
  }
  out_.tool_choice.kind = ToolChoice::Kind::One;
  each_member(reader_, [this](std::string_view key) {
    if (key == "name") {
      out_.tool_choice.name = take_text(reader_);
    } else {
      reader_.skip();
    }
  });
}

// No other dialect can have a tool that must not be called: it is as good as absent.
void ConversationReader::keep_allowed() {
  if (!allowed_) return;
  std::erase_if(out_.tools, [this](const Tool& tool) {
    return std::find(allowed_->begin(), allowed_->end(), tool.name) == allowed_->end();
  });
}

}  // namespace sluice::openai
