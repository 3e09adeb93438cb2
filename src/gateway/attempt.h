// One call of one target for one exchange. It either answers the client, or says how it failed and
// leaves the client untouched, so that another target may answer.
//
// In two steps, call() and answer(), so that nothing of the first is kept while a stream runs.
#pragma once

#include <memory>
#include <string>

#include "gateway/exchange.h"
#include "gateway/heart.h"
#include "routing/retry.h"

namespace sluice::gateway {

// Why an attempt gave the client nothing.
struct AttemptFailure {
  AttemptFailure(routing::Failure the_failure, std::string the_message)
      : failure(the_failure), message(std::move(the_message)) {}
  explicit AttemptFailure(const Error& error)
      : failure{error.outcome(), std::nullopt, false}, message(error.message()) {}

  routing::Failure failure;
  std::string message;  // for a person: names the target, holds no secret
  // The upstream's own reply, where it is fit to be shown to the client: an error object in its
  // dialect.
  int status = 0;
  std::string body;
  std::string headers;  // complete lines
};

// Null: the client has been answered, to the end or to a failure it was told of; the exchange has
// ended. A pointer, since failures are rare and streams keep the place for it while they are open.
using Answered = std::unique_ptr<AttemptFailure>;

inline Answered failed(routing::Failure failure, std::string message) {
  return std::make_unique<AttemptFailure>(failure, std::move(message));
}
inline Answered failed(const Error& error) {
  return std::make_unique<AttemptFailure>(error);
}

// Sends the request and waits for the reply's head. `began`: now.
Task<Result<net::CallReply>> call(Exchange& exchange, const routing::Target& target, Nanos began);
// What a call that failed means.
Answered call_failure(Exchange& exchange, const routing::Target& target, const Error& error,
                      Nanos began);
// Passes the reply on to the client, if it is one.
Task<Answered> answer(Exchange& exchange, const routing::Target& target, Heart& heart,
                      net::CallReply reply);

// The fields of an upstream's reply that pass on to the client: its limits and its ids, as complete
// lines (NET-6).
void append_passed_headers(std::string& out, const net::Headers& upstream);

}  // namespace sluice::gateway
