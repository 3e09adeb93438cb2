// Server-sent events, byte by byte: finds the events in whatever pieces the network delivers.
//
//   parser.feed(bytes);
//   while (parser.next(&event) == sse::Step::Event) ...
//
// An event that lies whole in the bytes fed is given as views into them; one that is split is
// gathered in the parser. Between events the parser holds no memory but itself. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::sse {

inline constexpr uint32_t kDefaultMaxEvent = 1u << 20;

struct Event {
  std::string_view data;  // the data lines, joined by \n
  std::string_view name;  // of the `event:` line; empty if there was none
  std::string_view id;
  // The bytes as they came, up to and including the blank line. Meaningful if canonical.
  std::string_view raw;
  // raw is exactly "data: <one line>\n\n": it may be sent on as it is.
  bool canonical = false;
};

enum class Step : uint8_t {
  Event,     // *event is filled; its views hold until the next call of feed() or next()
  NeedMore,  // everything fed is used up
  TooLarge,  // an event is larger than allowed; the parser gives nothing more
};

class Parser {
 public:
  explicit Parser(uint32_t max_event = kDefaultMaxEvent) : max_event_(max_event) {}

  // Requires: next() has returned NeedMore for what was fed before. `bytes` must stay where they
  // are until it does so again.
  void feed(std::string_view bytes) { input_ = bytes; }
  Step next(Event* event);

  // True if the input ended inside an event, which is lost then, as the standard has it.
  bool ended_inside_event() const { return fields_ || (!line_empty_ && !comment_); }
  // Bytes held for an event that is not whole yet.
  size_t held() const { return delivered_ ? 0 : carry_.size(); }

 private:
  bool next_canonical(Event* event);
  void skip_bom();
  size_t find_event_end();
  bool fill(std::string_view block, Event* event);
  void join_data(Event* event);
  void drop_delivered();
  void release();

  std::string_view input_;  // fed and not yet used
  std::string carry_;       // the beginning of an event that was split, or one just delivered
  uint32_t max_event_;
  uint8_t bom_ = 0;         // bytes of a byte order mark seen at the start; 4 when past it
  bool delivered_ = false;  // carry_ is the event delivered last
  bool line_empty_ = true;  // the current line has no byte yet
  bool comment_ = false;    // the current line is a comment
  bool fields_ = false;     // the current event has a line that is no comment
  bool skip_lf_ = false;    // the last byte used was a CR: an LF belongs to it
  bool too_large_ = false;
};

static_assert(sizeof(Parser) <= 64);

}  // namespace sluice::sse
