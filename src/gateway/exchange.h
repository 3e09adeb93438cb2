// One request of a client, from its first byte to its ledger row.
//
// However it ends - answered, refused, failed, abandoned, destroyed where it stands - the record is
// handed to the ledger exactly once: by the destructor.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "gateway/snapshot.h"
#include "net/client.h"
#include "net/server.h"
#include "telemetry/ledger.h"
#include "telemetry/record.h"
#include "wire/chat.h"

namespace sluice::gateway {

// What the exchanges of one loop share.
struct Shared {
  net::Loop& loop;
  net::Client& client;
  telemetry::Ledger& ledger;
  IdSource ids;
  std::shared_ptr<const Snapshot> snapshot;
  // Where stream events are put together; what they hold is gone at the next suspension.
  std::string out;
  std::string scratch;
  unsigned lane = 0;  // of this loop, in meters and queues
};

class Exchange {
 public:
  Exchange(Shared& shared, net::ServerExchange& http, chat::Endpoint endpoint);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Shared& shared;
  net::ServerExchange& http;
  const std::shared_ptr<const Snapshot> snapshot;

  // Set by the pipeline's gates, in this order.
  std::string_view body;     // as decoded from its content coding
  std::string decoded_body;  // what `body` points into, if it was coded
  chat::Request request;
  const routing::Route* route = nullptr;

  telemetry::Record record;

  Nanos now() const { return shared.loop.read_clock(); }
  Nanos started() const { return started_; }
  // The whole exchange's end, and the client's leaving.
  Until until() const { return Until(deadline_, &http.cancel()); }
  void set_deadline(Deadline deadline) { deadline_ = deadline; }
  // Route for a name that only the caller knows; kept here because the snapshot is immutable.
  void own_route(routing::Route route);

  // The header line of W3C trace context for the next attempt: the same trace, a span of its own.
  void append_traceparent(std::string& head);

  // Time that passed waiting for upstreams, pauses between two attempts included; and for the
  // client, to send its body or to take the reply.
  void add_upstream_time(Nanos spent) { upstream_time_ += spent; }
  void add_client_time(Nanos spent) { client_time_ += spent; }
  Nanos overhead() const { return now() - started_ - upstream_time_ - client_time_; }

  // The fields every reply carries: request id, who answered, what we cost. For a stream whose
  // target may still change, `target` is null and the fields that would name it are left out.
  std::string reply_headers(const routing::Target* target) const;
  // Notes who answers.
  void answered_by(const routing::Target& target);

  // Who is to blame for the end of an attempt: a client that leaves while its upstream has been
  // silent for long, or just when its own timeout is over, left because of that (DISC-4).
  Outcome blame(Outcome outcome, Nanos heard_at, bool content) const;

  // Drops what was only kept for calling another target.
  void release_request();

  // Ends the exchange with an error in the client's dialect: a reply if nothing was sent yet, else
  // an event. `headers`: further complete lines of the reply.
  Task<void> fail(const Error& error, std::string headers = {});
  // The same with a status and body of our own choosing, for what an upstream said to the client.
  Task<void> reply(int status, std::string headers, std::string_view reply_body);
  // When the last byte of the answer went, if somebody has looked at the clock then.
  void set_ended_at(Nanos when) { ended_at_ = when; }
  // Notes how the exchange ended, without sending anything.
  void end(Outcome outcome, int status, std::string_view error = {});

 private:
  void read_client_headers();
  void note_client_timeout(std::string_view seconds);

  Nanos started_;
  Deadline deadline_ = Deadline::never();
  Nanos upstream_time_ = 0;
  Nanos client_time_ = 0;
  Nanos ended_at_ = 0;
  routing::Route own_route_;
  std::optional<Nanos> client_timeout_;  // what the client's SDK says it will wait
  uint8_t trace_flags_ = 1;
  bool ended_ = false;
};

}  // namespace sluice::gateway
