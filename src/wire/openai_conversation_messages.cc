// Messages and their parts.
#include <fmt/format.h>
#include <utility>

#include "wire/openai_conversation_json.h"
#include "wire/openai_conversation_reader.h"

namespace sluice::openai {

using chat::Message;
using chat::Part;
using chat::Role;
using json::Type;

namespace {

constexpr std::string_view kEphemeral = R"({"type":"ephemeral"})";

}  // namespace

void ConversationReader::message() {
  const size_t offset = offset_here();
  place(raw_message(), offset);
}

ConversationReader::RawMessage ConversationReader::raw_message() {
  RawMessage raw;
  each_member(reader_, [&](std::string_view key) {
    if (key == "role") {
      raw.role = take_text(reader_);
    } else if (key == "content") {
      content(&raw.content);
    } else if (key == "name") {
      raw.name = take_text(reader_);
    } else if (key == "tool_call_id") {
      raw.call_id = take_text(reader_);
    } else if (key == "tool_calls") {
      each_element(reader_, [&] { call(&raw.calls); });
    } else if (key == "function_call" && reader_.peek() == Type::Object) {
      Part& part = raw.calls.emplace_back();
      part.kind = Part::Kind::ToolCall;
      part.id = fmt::format("call_function_{}", function_calls_++);
      named_call(&part);
    } else if (key == "reasoning_content" || (key == "reasoning" && raw.reasoning.empty())) {
      std::string text = take_text(reader_);
      if (!text.empty()) raw.reasoning = std::move(text);
    } else if (key == "refusal") {
      raw.refusal = take_text(reader_);
    } else if (key == "audio") {
      each_member(reader_, [&](std::string_view name) {
        if (name == "id") {
          raw.audio_id = take_text(reader_);
        } else {
          reader_.skip();
        }
      });
    } else if (key == "cache_control") {
      raw.cache_control = take_raw(reader_);
    } else {
      reader_.skip();
    }
  });
  if (!raw.cache_control.empty() && !raw.content.empty()) {
    raw.content.back().cache_control = raw.cache_control;
  }
  return raw;
}

void ConversationReader::place(RawMessage&& raw, size_t offset) {
  if (raw.role == "tool" || raw.role == "function") return place_result(std::move(raw), offset);
  if (raw.role == "assistant") return place_assistant(std::move(raw));
  Message message;
  message.name = std::move(raw.name);
  message.parts = std::move(raw.content);
  if (raw.role == "system" || raw.role == "developer") {
    message.role = Role::System;
  } else if (raw.role != "user") {
    return fail("must have a role: \"system\", \"developer\", \"user\", \"assistant\" or \"tool\"",
                offset);
  }
  out_.messages.push_back(std::move(message));
}

// The call of the deprecated form that a result with this name answers: the last one.
std::string ConversationReader::function_call_id(std::string_view name) const {
  for (auto message = out_.messages.rbegin(); message != out_.messages.rend(); ++message) {
    for (auto part = message->parts.rbegin(); part != message->parts.rend(); ++part) {
      if (part->kind == Part::Kind::ToolCall && part->name == name) return part->id;
    }
  }
  return "";
}

void ConversationReader::place_result(RawMessage&& raw, size_t offset) {
  Part result;
  result.kind = Part::Kind::ToolResult;
  result.id = raw.role == "tool" ? std::move(raw.call_id) : function_call_id(raw.name);
  result.name = std::move(raw.name);
  result.content = std::move(raw.content);
  // A marker on the whole message is one on the result.
  if (!raw.cache_control.empty() && !result.content.empty()) {
    result.content.back().cache_control.clear();
  }
  result.cache_control = std::move(raw.cache_control);
  if (result.id.empty()) return fail("answers no call: it needs a `tool_call_id`", offset);
  const bool goes_on = !out_.messages.empty() && !out_.messages.back().parts.empty() &&
                       out_.messages.back().parts.back().kind == Part::Kind::ToolResult;
  if (!goes_on) out_.messages.emplace_back();
  out_.messages.back().parts.push_back(std::move(result));
}

void ConversationReader::place_assistant(RawMessage&& raw) {
  Message message;
  message.role = Role::Assistant;
  message.name = std::move(raw.name);
  if (!raw.reasoning.empty()) {
    Part& part = message.parts.emplace_back();
    part.kind = Part::Kind::Thinking;
    part.text = std::move(raw.reasoning);
  }
  for (Part& part : raw.content) message.parts.push_back(std::move(part));
  if (!raw.refusal.empty()) {
    Part& part = message.parts.emplace_back();
    part.kind = Part::Kind::Refusal;
    part.text = std::move(raw.refusal);
  }
  if (!raw.audio_id.empty()) {
    Part& part = message.parts.emplace_back();
    part.kind = Part::Kind::Audio;
    part.file_id = std::move(raw.audio_id);
  }
  for (Part& part : raw.calls) message.parts.push_back(std::move(part));
  out_.messages.push_back(std::move(message));
}

void ConversationReader::content(std::vector<Part>* parts) {
  if (reader_.peek() == Type::String) {
    std::string text = take_text(reader_);
    if (!text.empty()) parts->emplace_back().text = std::move(text);
    return;
  }
  each_element(reader_, [&] { part(parts); });
}

void ConversationReader::part(std::vector<Part>* parts) {
  const size_t offset = offset_here();
  const char* start = reader_.pointer();
  Part part;
  std::string type;
  each_member(reader_, [&](std::string_view key) {
    if (key == "type") {
      type = take_text(reader_);
    } else if (key == "cache_control") {
      part.cache_control = take_raw(reader_);
    } else if (key == "prompt_cache_breakpoint") {
      breakpoint(&part.cache_control);
    } else {
      part_body(key, &part);
    }
  });
  if (type == "text") {
    part.kind = Part::Kind::Text;
  } else if (type == "refusal") {
    part.kind = Part::Kind::Refusal;
  } else if (type == "image_url") {
    part.kind = Part::Kind::Image;
    if (part.url.empty() && part.data.empty()) fail("has no `image_url.url`", offset);
  } else if (type == "input_audio") {
    part.kind = Part::Kind::Audio;
    if (part.data.empty()) fail("has no `input_audio.data`", offset);
  } else if (type == "file") {
    part.kind = Part::Kind::File;
    if (part.file_id.empty() && part.data.empty()) {
      fail("has neither `file.file_id` nor `file.file_data`", offset);
    }
  } else {
    part = Part();
    part.kind = Part::Kind::Foreign;
    part.name = type;
    part.json = std::string(reader_.since(start));
  }
  parts->push_back(std::move(part));
}

void ConversationReader::part_body(std::string_view key, Part* part) {
  if (key == "text" || key == "refusal") {
    part->text = take_text(reader_);
  } else if (key == "image_url") {
    image(part);
  } else if (key == "input_audio") {
    audio(part);
  } else if (key == "file") {
    file(part);
  } else {
    reader_.skip();
  }
}

// {"url","detail"}, or the URL alone as some clients send it.
void ConversationReader::image(Part* part) {
  std::string url;
  if (reader_.peek() == Type::String) {
    url = take_text(reader_);
  } else {
    each_member(reader_, [&](std::string_view key) {
      if (key == "url") {
        url = take_text(reader_);
      } else if (key == "detail") {
        part->detail = take_text(reader_);
      } else {
        reader_.skip();
      }
    });
  }
  std::optional<DataUrl> inlined = split_data_url(url);
  if (inlined) {
    part->media_type = std::move(inlined->media_type);
    part->data = std::move(inlined->data);
  } else {
    part->url = std::move(url);
  }
}

void ConversationReader::audio(Part* part) {
  each_member(reader_, [&](std::string_view key) {
    if (key == "data") {
      part->data = take_text(reader_);
    } else if (key == "format") {
      part->media_type = take_text(reader_);
    } else {
      reader_.skip();
    }
  });
}

void ConversationReader::file(Part* part) {
  each_member(reader_, [&](std::string_view key) {
    if (key == "file_id") {
      part->file_id = take_text(reader_);
    } else if (key == "filename") {
      part->text = take_text(reader_);
    } else if (key == "file_data") {
      std::string data = take_text(reader_);
      std::optional<DataUrl> inlined = split_data_url(data);
      part->media_type = inlined ? std::move(inlined->media_type) : "application/pdf";
      part->data = inlined ? std::move(inlined->data) : std::move(data);
    } else {
      reader_.skip();
    }
  });
}

// {"mode":"explicit","ttl"?}. The lifetimes that may be asked for are OpenAI's own.
void ConversationReader::breakpoint(std::string* marker) {
  if (reader_.peek() != Type::Object) {
    reader_.skip();
    return;
  }
  *marker = kEphemeral;
  each_member(reader_, [this](std::string_view key) {
    if (key == "ttl") note("prompt_cache_breakpoint.ttl");
    reader_.skip();
  });
}

void ConversationReader::call(std::vector<Part>* calls) {
  const size_t offset = offset_here();
  Part part;
  part.kind = Part::Kind::ToolCall;
  each_member(reader_, [&](std::string_view key) {
    if (key == "id") {
      part.id = take_text(reader_);
    } else if (key == "function" || key == "custom") {
      part.custom = key == "custom";
      named_call(&part);
    } else {
      reader_.skip();
    }
  });
  if (part.name.empty()) fail("names no tool", offset);
  calls->push_back(std::move(part));
}

void ConversationReader::named_call(Part* call) {
  each_member(reader_, [&](std::string_view key) {
    if (key == "name") {
      call->name = take_text(reader_);
    } else if (key == "arguments" || key == "input") {
      const bool quoted = reader_.peek() == Type::String;
      call->arguments = quoted ? take_text(reader_) : take_raw(reader_);
    } else {
      reader_.skip();
    }
  });
}

}  // namespace sluice::openai
