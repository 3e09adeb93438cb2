// A streamed reply on its way from one upstream to one client, event by event, whatever the two
// speak: what each event means to the gateway, and the bytes the client gets for it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/outcome.h"
#include "wire/chat.h"
#include "wire/sse.h"

namespace sluice::chat {

// Why a stream failed. The strings are the upstream's own, where it has any.
struct StreamError {
  Outcome outcome = Outcome::UpstreamError;
  std::string message;
  std::string type;
  std::string code;
};

struct StreamEvent {
  enum class Kind : uint8_t {
    Preamble,  // forward, but it is no content: a role, an empty delta, something unknown
    Content,   // forward
    Finish,    // forward: an answer ends here (and may carry content, see below)
    Usage,     // nothing to forward yet: usage alone
    Done,      // forward: the end
    Error,     // the stream failed, see error(); nothing to forward
    Ignore,    // nothing to forward
  };
  Kind kind = Kind::Ignore;
  bool content = false;    // the caller would see something: from here on there is no going back
  std::string_view bytes;  // of the event or of the scratch given to take(); whole events
};

// What every such stream needs to know. Borrowed; must outlive the stream.
struct StreamOptions {
  Endpoint endpoint = Endpoint::Chat;  // the client's
  bool asked_usage = false;            // the client did, see Request
  // What events say where the upstream leaves it out. `id` must not be empty.
  std::string_view id;
  std::string_view model;
  int64_t created = 0;
  int64_t prompt_tokens = 0;  // an estimate, for dialects that tell it first (acceptance AG-3)
};

// Single-threaded; one object per stream.
class ReplyStream {
 public:
  struct End {
    bool complete = false;
    std::string_view bytes;  // what the client still has to get, if complete
  };

  virtual ~ReplyStream() = default;
  // `scratch` holds what has to be written anew; its old content is lost. One for a whole thread
  // will do: the result is valid until it is used again.
  virtual StreamEvent take(const sse::Event& event, std::string& scratch) = 0;
  // The upstream's stream has ended: complete, or truncated (acceptance FB-4).
  virtual End finish(std::string& scratch) = 0;
  virtual bool saw_content() const = 0;
  // Null unless the stream failed.
  virtual const StreamError* error() const = 0;
  // The last usage reported.
  virtual const std::optional<Usage>& usage() const = 0;
  // Bytes of text, reasoning and tool arguments so far, unescaped: for estimates.
  virtual int64_t output_bytes() const = 0;
  // The model that answers, as the upstream names it; empty before the first event.
  virtual std::string model() const = 0;
  // An event of this stream that says nothing, for keeping it alive; empty before the first one.
  virtual std::string empty_event() const = 0;
  // Of Responses only: the answer's id, once it is known, and the ids of the items in it, under
  // which a later request may refer to them (acceptance AG-5).
  virtual std::string response_id() const { return ""; }
  virtual std::span<const std::string> item_ids() const { return {}; }
  // The number of the client's next event, in dialects that number them.
  virtual int64_t next_sequence() const { return 0; }
};

}  // namespace sluice::chat
