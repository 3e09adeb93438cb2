// What goes up to a target and what comes down from it. Where client and target speak the same, the
// bytes pass through; where not, they are read into the middle form and written anew, each time
// from what the client sent (acceptance TR-1, TR-5).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/exchange.h"
#include "gateway/way.h"
#include "wire/pieces.h"
#include "wire/reply_stream.h"

namespace sluice::gateway {

// A request's body as one target gets it. Stays where it is: the pieces may point into it.
struct Encoded {
  Encoded() = default;
  Encoded(const Encoded&) = delete;
  Encoded& operator=(const Encoded&) = delete;

  chat::Pieces pieces;
  std::string model;                 // as the body names it, where that is not as the target does
  std::vector<std::string> dropped;  // what the target has no place for
};

// Errors: BadRequest or Unsupported, naming the field this target cannot serve.
Result<void> encode(Exchange& exchange, const Way& way, Encoded& out);

// A buffered reply: what it says, and what the client gets for it.
struct Decoded {
  chat::Reply facts;
  std::string_view bytes;  // as the client gets them: of the body given, or of `own`
  std::string own;
};
// UpstreamBadReply: it is no reply of the dialect. An error inside a reply is in facts.is_error.
Result<void> decode(Exchange& exchange, const Way& way, std::string_view body, Decoded& out);

// A streamed reply. Borrows from the exchange and the way.
std::unique_ptr<chat::ReplyStream> make_stream(Exchange& exchange, const Way& way);

}  // namespace sluice::gateway
