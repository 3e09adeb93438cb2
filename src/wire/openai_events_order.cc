#include "wire/openai_events_order.h"

#include <algorithm>
#include <utility>

namespace sluice::openai {

using Event = chat::AnswerEvent;

namespace {

Event text_event(Event::Kind kind, std::string text) {
  Event event;
  event.kind = kind;
  event.text = std::move(text);
  return event;
}

}  // namespace

void JsonEnd::feed(std::string_view text) {
  for (const char c : text) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
      started_ = true;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      --depth_;
    }
  }
}

bool PartOrder::hold(size_t bytes) {
  held_ += bytes;
  return held_ <= kMaxHeld;
}

bool PartOrder::has_call(int64_t key) const {
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

void PartOrder::tell(Pending& part, std::vector<Event>& out) {
  held_ -= part.head.text.size() + part.arguments.size();
  out.push_back(std::move(part.head));
  if (part.arguments.empty()) return;
  out.push_back(text_event(Event::Kind::Arguments, std::move(part.arguments)));
  part.arguments.clear();
}

// Goes on with the parts that wait, as far as the one before them is over.
void PartOrder::advance(std::vector<Event>& out) {
  size_t over = 0;
  while (over + 1 < parts_.size() && parts_[over].end.reached()) {
    ++over;
    Pending& next = parts_[over];
    tell(next, out);
    // A text never holds up what follows it.
    if (!next.is_call) next.end.feed("[]");
  }
  parts_.erase(parts_.begin(), parts_.begin() + static_cast<ptrdiff_t>(over));
}

bool PartOrder::text(Event::Kind kind, std::string text, std::vector<Event>& out) {
  if (text.empty()) return true;
  if (!blocked()) {
    parts_.clear();
    out.push_back(text_event(kind, std::move(text)));
    return true;
  }
  const size_t bytes = text.size();
  if (!parts_.back().is_call && parts_.back().head.kind == kind) {
    parts_.back().head.text += text;
  } else {
    Pending& part = parts_.emplace_back();
    part.head = text_event(kind, std::move(text));
  }
  return hold(bytes);
}

void PartOrder::begin_call(int64_t key, std::string id, std::string name, bool custom,
                           std::vector<Event>& out) {
  const bool waits = blocked();
  if (!waits) parts_.clear();
  keys_.push_back(key);
  Pending& part = parts_.emplace_back();
  part.key = key;
  part.is_call = true;
  part.custom = custom;
  part.head.kind = Event::Kind::ToolCall;
  part.head.id = std::move(id);
  part.head.name = std::move(name);
  part.head.custom = custom;
  if (!waits) tell(part, out);
}

bool PartOrder::arguments(int64_t key, std::string text, std::vector<Event>& out) {
  if (text.empty()) return true;
  const auto part = std::find_if(parts_.begin(), parts_.end(), [key](const Pending& pending) {
    return pending.is_call && pending.key == key;
  });
  if (part == parts_.end()) {
    // White space behind the last brace says nothing.
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  }
  // Where plain text ends cannot be seen.
  if (!part->custom) part->end.feed(text);
  if (part == parts_.begin()) {
    out.push_back(text_event(Event::Kind::Arguments, std::move(text)));
    advance(out);
    return true;
  }
  const size_t bytes = text.size();
  part->arguments += text;
  return hold(bytes);
}

void PartOrder::flush(std::vector<Event>& out) {
  for (size_t i = 1; i < parts_.size(); ++i) tell(parts_[i], out);
  parts_.clear();
}

}  // namespace sluice::openai
