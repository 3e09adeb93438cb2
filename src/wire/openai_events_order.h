// Puts the parts of a streamed answer one after another: what an upstream sends interleaved (two
// tool calls by turns, text between the fragments of a call) waits until the part before it is
// over. A call is over when its arguments are a whole JSON object or array and something else
// follows; where that cannot be told, when the answer ends. Single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/answer_event.h"

namespace sluice::openai {

// Whether a JSON object or array, seen in fragments, has come to its end.
class JsonEnd {
 public:
  void feed(std::string_view text);
  bool reached() const { return started_ && depth_ == 0; }

 private:
  uint32_t depth_ = 0;
  bool started_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
};

class PartOrder {
 public:
  using Event = chat::AnswerEvent;
  // More bytes than this are not held back for a part that does not end.
  static constexpr size_t kMaxHeld = 16u << 20;

  // Each appends what may be told already. False: too much waits, or a call goes on that was over.
  // `kind`: Text, Refusal or Thinking. Empty text is nothing.
  bool text(Event::Kind kind, std::string text, std::vector<Event>& out);
  // `key` tells the calls of a stream apart.
  void begin_call(int64_t key, std::string id, std::string name, bool custom,
                  std::vector<Event>& out);
  bool arguments(int64_t key, std::string text, std::vector<Event>& out);
  // No more parts come: tells what waits.
  void flush(std::vector<Event>& out);

  bool has_call(int64_t key) const;

 private:
  struct Pending {
    Event head;  // ToolCall, or the text itself
    bool is_call = false;
    bool custom = false;
    int64_t key = 0;
    std::string arguments;  // that wait
    JsonEnd end;
  };

  bool blocked() const { return !parts_.empty() && !parts_.front().end.reached(); }
  bool hold(size_t bytes);
  void advance(std::vector<Event>& out);
  void tell(Pending& part, std::vector<Event>& out);

  // The first is a call that was told and may go on; the others wait for it.
  std::vector<Pending> parts_;
  std::vector<int64_t> keys_;  // of every call so far
  size_t held_ = 0;
};

}  // namespace sluice::openai
