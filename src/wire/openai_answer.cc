#include "wire/openai_answer.h"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_usage.h"

namespace sluice::openai {
namespace {

using chat::Answer;
using chat::Finish;
using chat::Part;
using json::Reader;
using json::Type;

struct FinishWord {
  std::string_view word;
  Finish finish;
};
// The first word of each is the one written.
constexpr std::array kFinishWords{
    FinishWord{"stop", Finish::Stop},
    FinishWord{"length", Finish::Length},
    FinishWord{"tool_calls", Finish::ToolCalls},
    FinishWord{"content_filter", Finish::ContentFilter},
    FinishWord{"function_call", Finish::ToolCalls},
};

// What a message says, part by part of the order they are told in.
struct MessageParts {
  std::string reasoning_content;
  std::string reasoning;
  std::vector<Part> content;
  std::string refusal;
  std::vector<Part> calls;
};

Part text_part(Part::Kind kind, std::string text) {
  Part part;
  part.kind = kind;
  part.text = std::move(text);
  return part;
}

void read_content(Reader& reader, std::vector<Part>* parts) {
  if (reader.peek() == Type::String) {
    std::string text = take_text(reader);
    if (!text.empty()) parts->push_back(text_part(Part::Kind::Text, std::move(text)));
    return;
  }
  each_element(reader, [&] {
    std::string text;
    std::string refusal;
    each_member(reader, [&](std::string_view key) {
      if (key == "text") {
        text = take_text(reader);
      } else if (key == "refusal") {
        refusal = take_text(reader);
      } else {
        reader.skip();
      }
    });
    if (!text.empty()) parts->push_back(text_part(Part::Kind::Text, std::move(text)));
    if (!refusal.empty()) parts->push_back(text_part(Part::Kind::Refusal, std::move(refusal)));
  });
}

// {"name","arguments"} or {"name","input"}. Arguments that are no string are taken as they stand.
void read_named_call(Reader& reader, Part* part) {
  each_member(reader, [&](std::string_view key) {
    if (key == "name") {
      part->name = take_text(reader);
    } else if (key == "arguments" || key == "input") {
      const bool quoted = reader.peek() == Type::String;
      part->arguments = quoted ? take_text(reader) : take_raw(reader);
    } else {
      reader.skip();
    }
  });
}

Part read_call(Reader& reader) {
  Part part;
  part.kind = Part::Kind::ToolCall;
  each_member(reader, [&](std::string_view key) {
    if (key == "id") {
      part.id = take_text(reader);
    } else if (key == "function" || key == "custom") {
      part.custom = key == "custom";
      read_named_call(reader, &part);
    } else {
      reader.skip();
    }
  });
  return part;
}

void read_message(Reader& reader, MessageParts* parts) {
  each_member(reader, [&](std::string_view key) {
    if (key == "content") {
      read_content(reader, &parts->content);
    } else if (key == "reasoning_content") {
      parts->reasoning_content = take_text(reader);
    } else if (key == "reasoning") {
      parts->reasoning = take_text(reader);
    } else if (key == "refusal") {
      parts->refusal = take_text(reader);
    } else if (key == "tool_calls") {
      each_element(reader, [&] { parts->calls.push_back(read_call(reader)); });
    } else if (key == "function_call" && reader.peek() == Type::Object) {
      Part& call = parts->calls.emplace_back();
      call.kind = Part::Kind::ToolCall;
      read_named_call(reader, &call);
    } else {
      reader.skip();
    }
  });
}

void place_parts(MessageParts&& parts, Answer* answer) {
  std::string& reasoning =
      parts.reasoning_content.empty() ? parts.reasoning : parts.reasoning_content;
  if (!reasoning.empty()) {
    answer->parts.push_back(text_part(Part::Kind::Thinking, std::move(reasoning)));
  }
  for (Part& part : parts.content) answer->parts.push_back(std::move(part));
  if (!parts.refusal.empty()) {
    answer->parts.push_back(text_part(Part::Kind::Refusal, std::move(parts.refusal)));
  }
  for (size_t i = 0; i < parts.calls.size(); ++i) {
    Part& call = parts.calls[i];
    // Results name their call by its id: one that has none gets one.
    if (call.id.empty()) call.id = fmt::format("call_{}", i);
    answer->parts.push_back(std::move(call));
  }
}

void read_choice(Reader& reader, Answer* answer) {
  MessageParts parts;
  std::string word;
  std::string native;
  each_member(reader, [&](std::string_view key) {
    if (key == "message") {
      read_message(reader, &parts);
    } else if (key == "finish_reason") {
      word = take_text(reader);
    } else if (key == "native_finish_reason") {
      native = take_text(reader);
    } else {
      reader.skip();
    }
  });
  place_parts(std::move(parts), answer);
  answer->finish = finish_named(word);
  if (answer->finish == Finish::Unknown) answer->native_finish = word.empty() ? native : word;
}

void read_choices(Reader& reader, Answer* answer, bool* any) {
  each_element(reader, [&] {
    if (*any || reader.peek() != Type::Object) {
      reader.skip();
      return;
    }
    *any = true;
    read_choice(reader, answer);
  });
}

// The parts of a message, as this dialect groups them.
struct Grouped {
  std::string content;
  std::string refusal;
  std::string reasoning;
  bool has_content = false;
  bool has_refusal = false;
  bool has_reasoning = false;
  std::vector<const Part*> calls;
};

Grouped group(const std::vector<Part>& parts) {
  Grouped grouped;
  for (const Part& part : parts) {
    switch (part.kind) {
      case Part::Kind::Text:
        grouped.has_content = true;
        grouped.content += part.text;
        break;
      case Part::Kind::Refusal:
        grouped.has_refusal = true;
        grouped.refusal += part.text;
        break;
      case Part::Kind::Thinking:
        grouped.has_reasoning = true;
        grouped.reasoning += part.text;
        break;
      case Part::Kind::ToolCall:
        grouped.calls.push_back(&part);
        break;
      default:
        break;
    }
  }
  return grouped;
}

void write_call(JsonWriter& json, const Part& call) {
  json.open_object().member("id", call.id);
  json.member("type", call.custom ? "custom" : "function");
  json.key(call.custom ? "custom" : "function").open_object().member("name", call.name);
  // A tool without parameters may be called with nothing at all, which is no JSON.
  const std::string_view arguments =
      call.arguments.empty() && !call.custom ? "{}" : std::string_view(call.arguments);
  json.member(call.custom ? "input" : "arguments", arguments).close_object().close_object();
}

void write_message(JsonWriter& json, const Answer& answer) {
  const Grouped grouped = group(answer.parts);
  json.open_object().member("role", "assistant").key("content");
  if (grouped.has_content) {
    json.text(grouped.content);
  } else {
    json.null();
  }
  json.key("refusal");
  if (grouped.has_refusal) {
    json.text(grouped.refusal);
  } else {
    json.null();
  }
  if (grouped.has_reasoning) json.member("reasoning_content", grouped.reasoning);
  if (!grouped.calls.empty()) {
    json.key("tool_calls").open_array();
    for (const Part* call : grouped.calls) write_call(json, *call);
    json.close_array();
  }
  json.close_object();
}

}  // namespace

Finish finish_named(std::string_view word) {
  for (const FinishWord& entry : kFinishWords) {
    if (entry.word == word) return entry.finish;
  }
  return Finish::Unknown;
}

void write_finish(JsonWriter& json, Finish finish, std::string_view native) {
  json.key("finish_reason");
  for (const FinishWord& entry : kFinishWords) {
    if (entry.finish == finish) {
      json.text(entry.word);
      return;
    }
  }
  if (native.empty()) {
    json.null();
    return;
  }
  json.text(native).member("native_finish_reason", native);
}

void write_usage(JsonWriter& json, const chat::Usage& usage) {
  json.open_object();
  json.key("prompt_tokens").integer(usage.input());
  json.key("completion_tokens").integer(usage.output());
  json.key("total_tokens").integer(usage.input() + usage.output());
  json.key("prompt_tokens_details").open_object();
  json.key("cached_tokens").integer(usage.cache_read);
  json.key("audio_tokens").integer(usage.audio_input);
  json.key("cache_write_tokens").integer(usage.cache_write + usage.cache_write_1h);
  json.close_object();
  json.key("completion_tokens_details").open_object();
  json.key("reasoning_tokens").integer(usage.reasoning);
  json.key("audio_tokens").integer(usage.audio_output);
  json.close_object().close_object();
}

Result<Answer> read_answer(std::string_view body) {
  // Checks the text and finds an error object; the walk below may then trust the JSON.
  Result<chat::Reply> reply = decode_reply(chat::Endpoint::Chat, body);
  if (!reply) return std::move(reply.error());
  if (reply->is_error) {
    std::string message = std::move(reply->error_message);
    if (message.empty()) message = "the upstream reported an error without a message";
    return Error(reply->error_outcome, std::move(message));
  }
  Answer answer;
  answer.usage = reply->usage;
  answer.model = std::move(reply->model);
  bool any = false;
  Reader reader(body);
  each_member(reader, [&](std::string_view key) {
    if (key == "id") {
      answer.id = take_text(reader);
    } else if (key == "created") {
      answer.created = take_integer(reader).value_or(0);
    } else if (key == "choices") {
      read_choices(reader, &answer, &any);
    } else {
      reader.skip();
    }
  });
  if (!any) {
    return Error(Outcome::UpstreamBadReply, "the upstream's reply has no choice in `choices`");
  }
  return answer;
}

std::string write_answer(const Answer& answer, const AnswerNames& names) {
  std::string out;
  JsonWriter json(out);
  json.open_object().member("id", answer.id.empty() ? names.id : answer.id);
  json.member("object", "chat.completion");
  json.key("created").integer(answer.created == 0 ? names.created : answer.created);
  json.member("model", answer.model.empty() ? names.model : answer.model);
  json.key("choices").open_array().open_object().key("index").integer(0).key("message");
  write_message(json, answer);
  json.key("logprobs").null();
  write_finish(json, answer.finish, answer.native_finish);
  json.close_object().close_array();
  if (answer.usage) {
    json.key("usage");
    write_usage(json, *answer.usage);
  }
  json.close_object();
  return out;
}

}  // namespace sluice::openai
