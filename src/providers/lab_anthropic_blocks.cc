#include "providers/lab_anthropic_blocks.h"

#include <algorithm>
#include <fmt/format.h>

#include "providers/lab_seal.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr int64_t kImageTokens = 85;
constexpr int64_t kDocumentTokens = 250;
constexpr size_t kMaxMarks = 4;

struct Block {
  LabFields& fields;
  LabRequest& request;
  LabTurn& turn;
  object members;
  std::string_view type;
};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \n\t\r") == std::string_view::npos;
}

void refuse(LabFields& fields, std::string message) {
  fields.refuse("", "", std::move(message));
}

// "messages.0.content.1." -> "messages.0.content.1"
std::string path_of(LabFields& fields) {
  std::string path = fields.path_of("");
  if (path.ends_with('.')) path.pop_back();
  return path;
}

void add(Block& block, std::string_view text, int64_t tokens) {
  const LabRequest::Keep keep = read_lab_cache_control(block.fields, block.request);
  block.request.add_part(text, tokens, keep);
}

void read_text(Block& block) {
  block.fields.only({"type", "text", "cache_control", "citations"});
  const auto text = block.fields.required_text("text");
  if (!text) return;
  if (text->empty()) return refuse(block.fields, "messages: text content blocks must be non-empty");
  if (is_blank(*text)) {
    return refuse(block.fields, "messages: text content blocks must contain non-whitespace text");
  }
  const auto citations = block.fields.array("citations");
  if (citations && citations->size() > 0 && block.turn.role == "user" &&
      block.request.api_version != "2023-06-01") {
    return refuse(block.fields,
                  path_of(block.fields) + ": `citations` are not permitted in user messages");
  }
  block.turn.text += *text;
  block.turn.blank_at_end = is_blank(text->substr(text->size() - 1));
  add(block, *text, lab_count_tokens(*text));
}

// `source`: {type:"base64",media_type,data}, {type:"url",url}, {type:"file",file_id}, and for
// documents {type:"text",media_type,data} and {type:"content",content}.
int64_t read_source(Block& block, bool image) {
  const auto source = block.fields.required_object("source");
  if (!source) return 0;
  LabFields fields = block.fields.at("source", *source);
  if (!fields.required_text("type")) return 0;
  const auto type = image ? fields.word("type", {"base64", "url", "file"})
                          : fields.word("type", {"base64", "url", "file", "text", "content"});
  if (!type) return 0;
  if (*type == "url") fields.required_text("url");
  if (*type == "file") fields.required_text("file_id");
  if (*type == "content") fields.require("content");
  if (*type == "base64" || *type == "text") {
    fields.required_text("media_type");
    if (image) fields.word("media_type", {"image/jpeg", "image/png", "image/gif", "image/webp"});
    const auto data = fields.required_text("data");
    if (data && *type == "text") return lab_count_tokens(*data);
  }
  return image ? kImageTokens : kDocumentTokens;
}

void read_media(Block& block) {
  const bool image = block.type == "image";
  if (block.turn.role == "assistant" && (image || block.request.api_version != "2023-06-01")) {
    return refuse(block.fields,
                  fmt::format("{}: `{}` blocks are not permitted in assistant messages",
                              path_of(block.fields), block.type));
  }
  const int64_t tokens = read_source(block, image);
  const auto source = block.fields.find("source");
  if (source) add(block, simdjson::minify(*source), tokens);
}

void read_tool_use(Block& block) {
  block.fields.only({"type", "id", "name", "input", "cache_control", "caller"});
  const auto id = block.fields.required_text("id");
  const auto name = block.fields.required_text("name");
  const auto input = block.fields.required_object("input");
  if (!id || !name || !input) return;
  block.turn.uses.emplace_back(*id);
  const std::string text = fmt::format("{} {}", *name, simdjson::minify(*input));
  add(block, text, lab_count_tokens(text));
}

void read_tool_result(Block& block) {
  block.fields.only({"type", "tool_use_id", "content", "is_error", "cache_control"});
  const auto id = block.fields.required_text("tool_use_id");
  block.fields.boolean("is_error");
  if (!id) return;
  block.turn.results.emplace_back(*id);
  LabTurn inside;
  inside.role = "tool_result";
  if (block.fields.find("content")) {
    read_lab_anthropic_content(block.fields, block.request, inside);
  }
  add(block, *id, 0);
}

void read_thinking(Block& block) {
  block.fields.only({"type", "thinking", "signature"});
  const auto text = block.fields.required_text("thinking");
  const auto signature = block.fields.required_text("signature");
  if (!text || !signature) return;
  if (*signature != lab_signature(*text)) {
    return refuse(block.fields,
                  path_of(block.fields) + ": Invalid `signature` in `thinking` block");
  }
  // Thoughts of earlier turns are dropped by the real provider and cost nothing.
}

void read_redacted(Block& block) {
  block.fields.only({"type", "data"});
  const auto data = block.fields.required_text("data");
  if (data && !lab_seal_holds(*data)) {
    refuse(block.fields, path_of(block.fields) + ": Invalid `data` in `redacted_thinking` block");
  }
}

// Blocks of the provider's own tools: passed by.
void read_other(Block& block) {
  const std::string text = simdjson::minify(block.members);
  add(block, text, lab_count_tokens(text));
}

enum : uint8_t { kUser = 1, kAssistant = 2, kResult = 4, kSystem = 8 };
struct Rule {
  std::string_view type;
  uint8_t roles;  // that may have it
  void (*read)(Block& block);
};
constexpr Rule kRules[] = {
    {"bash_code_execution_tool_result", kAssistant, read_other},
    {"code_execution_tool_result", kAssistant, read_other},
    {"container_upload", kUser, read_other},
    {"document", kUser | kAssistant | kResult, read_media},
    {"image", kUser | kAssistant | kResult, read_media},
    {"redacted_thinking", kAssistant, read_redacted},
    {"search_result", kUser | kResult, read_other},
    {"server_tool_use", kAssistant, read_other},
    {"text", kUser | kAssistant | kResult | kSystem, read_text},
    {"thinking", kAssistant, read_thinking},
    {"tool_result", kUser, read_tool_result},
    {"tool_use", kAssistant, read_tool_use},
    {"web_fetch_tool_result", kAssistant, read_other},
    {"web_search_tool_result", kAssistant, read_other},
};

uint8_t bit_of(std::string_view role) {
  if (role == "user") return kUser;
  if (role == "assistant") return kAssistant;
  return role == "system" ? kSystem : kResult;
}

void read_block(LabFields& fields, object members, LabRequest& request, LabTurn& turn) {
  const auto type = fields.required_text("type");
  if (!type) return;
  const auto* const rule = std::ranges::find(kRules, *type, &Rule::type);
  if (rule == std::end(kRules)) {
    std::string tags;
    for (const Rule& one : kRules) {
      tags += fmt::format("{}'{}'", tags.empty() ? "" : ", ", one.type);
    }
    return refuse(fields, fmt::format("{}: Input tag '{}' found using 'type' does not match any of "
                                      "the expected tags: {}",
                                      path_of(fields), *type, tags));
  }
  if ((rule->roles & bit_of(turn.role)) == 0) {
    const std::string_view where = (rule->roles & kUser) != 0 ? "user" : "assistant";
    return refuse(fields, fmt::format("messages.{}: `{}` blocks can only be in `{}` messages",
                                      turn.message, *type, where));
  }
  if (turn.first_block.empty()) turn.first_block = *type;
  if (*type == "tool_result" && turn.first_block != "tool_result") turn.other_before_result = true;
  Block block{fields, request, turn, members, *type};
  rule->read(block);
}

}  // namespace

LabRequest::Keep read_lab_cache_control(LabFields& fields, LabRequest& request) {
  using Keep = LabRequest::Keep;
  const auto control = fields.object("cache_control");
  if (!control) return Keep::No;
  LabFields inner = fields.at("cache_control", *control);
  inner.required_text("type");
  inner.word("type", {"ephemeral"});
  const bool hour = inner.word("ttl", {"5m", "1h"}) == "1h";
  if (hour && request.keeps > 0 && !request.keeps_hour) {
    refuse(fields, path_of(inner) +
                       ".ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                       "cache_control block.");
  }
  request.keeps_hour = hour;
  if (++request.keeps > kMaxMarks) {
    refuse(fields,
           fmt::format("A maximum of {} blocks with cache_control may be provided. Found {}.",
                       kMaxMarks, request.keeps));
  }
  return hour ? Keep::OneHour : Keep::FiveMinutes;
}

void read_lab_anthropic_content(LabFields& message, LabRequest& request, LabTurn& turn) {
  const auto content = message.find("content");
  if (!content) {
    message.require("content");
    return;
  }
  std::string_view text;
  if (content->get(text) == simdjson::SUCCESS) {
    turn.text += text;
    turn.first_block = turn.first_block.empty() ? "text" : turn.first_block;
    turn.blank_at_end = !text.empty() && is_blank(text.substr(text.size() - 1));
    request.add_part(text, lab_count_tokens(text));
    return;
  }
  array blocks;
  if (content->get(blocks) != simdjson::SUCCESS) {
    message.refuse_type("content", "a string or an array", *content);
    return;
  }
  size_t index = 0;
  for (const element one : blocks) {
    const std::string key = fmt::format("content.{}", index++);
    std::optional<LabFields> fields = message.element(key, one);
    if (!fields) return;
    read_block(*fields, fields->members(), request, turn);
    if (message.failed()) return;
  }
}

}  // namespace sluice::providers
