// Messages and their parts.
#include <algorithm>
#include <fmt/format.h>

#include "wire/openai_conversation_json.h"
#include "wire/openai_write_request.h"

namespace sluice::openai {

using chat::Message;
using chat::Part;
using chat::Role;

namespace {

constexpr std::string_view kErrorPrefix = "Error: ";

bool begins_with_result(const Message& message) {
  return message.role == Role::User && !message.parts.empty() &&
         message.parts.front().kind == Part::Kind::ToolResult;
}

}  // namespace

std::string_view word_of(Part::Kind kind) {
  switch (kind) {
    case Part::Kind::Text:
      return "text";
    case Part::Kind::Image:
      return "image";
    case Part::Kind::File:
      return "file";
    case Part::Kind::Audio:
      return "audio";
    case Part::Kind::ToolCall:
      return "tool call";
    case Part::Kind::ToolResult:
      return "tool result";
    case Part::Kind::Thinking:
      return "thinking";
    case Part::Kind::Redacted:
      return "redacted thinking";
    case Part::Kind::Refusal:
      return "refusal";
    case Part::Kind::Foreign:
      break;
  }
  return "unknown";
}

void RequestWriter::message(size_t index) {
  const Message& message = in_.messages[index];
  switch (message.role) {
    case Role::System:
      return system(message);
    case Role::Assistant:
      return assistant(message);
    case Role::User:
      break;
  }
  const bool last = index + 1 == in_.messages.size();
  user(message, !last && begins_with_result(in_.messages[index + 1]));
}

void RequestWriter::drop_part(const Part& part) {
  const bool named = part.kind == Part::Kind::Foreign && !part.name.empty();
  dropped_.add(fmt::format("messages.content ({})",
                           named ? std::string_view(part.name) : word_of(part.kind)));
}

// Whether a part can stand in the content of such a message.
bool RequestWriter::has_place(const Part& part, Role role) {
  switch (part.kind) {
    case Part::Kind::Text:
      return true;
    case Part::Kind::Refusal:
      return role == Role::Assistant;
    case Part::Kind::Image:
      return role == Role::User && part.file_id.empty();
    case Part::Kind::File:
      return role == Role::User && part.url.empty();
    case Part::Kind::Audio:
      return role == Role::User && !part.data.empty();
    default:
      return false;
  }
}

void RequestWriter::begin(std::string_view role, const std::string& name) {
  ++messages_;
  json_.open_object().member("role", role);
  if (!name.empty()) json_.member("name", name);
}

void RequestWriter::system(const Message& message) {
  Parts parts;
  for (const Part& part : message.parts) {
    if (has_place(part, Role::System)) {
      parts.push_back(&part);
    } else {
      drop_part(part);
    }
  }
  if (parts.empty()) return;
  begin(traits_.developer_role ? "developer" : "system", message.name);
  content(parts);
  json_.close_object();
}

// Results of tools first, for nothing may stand between a call and the answers to it.
void RequestWriter::user(const Message& message, bool more_results) {
  for (const Part& part : message.parts) {
    if (part.kind == Part::Kind::ToolResult) result(part);
  }
  Parts parts;
  for (const Part& part : message.parts) {
    if (part.kind == Part::Kind::ToolResult) continue;
    if (has_place(part, Role::User)) {
      parts.push_back(&part);
    } else {
      drop_part(part);
    }
  }
  if (parts.empty() && more_results) return;
  parts.insert(parts.begin(), moved_.begin(), moved_.end());
  moved_.clear();
  if (parts.empty() && !message.parts.empty()) return;
  begin("user", message.name);
  content(parts);
  json_.close_object();
}

// One `tool` message; what it cannot hold is moved.
void RequestWriter::result(const Part& result) {
  Parts texts;
  for (const Part& part : result.content) {
    if (part.kind == Part::Kind::Text) {
      texts.push_back(&part);
    } else if (has_place(part, Role::User)) {
      moved_.push_back(&part);
    } else {
      drop_part(part);
    }
  }
  ++messages_;
  json_.open_object().member("role", "tool").member("tool_call_id", result.id);
  if (!result.cache_control.empty()) marker(result);
  if (result.is_error) {
    std::string text(kErrorPrefix);
    for (const Part* part : texts) text += part->text;
    json_.member("content", text);
  } else {
    content(texts);
  }
  json_.close_object();
}

void RequestWriter::assistant(const Message& message) {
  Parts parts;
  const Part* audio = nullptr;
  bool any_call = false;
  for (const Part& part : message.parts) {
    if (part.kind == Part::Kind::ToolCall) {
      any_call = true;
    } else if (part.kind == Part::Kind::Audio && !part.file_id.empty()) {
      audio = &part;
    } else if (has_place(part, Role::Assistant)) {
      parts.push_back(&part);
    } else {
      drop_part(part);
    }
  }
  // What is left of a turn that only thought is no turn.
  if (parts.empty() && !any_call && audio == nullptr) return;
  begin("assistant", message.name);
  if (parts.empty()) {
    json_.key("content").null();
  } else {
    content(parts);
  }
  if (audio != nullptr)
    json_.key("audio").open_object().member("id", audio->file_id).close_object();
  if (any_call) calls(message);
  json_.close_object();
}

// A string where it can be one, else an array of parts.
void RequestWriter::content(const Parts& parts) {
  json_.key("content");
  if (parts.empty()) {
    json_.text("");
    return;
  }
  const Part& first = *parts.front();
  const bool marked = traits_.cache_breakpoints && !first.cache_control.empty();
  if (parts.size() == 1 && first.kind == Part::Kind::Text && !marked) {
    marker(first);
    json_.text(first.text);
    return;
  }
  json_.open_array();
  for (const Part* entry : parts) part(*entry);
  json_.close_array();
}

void RequestWriter::part(const Part& part) {
  json_.open_object();
  if (part.kind == Part::Kind::Image) {
    image(part);
  } else if (part.kind == Part::Kind::File) {
    file(part);
  } else if (part.kind == Part::Kind::Audio) {
    json_.member("type", "input_audio").key("input_audio").open_object();
    json_.member("data", part.data).member("format", part.media_type).close_object();
  } else {
    const std::string_view word = word_of(part.kind);
    json_.member("type", word).member(word, part.text);
  }
  if (traits_.cache_breakpoints && !part.cache_control.empty()) {
    json_.key("prompt_cache_breakpoint").open_object().member("mode", "explicit").close_object();
  }
  marker(part);
  json_.close_object();
}

// A cache marker that cannot be written is a hint the target does not get.
void RequestWriter::marker(const Part& part) {
  const bool lost = !traits_.cache_breakpoints || part.kind == Part::Kind::ToolResult;
  if (lost && !part.cache_control.empty()) dropped_.add("cache_control");
}

void RequestWriter::image(const Part& part) {
  json_.member("type", "image_url").key("image_url").open_object();
  json_.member("url", part.data.empty() ? part.url : join_data_url(part.media_type, part.data));
  if (!part.detail.empty()) json_.member("detail", part.detail);
  json_.close_object();
}

void RequestWriter::file(const Part& part) {
  json_.member("type", "file").key("file").open_object();
  if (!part.file_id.empty()) {
    json_.member("file_id", part.file_id);
  } else {
    // Data without a name is refused.
    json_.member("filename", part.text.empty() ? "document" : part.text);
    json_.member("file_data", join_data_url(part.media_type, part.data));
  }
  json_.close_object();
}

void RequestWriter::calls(const Message& message) {
  json_.key("tool_calls").open_array();
  for (const Part& part : message.parts) {
    if (part.kind != Part::Kind::ToolCall) continue;
    const std::string_view kind = part.custom ? "custom" : "function";
    json_.open_object().member("id", part.id).member("type", kind).key(kind).open_object();
    json_.member("name", part.name);
    if (part.custom) {
      json_.member("input", part.arguments);
    } else {
      json_.member("arguments", part.arguments.empty() ? "{}" : part.arguments);
    }
    json_.close_object().close_object();
  }
  json_.close_array();
}

}  // namespace sluice::openai
