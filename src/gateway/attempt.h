// One call of one target for one exchange. It either answers the client, or says how it failed and
// leaves the client untouched, so that another target may answer.
//
// In two steps, call() and answer(), so that nothing of the first is kept while a stream runs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/exchange.h"
#include "gateway/heart.h"
#include "gateway/way.h"
#include "providers/failure.h"
#include "routing/retry.h"

namespace sluice::gateway {

// Why an attempt gave the client nothing.
struct AttemptFailure {
  AttemptFailure(const routing::Failure& the_failure, std::string the_message)
      : failure(the_failure), message(std::move(the_message)) {}
  explicit AttemptFailure(const Error& error)
      : failure{.outcome = error.outcome(), .retry_after = std::nullopt},
        message(error.message()),
        param(error.param()) {}

  routing::Failure failure;
  std::string message;  // for a person: names the target, holds no secret
  std::string param;    // the field at fault, if it is the request's
  // The upstream's own reply, where it is fit to be shown to the client: an error object in its
  // dialect.
  std::string body;
  std::string headers;  // complete lines
  // What the upstream had used when it failed, as far as it is known.
  chat::Usage usage;
  chat::UsageSource usage_source = chat::UsageSource::None;
  bool other_key = false;                        // another key of the same provider may do better
  std::optional<providers::WantedField> wanted;  // send it again, without or under another name
};

// Null: the client has been answered, to the end or to a failure it was told of; the exchange has
// ended. A pointer, since failures are rare and streams keep the place for it while they are open.
using Answered = std::unique_ptr<AttemptFailure>;

inline Answered failed(const routing::Failure& failure, std::string message) {
  return std::make_unique<AttemptFailure>(failure, std::move(message));
}
inline Answered failed(const Error& error) {
  return std::make_unique<AttemptFailure>(error);
}

// Sends the request and waits for the reply's head. `began`: now.
Task<Result<net::CallReply>> call(Exchange& exchange, const Way& way, Nanos began);
// What a call that failed means.
Answered call_failure(Exchange& exchange, const Way& way, const Error& error, Nanos began);
// Passes the reply on to the client, if it is one, and tells the plan how the target did. `began`:
// of the attempt.
Task<Answered> answer(Exchange& exchange, const Way& way, routing::AttemptPlan& plan, Heart& heart,
                      net::CallReply reply, Nanos began);

}  // namespace sluice::gateway
