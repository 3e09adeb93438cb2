// A whole answer of the middle form as a response object, and what such an object says of the
// request.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

#include "wire/json.h"
#include "wire/responses.h"
#include "wire/responses_items.h"

namespace sluice::responses {
namespace {

using chat::Part;

struct Echoed {
  std::string_view name;
  std::string_view otherwise;  // JSON; empty: the member is left out
  bool ours = false;           // whatever the client said
};
// Sampling that was not asked for is the target's own: unknown.
constexpr std::array<Echoed, 18> kEchoed{{
    {"background", "false", true},
    {"instructions", "null"},
    {"max_output_tokens", "null"},
    {"max_tool_calls", "null"},
    {"metadata", "{}"},
    {"parallel_tool_calls", "true"},
    {"previous_response_id", "null", true},
    {"prompt_cache_key", ""},
    {"reasoning", R"({"effort":null,"summary":null})"},
    {"safety_identifier", ""},
    {"store", "false", true},
    {"temperature", "null"},
    {"text", R"({"format":{"type":"text"}})"},
    {"tool_choice", R"("auto")"},
    {"tools", "[]"},
    {"top_p", "null"},
    {"truncation", R"("disabled")"},
    {"user", "null"},
}};

bool is_text(Part::Kind kind) {
  return kind == Part::Kind::Text || kind == Part::Kind::Refusal;
}

// Writes the items of an answer one after the other.
class Output {
 public:
  Output(std::string_view response_id, chat::Finish finish)
      : response_id_(response_id), status_(status_of(finish)) {}

  std::string write(const std::vector<Part>& parts) {
    for (size_t i = 0; i < parts.size();) {
      size_t end = i + 1;
      if (is_text(parts[i].kind)) {
        while (end < parts.size() && is_text(parts[end].kind)) ++end;
        message(&parts[i], end - i, end == parts.size());
      } else {
        item(parts[i], end == parts.size());
      }
      i = end;
    }
    return std::move(items_);
  }

 private:
  // The last item is the one that was cut short, if one was.
  std::string_view status(bool last) const { return last ? status_ : "completed"; }

  std::string begin(std::string_view prefix) {
    if (!items_.empty()) items_ += ',';
    return item_id_of(prefix, response_id_, index_++);
  }

  void message(const Part* parts, size_t count, bool last) {
    std::string content;
    for (size_t i = 0; i < count; ++i) {
      if (i != 0) content += ',';
      if (parts[i].kind == Part::Kind::Text) {
        append_text_part(content, parts[i].text);
      } else {
        append_refusal_part(content, parts[i].text);
      }
    }
    append_message(items_, begin("msg"), status(last), content);
  }

  void item(const Part& part, bool last) {
    if (part.kind == Part::Kind::ToolCall) {
      const std::string id = begin(part.custom ? "ctc" : "fc");
      CallItem call{.id = id,
                    .call_id = part.id.empty() ? std::string_view(id) : part.id,
                    .name = part.name,
                    .custom = part.custom,
                    .arguments = part.arguments};
      if (call.arguments.empty() && !call.custom) call.arguments = "{}";
      append_call(items_, call, status(last));
    } else if (part.kind == Part::Kind::Thinking) {
      const std::string id = begin("rs");
      std::string summary;
      if (!part.text.empty()) append_summary_part(summary, part.text);
      append_reasoning(items_,
                       {.id = id, .summary = summary, .signature = part.signature, .redacted = {}});
    } else if (part.kind == Part::Kind::Redacted) {
      const std::string id = begin("rs");
      append_reasoning(items_, {.id = id, .summary = {}, .signature = {}, .redacted = part.data});
    }
  }

  std::string_view response_id_;
  std::string_view status_;
  std::string items_;
  int64_t index_ = 0;
};

}  // namespace

std::string read_echo(std::string_view body) {
  std::array<std::string_view, kEchoed.size()> values;
  for (size_t i = 0; i < kEchoed.size(); ++i) values[i] = kEchoed[i].otherwise;
  json::Reader reader(body);
  reader.open_object();
  json::Text key;
  while (reader.next_member(&key)) {
    const bool is_null = reader.peek() == json::Type::Null;
    const char* start = reader.pointer();
    if (!reader.skip()) break;
    for (size_t i = 0; i < kEchoed.size(); ++i) {
      if (key.is(kEchoed[i].name) && !kEchoed[i].ours && !is_null) values[i] = reader.since(start);
    }
  }
  std::string echo;
  for (size_t i = 0; i < kEchoed.size(); ++i) {
    if (values[i].empty()) continue;
    if (!echo.empty()) echo += ',';
    echo += fmt::format("\"{}\":{}", kEchoed[i].name, values[i]);
  }
  // Line ends stand between tokens only, where a space does as well.
  const auto is_line_end = [](char c) { return c == '\n' || c == '\r'; };
  std::replace_if(echo.begin(), echo.end(), is_line_end, ' ');
  return echo;
}

std::string write_answer(const chat::Answer& answer, const ResponseNames& names) {
  const std::string id = response_id_of(answer.id.empty() ? names.id : answer.id);
  std::string out = response_head(id, answer.model, answer.created, names);
  const std::string output = Output(id, answer.finish).write(answer.parts);
  append_response_tail(out, answer.finish, output, answer.usage);
  return out;
}

}  // namespace sluice::responses
