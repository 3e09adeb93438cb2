#include "wire/openai_chunk.h"

namespace sluice::openai {

using json::Text;
using json::Type;

bool ChunkWalk::run(size_t skip, Chunk* chunk) {
  chunk_ = chunk;
  if (skip > 0) {
    reader_ = json::Reader(payload_, skip, 2);
    chunk_->has_choices = chunk_->is_chunk = true;
    chunk_->choices_at = skip;
    if (!choice_elements()) return false;
  } else if (!reader_.open_object()) {
    return false;
  }
  return members() && reader_.finish();
}

bool ChunkWalk::members() {
  Text key;
  size_t before = reader_.at();
  while (reader_.next_member(&key)) {
    if (!member(key.raw, before)) return false;
    before = reader_.at();
  }
  return !reader_.failed();
}

bool ChunkWalk::member(std::string_view key, size_t before) {
  if (key == "choices") return choices();
  if (key == "usage") return usage(before);
  if (key == "id") return value(Type::String, &chunk_->id);
  if (key == "object") return value(Type::String, &chunk_->object);
  if (key == "created") return value(Type::Number, &chunk_->created);
  if (key == "model") return value(Type::String, &chunk_->model);
  if (key == "error") return error();
  if (key == "service_tier") return read_tier(reader_, &chunk_->tier);
  return reader_.skip();
}

// A value of the head. Standing twice it is as good as missing: nobody knows which one counts.
bool ChunkWalk::value(Type type, std::string_view* out) {
  const bool right_type = reader_.peek() == type;
  const char* start = reader_.pointer();
  if (!reader_.skip()) return false;
  std::string_view text = reader_.since(start);
  if (!right_type || text == "\"\"") text = {};
  if (type == Type::Number && !json::to_integer(text)) text = {};
  if (!out->empty()) chunk_->repair = true;
  *out = text;
  return true;
}

bool ChunkWalk::usage(size_t before) {
  chunk_->is_chunk = true;
  chunk_->usage_object = reader_.peek() == Type::Object;
  const char* start = reader_.pointer();
  std::optional<chat::Usage> usage;
  if (!read_usage(reader_, &usage)) return false;
  if (usage) chunk_->usage = usage;
  chunk_->usage_value = reader_.since(start);
  chunk_->usage_members++;
  chunk_->usage_begin = before;
  chunk_->usage_end = reader_.at();
  if (!chunk_->has_choices) chunk_->plain_head = false;
  return true;
}

bool ChunkWalk::error() {
  if (!chunk_->error) chunk_->error = std::make_unique<chat::ErrorFacts>();
  if (!chunk_->has_choices) chunk_->plain_head = false;
  bool present = false;
  if (!read_error(reader_, chunk_->error.get(), &present)) return false;
  chunk_->is_error |= present;
  return true;
}

bool ChunkWalk::choices() {
  chunk_->is_chunk = true;
  if (reader_.peek() != Type::Array) {
    chunk_->repair = true;
    return reader_.skip();
  }
  if (chunk_->has_choices) chunk_->unreadable = true;  // twice: which one is meant?
  reader_.open_array();
  chunk_->has_choices = true;
  chunk_->choices_at = reader_.at();
  return choice_elements();
}

bool ChunkWalk::choice_elements() {
  while (reader_.next_element()) {
    if (!choice(chunk_->choices)) return false;
    chunk_->choices++;
  }
  return !reader_.failed();
}

bool ChunkWalk::choice(int64_t position) {
  if (reader_.peek() != Type::Object) {
    chunk_->unreadable = true;
    return reader_.skip();
  }
  int64_t index = -1;
  bool role = false;
  bool has_delta = false;
  bool finished = false;
  const size_t first_tool = tools_ ? tools_->entries.size() : 0;
  Text key;
  reader_.open_object();
  while (reader_.next_member(&key)) {
    if (key.raw == "index" && reader_.peek() == Type::Number) {
      std::string_view digits;
      if (reader_.number(&digits)) index = json::to_integer(digits).value_or(-1);
    } else if (key.raw == "delta" && reader_.peek() == Type::Object) {
      has_delta = true;
      delta(&role);
    } else if (key.raw == "finish_reason") {
      finish_reason(&finished);
    } else if (key.raw == "text" && !chat_) {
      read_text(reader_, &chunk_->content);
    } else if (key.raw == "error") {
      error();
    } else {
      reader_.skip();
    }
  }
  if (reader_.failed()) return false;
  if (index < 0) {
    index = position;
    chunk_->repair = true;
  }
  if (index >= ChoiceSet::kMax) {
    chunk_->unreadable = true;
    return true;
  }
  chunk_->seen.add(index);
  if (finished) chunk_->finished.add(index);
  if (chat_) {
    if (!has_delta || (!role && !roles_sent_.has(index))) chunk_->repair = true;
    chunk_->roles.add(index);
  }
  if (tools_) {
    for (size_t i = first_tool; i < tools_->entries.size(); ++i) {
      tools_->entries[i].choice = static_cast<uint8_t>(index);
    }
  }
  return true;
}

bool ChunkWalk::finish_reason(bool* finished) {
  if (reader_.peek() != Type::String) return reader_.skip();
  Text reason;
  if (!reader_.string(&reason)) return false;
  *finished = !reason.empty();
  if (reason.raw == "error") chunk_->is_error = true;
  return true;
}

bool ChunkWalk::delta(bool* role) {
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    if (!delta_member(key.raw, role)) return false;
  }
  return !reader_.failed();
}

bool ChunkWalk::delta_member(std::string_view key, bool* role) {
  if (key == "content") return content();
  if (key == "role") {
    *role = reader_.peek() == Type::String;
    return reader_.skip();
  }
  if (key == "tool_calls") return tool_calls();
  if (key == "reasoning_content" || key == "reasoning" || key == "refusal") {
    return read_text(reader_, &chunk_->content);
  }
  if (key == "function_call") return read_function(reader_, &chunk_->content);
  if (key == "audio" || key == "reasoning_details" || key == "images") {
    return read_presence(reader_, &chunk_->content);
  }
  return reader_.skip();
}

bool ChunkWalk::content() {
  switch (reader_.peek()) {
    case Type::String:
      return read_text(reader_, &chunk_->content);
    case Type::Array:
      chunk_->repair = true;
      return read_parts(reader_, &chunk_->content);
    case Type::Null:
      return reader_.null();
    default:
      chunk_->unreadable = true;
      return reader_.skip();
  }
}

bool ChunkWalk::tool_calls() {
  if (reader_.peek() != Type::Array) return reader_.skip();
  if (!tools_) tools_ = std::make_unique<ToolCalls>();
  std::vector<ToolEntry>& entries = tools_->entries;
  const size_t first = entries.size();
  reader_.open_array();
  while (reader_.next_element()) {
    ToolEntry entry;
    entry.position = static_cast<uint16_t>(entries.size() - first);
    if (reader_.peek() != Type::Object || entries.size() >= ToolCalls::kMaxCalls) {
      chunk_->unreadable = true;
      reader_.skip();
      continue;
    }
    if (!tool_entry(&entry)) return false;
    entries.push_back(entry);
  }
  for (size_t i = first; i < entries.size(); ++i) {
    entries[i].siblings = static_cast<uint16_t>(entries.size() - first);
  }
  if (entries.size() > first) chunk_->tools.any = true;
  return !reader_.failed();
}

bool ChunkWalk::tool_entry(ToolEntry* entry) {
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    if (key.raw == "index" && reader_.peek() == Type::Number) {
      std::string_view digits;
      if (reader_.number(&digits)) entry->index = json::to_integer(digits).value_or(-1);
    } else if (key.raw == "id") {
      plain_string(&entry->id);
    } else if (key.raw == "type") {
      Text type;
      plain_string(&type);
      entry->has_type = !type.empty();
    } else if (key.raw == "function" || key.raw == "custom") {
      tool_function(entry);
    } else {
      reader_.skip();
    }
  }
  return !reader_.failed();
}

bool ChunkWalk::tool_function(ToolEntry* entry) {
  if (reader_.peek() != Type::Object) return reader_.skip();
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    if (key.raw == "name") {
      plain_string(&entry->name);
    } else if (key.raw == "arguments" || key.raw == "input") {
      const Type type = reader_.peek();
      const char* start = reader_.pointer();
      if (type == Type::String) {
        reader_.string(&entry->arguments);
      } else if (reader_.skip() && type != Type::Null) {
        entry->arguments = {reader_.since(start), false};
        entry->arguments_bare = true;
      }
    } else {
      reader_.skip();
    }
  }
  chunk_->tools.bytes += static_cast<int64_t>(entry->arguments.length());
  return !reader_.failed();
}

bool ChunkWalk::plain_string(Text* text) {
  return reader_.peek() == Type::String ? reader_.string(text) : reader_.skip();
}

}  // namespace sluice::openai
