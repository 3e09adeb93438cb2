// A streamed answer in the middle form, for when client and target speak different dialects: the
// upstream's events are read into these and written in the client's dialect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/conversation.h"
#include "wire/reply_stream.h"
#include "wire/sse.h"

namespace sluice::chat {

// One thing that happened. A reader gives them in an order every dialect can tell: Start first;
// a part (text, reasoning, refusal, tool call) is never returned to once another has begun, so
// calls that an upstream interleaves are held back until their turn; Finish after the last part;
// then Usage, if there is any; End last.
struct AnswerEvent {
  enum class Kind : uint8_t {
    Start,      // id, model, created, and usage if the input is already counted
    Text,       // text
    Refusal,    // text
    Thinking,   // text
    Signature,  // text: of the thinking before it
    Redacted,   // text
    ToolCall,   // id, name: a call begins
    Arguments,  // text: a fragment of the arguments of the call that was begun last
    Finish,     // finish, text: the provider's own word; id: the stop sequence that was met
    Usage,      // usage
    End,        // the provider said that this was all
  };
  Kind kind = Kind::Start;
  std::string text;
  std::string id;
  std::string name;  // ToolCall; of Start the model
  int64_t created = 0;
  bool custom = false;  // ToolCall of a tool that takes plain text
  Finish finish = Finish::Unknown;
  std::optional<Usage> usage;
};

// Reads the events of one upstream dialect. Single-threaded; one object per stream.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;
  // Appends what the event says. False: the stream failed, error() says how.
  virtual bool take(const sse::Event& event, std::vector<AnswerEvent>& out) = 0;
  // The upstream's stream has ended; appends what is still missing (an End where that is implied).
  // False: it was cut short.
  virtual bool finish(std::vector<AnswerEvent>& out) = 0;
  virtual const StreamError* error() const = 0;
};

// Writes events for a client of one dialect. Single-threaded; one object per stream.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  // Appends the bytes, whole SSE events.
  virtual void write(const AnswerEvent& event, std::string& out) = 0;
  // An event that says nothing, for keeping the stream alive; empty before Start.
  virtual std::string empty_event() const = 0;
  // The number of the next event, in dialects that number them.
  virtual int64_t next_sequence() const { return 0; }
  // Of Responses only: the id the client gets, once it is known.
  virtual std::string response_id() const { return ""; }
};

}  // namespace sluice::chat
