// Which call a tool-call delta belongs to, whatever the upstream made of `index` and `id`
// (acceptance SSE-2). Not for other rooms.
//
// OpenAI's own rule is simple: the first delta of a call carries index, id, type and name, later
// ones index and a fragment of the arguments. Servers that imitate it leave out the index, repeat
// 0, count per delta, repeat the id, or send arguments before the name. What leaves here obeys the
// rule: calls are numbered from 0 in the order of appearance, per choice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace sluice::openai {

// One element of a delta's tool_calls, as it came.
struct ToolEntry {
  uint8_t choice = 0;
  uint16_t position = 0;  // in its array
  uint16_t siblings = 1;  // length of that array
  int64_t index = -1;     // -1: missing or no natural number
  json::Text id;
  json::Text name;
  json::Text arguments;  // of `function` or, for custom tools, `input` of `custom`
  bool has_type = false;
  bool arguments_bare = false;  // arguments is a JSON value instead of a string: `raw` is its text
};

// What to do with it.
struct ToolDecision {
  enum class Action : uint8_t {
    Keep,     // forward as it is
    Rewrite,  // forward with this index, and as first or as later delta
    Drop,     // nothing can be said yet: the arguments wait for the name
  };
  Action action = Action::Keep;
  bool first = false;
  uint32_t index = 0;
  std::string id;    // of a first delta, as JSON text without quotes
  std::string held;  // of a first delta: arguments that came before it, JSON text without quotes
};

class ToolCalls {
 public:
  static constexpr size_t kMaxCalls = 512;
  static constexpr size_t kMaxHeld = 1u << 20;

  // The entries of the chunk being read; filled by the chunk walk.
  std::vector<ToolEntry> entries;
  // One per entry, in order; made by decide().
  std::vector<ToolDecision> decisions;

  // Decides about `entries`. `stream_id` seeds ids for calls that have none. False if the upstream
  // sends more than we will hold.
  bool decide(std::string_view stream_id);
  // After decide(): something must be rewritten or dropped.
  bool rewrites() const { return rewrites_; }
  // After decide(): something of the chunk's calls reaches the client.
  bool visible() const { return visible_; }
  // A call has no name yet: its arguments are held back.
  bool holds() const;

 private:
  // Whether a JSON text seen in fragments is complete.
  struct Scan {
    uint32_t depth = 0;
    bool started = false;
    bool in_string = false;
    bool escaped = false;
    bool complete() const { return started && depth == 0 && !in_string; }
    void feed(char c);
    void feed_raw(std::string_view raw);
  };

  struct Call {
    uint8_t choice = 0;
    bool named = false;
    uint32_t index = 0;           // ours
    int64_t upstream_index = -1;  // theirs
    std::string id;               // JSON text without quotes
    std::string held;
    Scan scan;
  };

  Call* find(const ToolEntry& entry);
  Call* find_by_id(const ToolEntry& entry);
  Call* find_by_index(uint8_t choice, int64_t index);
  Call* last_of(uint8_t choice);
  Call* begin_call(const ToolEntry& entry);
  ToolDecision decide_one(const ToolEntry& entry, Call* call, std::string_view stream_id);

  std::vector<Call> calls_;
  bool rewrites_ = false;
  bool visible_ = false;
};

}  // namespace sluice::openai
