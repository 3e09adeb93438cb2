#include "wire/openai_tools.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace sluice::openai {
namespace {

// Ids may be 40 characters long; a hash keeps them short whatever the stream's id is.
std::string made_up_id(std::string_view stream_id, uint8_t choice, uint32_t index) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : stream_id) hash = (hash ^ c) * 0x100000001b3;
  return fmt::format("call_{:016x}{:02x}{:04x}", hash, choice, index);
}

// The arguments as JSON text without quotes.
std::string arguments_text(const ToolEntry& entry) {
  if (!entry.arguments_bare) return std::string(entry.arguments.raw);
  std::string quoted;
  json::append_quoted(quoted, entry.arguments.raw);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

void ToolCalls::Scan::feed(char c) {
  if (in_string) {
    if (escaped) {
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      in_string = false;
    }
    return;
  }
  if (c == '"') in_string = true;
  if (c == '{' || c == '[') {
    ++depth;
    started = true;
  } else if ((c == '}' || c == ']') && depth > 0) {
    --depth;
  }
}

// From the escaped form, without unescaping it to memory.
void ToolCalls::Scan::feed_raw(std::string_view raw) {
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      feed(raw[i]);
      continue;
    }
    const char kind = raw[++i];
    if (kind == 'u') {
      unsigned code = 0;
      std::from_chars(raw.data() + i + 1, raw.data() + i + 5, code, 16);
      feed(code < 0x80 ? static_cast<char>(code) : 'x');
      i += 4;
    } else {
      feed(kind == '"' || kind == '\\' ? kind : ' ');
    }
  }
}

bool ToolCalls::holds() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const Call& call) { return !call.named; });
}

ToolCalls::Call* ToolCalls::last_of(uint8_t choice) {
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    if (call->choice == choice) return &*call;
  }
  return nullptr;
}

// The latest with that index: where indices repeat, fragments follow their call.
ToolCalls::Call* ToolCalls::find_by_index(uint8_t choice, int64_t index) {
  if (index < 0) return nullptr;
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    if (call->choice == choice && call->upstream_index == index) return &*call;
  }
  return nullptr;
}

ToolCalls::Call* ToolCalls::find_by_id(const ToolEntry& entry) {
  for (Call& call : calls_) {
    if (call.choice == entry.choice && call.id == entry.id.raw) return &call;
  }
  return nullptr;
}

// The call an entry goes on with; null if it begins one.
ToolCalls::Call* ToolCalls::find(const ToolEntry& entry) {
  const bool indexed = entry.index >= 0;
  Call* same_index = find_by_index(entry.choice, entry.index);
  if (!entry.id.empty()) {
    if (Call* call = find_by_id(entry)) return call;
    // A new id begins a call, unless it completes one that has begun without.
    Call* open = indexed ? same_index : last_of(entry.choice);
    if (open != nullptr && open->id.empty() && !open->named) return open;
    // An id that changes with every delta of a call comes without a name.
    if (entry.name.empty() && same_index != nullptr && !same_index->scan.complete()) {
      return same_index;
    }
    return nullptr;
  }
  if (!entry.name.empty()) {
    Call* open = indexed ? same_index : last_of(entry.choice);
    if (open == nullptr || !open->named) return open;
    // The name again: the same call, if its index says so and it is not over.
    return indexed && !open->scan.complete() ? open : nullptr;
  }
  if (same_index != nullptr) return same_index;
  if (!indexed && entry.siblings > 1) return find_by_index(entry.choice, entry.position);
  Call* last = last_of(entry.choice);
  return last != nullptr && last->scan.complete() ? nullptr : last;
}

ToolCalls::Call* ToolCalls::begin_call(const ToolEntry& entry) {
  if (calls_.size() >= kMaxCalls) return nullptr;
  Call call;
  call.choice = entry.choice;
  call.index = static_cast<uint32_t>(std::count_if(
      calls_.begin(), calls_.end(), [&](const Call& c) { return c.choice == entry.choice; }));
  call.upstream_index = entry.index;
  if (entry.index < 0) {
    call.upstream_index = entry.siblings > 1 ? entry.position : static_cast<int64_t>(call.index);
  }
  calls_.push_back(std::move(call));
  return &calls_.back();
}

ToolDecision ToolCalls::decide_one(const ToolEntry& entry, Call* call, std::string_view stream_id) {
  using Action = ToolDecision::Action;
  ToolDecision decision;
  decision.index = call->index;
  const bool right_index = entry.index == static_cast<int64_t>(call->index);
  if (entry.arguments_bare) {
    call->scan.started = true;
  } else {
    call->scan.feed_raw(entry.arguments.raw);
  }
  if (call->named) {
    const bool plain = entry.id.empty() && entry.name.empty() && !entry.arguments_bare;
    decision.action = plain && right_index ? Action::Keep : Action::Rewrite;
    return decision;
  }
  if (call->id.empty()) call->id = std::string(entry.id.raw);
  if (entry.name.empty()) {
    call->held += arguments_text(entry);
    decision.action = Action::Drop;
    return decision;
  }
  call->named = true;
  decision.first = true;
  const bool whole = !entry.id.empty() && entry.has_type && !entry.arguments_bare;
  if (whole && right_index && call->held.empty() && call->id == entry.id.raw) return decision;
  decision.action = Action::Rewrite;
  if (call->id.empty()) call->id = made_up_id(stream_id, call->choice, call->index);
  decision.id = call->id;
  decision.held = std::move(call->held);
  call->held = std::string();
  return decision;
}

bool ToolCalls::decide(std::string_view stream_id) {
  decisions.clear();
  rewrites_ = false;
  visible_ = false;
  for (const ToolEntry& entry : entries) {
    Call* call = find(entry);
    if (call == nullptr) call = begin_call(entry);
    if (call == nullptr) return false;
    decisions.push_back(decide_one(entry, call, stream_id));
    if (call->held.size() > kMaxHeld) return false;
    rewrites_ |= decisions.back().action != ToolDecision::Action::Keep;
    visible_ |= decisions.back().action != ToolDecision::Action::Drop;
  }
  return true;
}

}  // namespace sluice::openai
