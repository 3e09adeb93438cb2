// The items of a Responses request.
#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_fields.h"
#include "providers/lab_request.h"
#include "providers/lab_responses_read.h"
#include "providers/lab_seal.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr int64_t kImageTokens = 85;

struct Item {
  LabFields& fields;
  LabRequest& request;
  object members;
};

void note_json(LabRequest& request, std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  request.mentions_json = request.mentions_json || lower.find("json") != std::string::npos;
}

// One part of a message; gives its text.
std::string read_part(LabFields& part, std::string_view role, LabRequest& request) {
  if (!part.required_text("type")) return "";
  const bool assistant = role == "assistant";
  const auto type = assistant ? part.word("type", {"output_text", "refusal"})
                              : part.word("type", {"input_text", "input_image", "input_file"});
  if (!type) return "";
  if (*type == "input_image") {
    // A plain string here, unlike in chat.
    if (!part.text("image_url") && !part.text("file_id")) part.require("image_url");
    part.word("detail", {"auto", "low", "high", "original"});
  } else if (*type == "input_file") {
    if (!part.text("file_id") && !part.text("file_url")) part.required_text("file_data");
  } else {
    return std::string(part.required_text(*type == "refusal" ? "refusal" : "text").value_or(""));
  }
  request.prompt_tokens += kImageTokens;
  return "";
}

std::string read_content(LabFields& fields, std::string_view key, std::string_view role,
                         LabRequest& request) {
  const auto content = fields.find(key);
  std::string_view text;
  simdjson::dom::array parts;
  if (!content) {
    fields.require(key);
    return "";
  }
  if (content->get(text) == simdjson::SUCCESS) return std::string(text);
  if (content->get(parts) != simdjson::SUCCESS) {
    fields.refuse_type(key, "one of a string or an array of objects", *content);
    return "";
  }
  std::string whole;
  size_t index = 0;
  for (const element one : parts) {
    const std::string at = fmt::format("{}[{}]", key, index++);
    object members;
    if (one.get(members) != simdjson::SUCCESS) {
      fields.refuse_type(at, "an object", one);
      return "";
    }
    LabFields part = fields.at(at, members);
    whole += read_part(part, role, request);
  }
  return whole;
}

void read_message(Item& item) {
  if (!item.fields.required_text("role")) return;
  const auto role = item.fields.word("role", {"assistant", "system", "developer", "user"});
  if (!role) return;
  const std::string text = read_content(item.fields, "content", *role, item.request);
  note_json(item.request, text);
  item.request.hash = lab_hash(*role, item.request.hash);
  item.request.add_part(text, lab_count_tokens(text));
  item.request.last_is_tool_result = false;
  if (*role == "user") item.request.last_user_text = text;
}

void read_call(Item& item) {
  const auto id = item.fields.required_text("call_id");
  const auto name = item.fields.required_text("name");
  const bool custom = item.fields.text("type") == "custom_tool_call";
  const auto arguments = item.fields.required_text(custom ? "input" : "arguments");
  if (!id || !name || !arguments) return;
  item.request.calls.emplace_back(*id);
  const std::string text = fmt::format("{} {}", *name, *arguments);
  item.request.add_part(text, lab_count_tokens(text));
}

void read_output(Item& item) {
  const auto id = item.fields.required_text("call_id");
  if (!id) return;
  const std::string text = read_content(item.fields, "output", "tool", item.request);
  item.request.answered.emplace_back(*id);
  item.request.add_part(text, lab_count_tokens(text));
  item.request.last_is_tool_result = true;
}

// Reasoning comes back by what is encrypted in it, or by the id of an item that was stored.
void read_reasoning(Item& item) {
  const auto id = item.fields.required_text("id");
  item.fields.required_array("summary");
  const auto sealed = item.fields.text("encrypted_content");
  if (!id) return;
  if (!sealed) {
    item.request.items.emplace_back(*id);
  } else if (!lab_seal_holds(*sealed, *id)) {
    LabError error;
    error.code = "invalid_encrypted_content";
    error.message = fmt::format(
        "The encrypted content for item {} could not be verified. Reason: Encrypted content could "
        "not be decrypted or parsed.",
        *id);
    item.fields.refuse(std::move(error));
  }
}

void read_reference(Item& item) {
  if (const auto id = item.fields.required_text("id")) item.request.items.emplace_back(*id);
}

struct Rule {
  std::string_view type;
  bool follows_reasoning;  // what a reasoning item must stand before
  void (*read)(Item& item);
};
constexpr Rule kRules[] = {
    {"message", true, read_message},
    {"function_call", true, read_call},
    {"custom_tool_call", true, read_call},
    {"function_call_output", false, read_output},
    {"custom_tool_call_output", false, read_output},
    {"reasoning", true, read_reasoning},
    {"item_reference", true, read_reference},
};

void refuse_lone_reasoning(LabFields& fields, std::string_view id) {
  LabError error;
  error.param = "input";
  error.message = fmt::format(
      "Item '{}' of type 'reasoning' was provided without its required following item.", id);
  fields.refuse(std::move(error));
}

// As GET .../input_items gives it back: with an id.
void keep_item(LabRequest& request, const object& members, size_t index) {
  std::string text = simdjson::minify(members);
  element id;
  if (members.at_key("id").get(id) != simdjson::SUCCESS) {
    text.insert(
        1, fmt::format(R"("id":"item_lab{:016x}"{})", lab_hash(std::to_string(index), request.hash),
                       text.size() > 2 ? "," : ""));
  }
  request.input_items.push_back(std::move(text));
}

void read_item(LabFields& fields, const object& members, std::string& open_reasoning,
               LabRequest& request) {
  const std::string_view type = fields.text("type").value_or("message");
  const auto* const rule = std::ranges::find(kRules, type, &Rule::type);
  if (rule == std::end(kRules) && !type.ends_with("_call") && !type.ends_with("_output")) {
    fields.refuse("invalid_value", "type", fmt::format("Invalid value: '{}'.", type));
    return;
  }
  const bool follows = rule == std::end(kRules) || rule->follows_reasoning;
  const bool user = type == "message" && fields.text("role") != "assistant";
  if (!open_reasoning.empty() && (!follows || user)) {
    return refuse_lone_reasoning(fields, open_reasoning);
  }
  open_reasoning = type == "reasoning" ? fields.text("id").value_or("") : "";
  Item item{fields, request, members};
  if (rule != std::end(kRules)) return rule->read(item);
  const std::string text = simdjson::minify(members);
  request.add_part(text, lab_count_tokens(text));
}

}  // namespace

void read_lab_items(LabFields& fields, LabRequest& request) {
  if (!fields.find("input")) {
    fields.require("input");
    return;
  }
  std::string_view text;
  simdjson::dom::array items;
  if (fields.find("input")->get(text) == simdjson::SUCCESS) {
    note_json(request, text);
    request.last_user_text = text;
    request.add_part(text, lab_count_tokens(text));
    std::string item = fmt::format(
        R"({{"id":"item_lab{:016x}","type":"message","role":"user","status":"completed",)"
        R"("content":[{{"type":"input_text","text":)",
        request.hash);
    append_json(item, text);
    request.input_items.push_back(item + "}]}");
    return;
  }
  if (fields.find("input")->get(items) != simdjson::SUCCESS) {
    return fields.refuse_type("input", "one of a string or an array of objects",
                              *fields.find("input"));
  }
  size_t index = 0;
  std::string open_reasoning;
  for (const element one : items) {
    const std::string key = fmt::format("input[{}]", index);
    std::optional<LabFields> inner = fields.element(key, one);
    if (!inner) return;
    read_item(*inner, inner->members(), open_reasoning, request);
    if (fields.failed()) return;
    keep_item(request, inner->members(), index++);
  }
  if (!open_reasoning.empty()) refuse_lone_reasoning(fields, open_reasoning);
}

}  // namespace sluice::providers
