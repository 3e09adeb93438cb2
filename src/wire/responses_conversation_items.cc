// `instructions` and the items of `input` as messages.
//
// What the model said before comes as single items here: reasoning, messages and calls that follow
// one another become one assistant message, so that the results of calls follow the message that
// made them, which other dialects insist on.
#include <algorithm>
#include <fmt/format.h>

#include "wire/responses_conversation.h"
#include "wire/responses_items.h"

namespace sluice::responses {

using chat::Message;
using chat::Part;
using chat::Role;

namespace {

constexpr std::string_view kEphemeral = R"({"type":"ephemeral"})";

Part text_part(std::string text) {
  Part part;
  part.text = std::move(text);
  return part;
}

// "data:image/png;base64,AAAA" is taken apart; any other URL stays one.
void set_url(std::string url, Part* part) {
  constexpr std::string_view kScheme = "data:";
  constexpr std::string_view kBase64 = ";base64,";
  const size_t mark = url.find(kBase64);
  if (!url.starts_with(kScheme) || mark == std::string::npos) {
    part->url = std::move(url);
    return;
  }
  part->media_type = url.substr(kScheme.size(), mark - kScheme.size());
  part->data = url.substr(mark + kBase64.size());
}

// The texts of an array of parts, a blank line between them.
std::string joined_texts(std::string_view parts) {
  std::string joined;
  for (const std::string_view part : elements_of(parts)) {
    const std::string text = Object(part).text("text");
    if (!joined.empty() && !text.empty()) joined += "\n\n";
    joined += text;
  }
  return joined;
}

}  // namespace

void ConversationReader::input() {
  if (body_.has("instructions")) {
    new_message(Role::System).parts = parts_of(body_.raw("instructions"), "instructions");
  }
  const std::string_view input = body_.raw("input");
  if (type_of(input) == json::Type::String) {
    new_message(Role::User).parts = parts_of(input, "input");
    return;
  }
  const std::vector<std::string_view> items = elements_of(input);
  for (size_t i = 0; i < items.size() && !error_; ++i) item(items[i], fmt::format("input[{}]", i));
}

void ConversationReader::item(std::string_view text, const std::string& path) {
  const Object item(text);
  std::string type = item.text("type");
  if (type.empty()) type = item.has("role") ? "message" : "item_reference";
  if (type == "message") return message_item(item, path);
  if (type == "function_call") return call_item(item, /*custom=*/false, path);
  if (type == "custom_tool_call") return call_item(item, /*custom=*/true, path);
  if (type == "function_call_output" || type == "custom_tool_call_output") {
    return output_item(item, path);
  }
  if (type == "reasoning") return reasoning_item(item, path);
  if (type == "item_reference") {
    return fail(fmt::format("`{}` refers to an item that a provider keeps, and the target of this "
                            "model keeps nothing: send the item itself, or choose a model whose "
                            "target speaks Responses",
                            path),
                path);
  }
  foreign_item(text, type);
}

Message& ConversationReader::new_message(Role role) {
  says_ = calls_ = false;
  Message& message = out_.messages.emplace_back();
  message.role = role;
  return message;
}

// The message that goes on with this role, or a new one.
Message& ConversationReader::message_of(Role role) {
  const bool goes_on = !out_.messages.empty() && out_.messages.back().role == role;
  return goes_on ? out_.messages.back() : new_message(role);
}

// Two texts in a row are two messages, unless a call before them waits for its result.
Message& ConversationReader::assistant_for_text() {
  Message* message = &message_of(Role::Assistant);
  if (says_ && !calls_) message = &new_message(Role::Assistant);
  says_ = true;
  return *message;
}

void ConversationReader::message_item(const Object& item, const std::string& path) {
  const std::string role = item.text("role");
  std::vector<Part> parts = parts_of(item.raw("content"), path + ".content");
  if (role == "assistant") {
    Message& message = assistant_for_text();
    std::move(parts.begin(), parts.end(), std::back_inserter(message.parts));
    return;
  }
  if (role != "user" && role != "system" && role != "developer") {
    return fail(fmt::format("`{}.role` must be \"user\", \"assistant\", \"system\" or "
                            "\"developer\", not \"{}\"",
                            path, role),
                path + ".role");
  }
  new_message(role == "user" ? Role::User : Role::System).parts = std::move(parts);
}

void ConversationReader::call_item(const Object& item, bool custom, const std::string& path) {
  Part part;
  part.kind = Part::Kind::ToolCall;
  part.id = item.text("call_id");
  part.name = item.text("name");
  part.arguments = item.text(custom ? "input" : "arguments");
  part.custom = custom;
  if (part.id.empty()) missing(path + ".call_id", "a string");
  if (part.name.empty()) missing(path + ".name", "the name of the tool, a string,");
  message_of(Role::Assistant).parts.push_back(std::move(part));
  calls_ = true;
}

void ConversationReader::output_item(const Object& item, const std::string& path) {
  Part part;
  part.kind = Part::Kind::ToolResult;
  part.id = item.text("call_id");
  part.content = parts_of(item.raw("output"), path + ".output");
  if (part.id.empty()) missing(path + ".call_id", "a string");
  const bool goes_on = !out_.messages.empty() && !out_.messages.back().parts.empty() &&
                       out_.messages.back().parts.back().kind == Part::Kind::ToolResult;
  Message& message = goes_on ? out_.messages.back() : new_message(Role::User);
  message.parts.push_back(std::move(part));
}

// Reasoning that this gateway sealed is opened again; what OpenAI encrypted only OpenAI can read.
void ConversationReader::reasoning_item(const Object& item, const std::string& path) {
  const std::string sealed = item.text("encrypted_content");
  Part part;
  part.kind = Part::Kind::Thinking;
  part.text = joined_texts(item.raw("content"));
  if (part.text.empty()) part.text = joined_texts(item.raw("summary"));
  if (sealed.starts_with(kRedactedMark)) {
    part.kind = Part::Kind::Redacted;
    part.data = sealed.substr(kRedactedMark.size());
  } else if (sealed.starts_with(kSignatureMark)) {
    part.signature = sealed.substr(kSignatureMark.size());
  } else if (!sealed.empty() && !part.text.empty()) {
    unmapped(path + ".encrypted_content");
  }
  if (part.text.empty() && part.signature.empty() && part.data.empty()) {
    return unmapped(path + " (reasoning)");
  }
  message_of(Role::Assistant).parts.push_back(std::move(part));
}

// Of a tool that a provider ran; whoever writes the request for the target names it as left out.
void ConversationReader::foreign_item(std::string_view text, const std::string& type) {
  Part part;
  part.kind = Part::Kind::Foreign;
  part.name = type;
  part.json = std::string(text);
  const Role role = type.ends_with("_output") ? Role::User : Role::Assistant;
  message_of(role).parts.push_back(std::move(part));
}

std::vector<Part> ConversationReader::parts_of(std::string_view content, const std::string& path) {
  std::vector<Part> parts;
  if (type_of(content) == json::Type::String) {
    std::string text = text_of(content);
    if (!text.empty()) parts.push_back(text_part(std::move(text)));
    return parts;
  }
  const std::vector<std::string_view> elements = elements_of(content);
  for (size_t i = 0; i < elements.size(); ++i) {
    parts.push_back(part_of(elements[i], fmt::format("{}[{}]", path, i)));
  }
  return parts;
}

Part ConversationReader::part_of(std::string_view text, const std::string& path) {
  const Object object(text);
  const std::string type = object.text("type");
  Part part;
  if (object.has("prompt_cache_breakpoint")) part.cache_control = kEphemeral;
  if (type == "input_text" || type == "output_text" || type == "text") {
    part.text = object.text("text");
  } else if (type == "refusal") {
    part.kind = Part::Kind::Refusal;
    part.text = object.text("refusal");
  } else if (type == "input_image") {
    part.kind = Part::Kind::Image;
    set_url(object.text("image_url"), &part);
    part.file_id = object.text("file_id");
    part.detail = object.text("detail");
    const bool empty = part.url.empty() && part.data.empty() && part.file_id.empty();
    if (empty) missing(path + ".image_url", "a URL, a string, or `file_id`");
  } else if (type == "input_file") {
    part.kind = Part::Kind::File;
    part.text = object.text("filename");
    part.file_id = object.text("file_id");
    set_url(object.text(object.has("file_data") ? "file_data" : "file_url"), &part);
    // Base64 alone comes without its type.
    if (object.has("file_data") && part.data.empty()) part.data = std::move(part.url);
    const bool empty = part.url.empty() && part.data.empty() && part.file_id.empty();
    if (empty) missing(path + ".file_data", "base64, a string, or `file_url` or `file_id`");
  } else if (type == "input_audio") {
    const Object audio(object.raw("input_audio"));
    part.kind = Part::Kind::Audio;
    part.data = audio.text("data");
    part.media_type = audio.text("format");
    if (part.data.empty()) missing(path + ".input_audio.data", "base64, a string,");
  } else {
    part.kind = Part::Kind::Foreign;
    part.name = type;
    part.json = std::string(text);
  }
  return part;
}

}  // namespace sluice::responses
