// One part of a message as a content block.
#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "wire/anthropic_conversation.h"
#include "wire/anthropic_turns.h"
#include "wire/json.h"

namespace sluice::anthropic {

using chat::Part;

namespace {

constexpr std::array<std::string_view, 10> kOwnBlocks{"document",
                                                      "search_result",
                                                      "server_tool_use",
                                                      "container_upload",
                                                      "mcp_tool_use",
                                                      "mcp_tool_result",
                                                      "compaction",
                                                      "web_search_tool_result",
                                                      "web_fetch_tool_result",
                                                      "code_execution_tool_result"};

// Ids of other providers may have characters that this one refuses.
std::string tool_id(std::string_view id) {
  std::string out(id.empty() ? "call" : id);
  for (char& c : out) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') c = '_';
  }
  return out;
}

std::string marker(const Part& part) {
  return part.cache_control.empty() ? "" : R"(,"cache_control":)" + part.cache_control;
}

std::string source_of(const Part& part) {
  if (!part.file_id.empty()) {
    return R"({"type":"file","file_id":)" + quoted(part.file_id) + "}";
  }
  if (!part.url.empty()) return R"({"type":"url","url":)" + quoted(part.url) + "}";
  return R"({"type":"base64","media_type":)" + quoted(part.media_type) + R"(,"data":)" +
         quoted(part.data) + "}";
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  json::append_quoted(out, text);
  return out;
}

bool is_own_block(std::string_view type) {
  return std::find(kOwnBlocks.begin(), kOwnBlocks.end(), type) != kOwnBlocks.end() ||
         type.ends_with("_code_execution_tool_result");
}

// They end with the day of their version: web_search_20250305.
bool is_own_tool(std::string_view type) {
  constexpr size_t kDay = 8;
  if (type.size() <= kDay + 1 || type[type.size() - kDay - 1] != '_') return false;
  const std::string_view day = type.substr(type.size() - kDay);
  return std::all_of(day.begin(), day.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(kSpace) == std::string_view::npos;
}

std::string_view input_of(std::string_view arguments) {
  constexpr std::string_view kNone = "{}";
  if (!json::is_utf8(arguments)) return kNone;
  json::Reader reader(arguments);
  if (reader.peek() != json::Type::Object) return kNone;
  return reader.skip() && reader.finish() ? arguments : kNone;
}

bool TurnWriter::image(const Part& part, const std::string& path, std::string* out) {
  if (!part.detail.empty() && part.detail != "auto") drop(path + ".image_url.detail");
  *out = R"({"type":"image","source":)" + source_of(part) + marker(part) + "}";
  return true;
}

bool TurnWriter::document(const Part& part, const std::string& path, std::string* out) {
  if (!part.data.empty() && part.media_type != "application/pdf") {
    return fail(fmt::format("`{}` must be a PDF: the target takes no other files", path), path);
  }
  *out = R"({"type":"document","source":)" + source_of(part);
  if (!part.text.empty()) *out += R"(,"title":)" + quoted(part.text);
  *out += marker(part) + "}";
  return true;
}

bool TurnWriter::simple_block(const Part& part, const std::string& path, std::string* out) {
  switch (part.kind) {
    case Part::Kind::Text:
    case Part::Kind::Refusal: {
      std::string_view text = part.text;
      // The API refuses empty texts, and last words that end with space.
      const size_t last = text.find_last_not_of(kSpace);
      if (last == std::string_view::npos) return true;
      if (&part == last_words_) text = text.substr(0, last + 1);
      *out = R"({"type":"text","text":)" + quoted(text) + marker(part) + "}";
      return true;
    }
    case Part::Kind::Image:
      return image(part, path, out);
    case Part::Kind::File:
      return document(part, path, out);
    case Part::Kind::Audio:
      return fail(fmt::format("`{}` is audio, which the target cannot hear", path), path);
    case Part::Kind::Foreign:
      if (is_own_block(part.name)) {
        *out = part.json;
      } else {
        drop(fmt::format("{} ({})", path, part.name));
      }
      return true;
    default:
      drop(path);
      return true;
  }
}

bool TurnWriter::tool_call(const Part& part, const std::string& path) {
  Call call{.id = tool_id(part.id), .path = path, .answered = false};
  std::string input;
  if (part.custom) {
    input = R"({"input":)" + quoted(part.arguments) + "}";
  } else {
    const std::string_view object = input_of(part.arguments);
    const bool lost = object.data() != part.arguments.data() && !is_blank(part.arguments);
    if (lost) drop(path + ".function.arguments (no JSON object)");
    input = object;
  }
  std::string block = R"({"type":"tool_use","id":)" + quoted(call.id) + R"(,"name":)" +
                      quoted(part.name) + R"(,"input":)" + input + marker(part) + "}";
  if (!add(chat::Role::Assistant, std::move(block))) return false;
  calls_.push_back(std::move(call));
  amid_calls_ = true;
  return true;
}

bool TurnWriter::tool_result(const Part& part, const std::string& path) {
  const std::string id = tool_id(part.id);
  const auto call = std::find_if(calls_.begin(), calls_.end(),
                                 [&](const Call& open) { return open.id == id && !open.answered; });
  if (call == calls_.end()) {
    return fail(fmt::format("`{}` answers no tool call of the turn before it", path), path);
  }
  call->answered = true;
  std::string content;
  for (size_t i = 0; i < part.content.size(); ++i) {
    std::string block;
    if (!simple_block(part.content[i], fmt::format("{}.content[{}]", path, i), &block)) {
      return false;
    }
    if (!block.empty()) content += (content.empty() ? "" : ",") + block;
  }
  std::string block = R"({"type":"tool_result","tool_use_id":)" + quoted(id);
  if (!content.empty()) block += R"(,"content":[)" + content + "]";
  if (part.is_error) block += R"(,"is_error":true)";
  block += marker(part) + "}";
  const size_t order = static_cast<size_t>(call - calls_.begin());
  turn_of(chat::Role::User).results.emplace_back(order, std::move(block));
  return true;
}

}  // namespace sluice::anthropic
