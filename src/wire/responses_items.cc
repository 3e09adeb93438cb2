#include "wire/responses_items.h"

#include <fmt/format.h>

#include "wire/json.h"

namespace sluice::responses {
namespace {

constexpr std::string_view kResponsePrefix = "resp_";
// OpenAI refuses item ids of more than 64 bytes, and clients may send ours there.
constexpr size_t kMaxItemName = 48;

// Appends `,"name":"text"`.
void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  json::append_quoted(out, text);
}

void append_usage(std::string& out, const std::optional<chat::Usage>& usage) {
  if (!usage) {
    out += "null";
    return;
  }
  fmt::format_to(std::back_inserter(out),
                 R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{},)"
                 R"("cache_write_tokens":{}}},"output_tokens":{},"output_tokens_details":)"
                 R"({{"reasoning_tokens":{}}},"total_tokens":{}}})",
                 usage->input(), usage->cache_read, usage->cache_write + usage->cache_write_1h,
                 usage->output(), usage->reasoning, usage->input() + usage->output());
}

// Why an answer is incomplete; empty if it is not.
std::string_view incomplete_reason(chat::Finish finish) {
  switch (finish) {
    case chat::Finish::Length:
      return "max_output_tokens";
    case chat::Finish::ContentFilter:
      return "content_filter";
    default:
      return "";
  }
}

}  // namespace

std::string response_id_of(std::string_view id) {
  return std::string(id.starts_with(kResponsePrefix) ? "" : kResponsePrefix) + std::string(id);
}

std::string item_id_of(std::string_view prefix, std::string_view response_id, int64_t index) {
  return fmt::format("{}_{}_{}", prefix, response_id.substr(kResponsePrefix.size(), kMaxItemName),
                     index);
}

std::string response_head(std::string_view id, std::string_view model, int64_t created,
                          const ResponseNames& names) {
  std::string head = R"({"id":)";
  json::append_quoted(head, response_id_of(id.empty() ? names.id : id));
  head += fmt::format(R"(,"object":"response","created_at":{})",
                      created == 0 ? names.created : created);
  append_member(head, "model", model.empty() ? names.model : model);
  head += ',';
  head += names.echo;
  head += ',';
  return head;
}

std::string_view status_of(chat::Finish finish) {
  return incomplete_reason(finish).empty() ? "completed" : "incomplete";
}

void append_response_tail(std::string& out, std::optional<chat::Finish> finish,
                          std::string_view output, const std::optional<chat::Usage>& usage) {
  const std::string_view reason = finish ? incomplete_reason(*finish) : "";
  out += R"("status":)";
  json::append_quoted(out, finish ? status_of(*finish) : "in_progress");
  out += R"(,"error":null,"incomplete_details":)";
  if (reason.empty()) {
    out += "null";
  } else {
    out += fmt::format(R"({{"reason":"{}"}})", reason);
  }
  out += R"(,"output":[)";
  out += output;
  out += R"(],"usage":)";
  append_usage(out, usage);
  out += '}';
}

void append_text_part(std::string& out, std::string_view text) {
  out += R"({"type":"output_text")";
  append_member(out, "text", text);
  out += R"(,"annotations":[],"logprobs":[]})";
}

void append_refusal_part(std::string& out, std::string_view text) {
  out += R"({"type":"refusal")";
  append_member(out, "refusal", text);
  out += '}';
}

void append_summary_part(std::string& out, std::string_view text) {
  out += R"({"type":"summary_text")";
  append_member(out, "text", text);
  out += '}';
}

void append_message(std::string& out, std::string_view id, std::string_view status,
                    std::string_view content) {
  out += R"({"type":"message")";
  append_member(out, "id", id);
  append_member(out, "status", status);
  out += R"(,"role":"assistant","content":[)";
  out += content;
  out += "]}";
}

void append_reasoning(std::string& out, const ReasoningItem& item) {
  out += R"({"type":"reasoning")";
  append_member(out, "id", item.id);
  out += R"(,"summary":[)";
  out += item.summary;
  out += ']';
  std::string sealed(item.redacted.empty() ? kSignatureMark : kRedactedMark);
  sealed += item.redacted.empty() ? item.signature : item.redacted;
  append_member(out, "encrypted_content", sealed);
  out += '}';
}

void append_call(std::string& out, const CallItem& item, std::string_view status) {
  out += item.custom ? R"({"type":"custom_tool_call")" : R"({"type":"function_call")";
  append_member(out, "id", item.id);
  append_member(out, "call_id", item.call_id);
  append_member(out, "name", item.name);
  append_member(out, item.custom ? "input" : "arguments", item.arguments);
  if (!item.custom) append_member(out, "status", status);
  out += '}';
}

}  // namespace sluice::responses
