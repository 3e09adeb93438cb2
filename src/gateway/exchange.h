// One request of a client, from its first byte to its ledger row.
//
// However it ends - answered, refused, failed, abandoned, destroyed where it stands - the record is
// handed to the ledger exactly once: by the destructor.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "gateway/body_copy.h"
#include "gateway/snapshot.h"
#include "gateway/stored.h"
#include "gateway/wishes.h"
#include "governance/admission.h"
#include "governance/directory.h"
#include "governance/shared_limits.h"
#include "net/client.h"
#include "net/server.h"
#include "telemetry/ledger.h"
#include "telemetry/record.h"
#include "wire/chat.h"
#include "wire/conversation.h"
#include "wire/tokenizers.h"
#include "wire/translated_stream.h"

namespace sluice::gateway {

struct Way;
class EmbedBatches;

// The decision about the model name that was asked for last and that only callers know: usually it
// is asked for again.
struct RecentRoute {
  uint64_t revision = 0;  // of the snapshot that decided
  std::string model;
  std::shared_ptr<const routing::Route> route;
};

// What the exchanges of one loop share.
struct Shared {
  net::Loop& loop;
  net::Client& client;
  telemetry::Ledger& ledger;
  IdSource ids;
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const ListedModels> listed = std::make_shared<const ListedModels>();
  // Where stream events are put together; what they hold is gone at the next suspension.
  std::string out;
  std::string scratch;
  unsigned lane = 0;  // of this loop, in meters and queues
  RecentRoute recent;
  std::shared_ptr<EmbedBatches> embeds;  // made by the first embedding that is batched
  std::shared_ptr<const governance::Directory> directory;
  governance::Accounts* accounts = nullptr;
  governance::SharedLimits* limits = nullptr;  // null: this instance is alone
  telemetry::BodyStore* bodies = nullptr;
  tokens::TokenCounter tokens;
};

class Exchange {
 public:
  Exchange(Shared& shared, net::ServerExchange& http, chat::Endpoint endpoint);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Shared& shared;
  net::ServerExchange& http;
  // That of the exchange's start until its targets are sought, then the one in force at that
  // moment.
  std::shared_ptr<const Snapshot> snapshot;

  // Set by the pipeline's gates, in this order.
  std::shared_ptr<const governance::Directory> directory;  // that of the exchange's start
  // Null: no key is asked for. Lives in the directory.
  const governance::Directory::Entry* caller = nullptr;
  std::string_view body;     // as decoded from its content coding
  std::string decoded_body;  // what `body` points into, if it was coded
  chat::Request request;
  const routing::Route* route = nullptr;
  // Of the snapshot's rules what the key may use; null: all of them. See rules_of().
  std::unique_ptr<const Snapshot::Rules> own_rules;
  // Whose limits and budgets it counts against.
  governance::Subjects subjects;
  // What limits and budgets hold for it, and the budget that is most used up, if it has a say.
  governance::Admission admission;
  std::unique_ptr<governance::BudgetState> budget;

  // What is asked of a response that its provider keeps; null: the request wants an answer of a
  // model.
  std::unique_ptr<StoredRequest> stored;

  telemetry::Record record;
  std::unique_ptr<BodyCopy> copy;  // null: the key does not keep bodies

  // What the client asked of the gateway itself; an error if that could not be understood. Its
  // views are gone after release_request().
  const Result<void>& wished() const { return wished_; }
  const Wishes& wishes() const { return wishes_; }
  // The whole request in the middle form; read at the first call. Errors name the field.
  Result<const chat::Conversation*> conversation();
  // Another body in place of the client's; what was read of that is read anew.
  void replace_body(std::string other);
  // Another task in place of what the client named; empty: none.
  void set_task(std::string_view task) { wishes_.task = task; }
  // Copies of the request and of what is sent to the client go to the store of bodies.
  void keep_bodies();
  // Its data must not leave, whatever the client says.
  void restrict() { wishes_.restricted = true; }
  // What a Responses answer says of the request it answers.
  const std::string& response_echo();

  Nanos now() const { return shared.loop.read_clock(); }
  Nanos started() const { return started_; }
  // The whole exchange's end, and the client's leaving.
  Until until() const { return Until(deadline_, &http.cancel()); }
  // For the whole exchange. The SDKs' own timeout runs until a stream begins or a reply is whole:
  // what comes after it reaches nobody, so until then it is the limit.
  void set_time_limit(Nanos limit);
  // A stream has begun: the client's own timeout is over.
  void stream_began() { deadline_ = Deadline::at(started_ + time_limit_); }
  // The client will not wait any longer, while the upstream has said nothing.
  bool client_gave_up() const;
  // Route for a name that only the caller knows; kept here because the snapshot is immutable.
  void own_route(std::shared_ptr<const routing::Route> route);

  // The account that made what the request refers to is this key's; one of its provider that is no
  // longer there, or none: any key may be.
  void prefer_key(const providers::Upstream& upstream, std::string_view label);
  std::optional<uint8_t> preferred_key() const { return preferred_key_; }

  // The header line of W3C trace context for the next attempt: the same trace, a span of its own.
  void append_traceparent(std::string& head);

  // Time that passed waiting for upstreams, pauses between two attempts included; and for the
  // client, to send its body or to take the reply.
  void add_upstream_time(Nanos spent) { upstream_time_ += spent; }
  void add_client_time(Nanos spent) { client_time_ += spent; }
  Nanos overhead() const { return now() - started_ - upstream_time_ - client_time_; }

  // The fields every reply carries: request id, who answered, what we cost. For a stream whose
  // target may still change, `target` is null and the fields that would name it are left out.
  std::string reply_headers(const Way* way) const;
  void append_target(std::string& headers, const Way& way) const;
  // What it cost, for a client that wants to know: a field of a reply that is whole, and the same
  // as a trailer of a stream (acceptance COST-9). Requires: usage and outcome are in the record.
  void append_cost(std::string& headers) const;
  std::string cost_trailer() const;
  // Notes who answers. An attempt before it that broke off, and is gone on with, keeps what it
  // used.
  void answered_by(const routing::Target& target);

  // About the attempt in hand.
  // What the target has no place for; an error where the operator, or the request, does not allow
  // that to be left out (acceptance TR-3).
  Result<void> accept_losses(const Way& way, std::vector<std::string> dropped);
  // What a gateway on the way says of its own doing.
  void note_intermediary(const Way& way, const net::Headers& headers);
  void key_accepted(const Way& way) const;
  void note_key(const Way& way, providers::KeyRing::Event event) const;
  // Later requests that refer to this answer go to the target that gave it (acceptance AG-5).
  void remember_response(const Way& way, const std::string& id,
                         std::span<const std::string> items) const;
  // Proven that no byte of the request reached the upstream's program.
  void set_unsent(bool unsent) { unsent_ = unsent; }
  bool unsent() const { return unsent_; }
  // An answer that its next target may go on with, if the route allows that and the request is one
  // that can be; null: none.
  chat::Continuation* continuation() { return continuation_.get(); }
  void allow_continuation();
  // The number of a stream's next event, in dialects that number them.
  void set_sequence(int64_t sequence) { sequence_ = sequence; }

  // Who is to blame for the end of an attempt: a client that leaves while its upstream has been
  // silent for long, or just when its own timeout is over, left because of that (DISC-4).
  Outcome blame(Outcome outcome, Nanos heard_at, bool content) const;

  // Goes on the reason of the row.
  void add_reason(std::string_view clause);

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
  std::string failed_attempts() const;
  void append_dropped(std::string& headers) const;

  Nanos started_;
  Deadline deadline_ = Deadline::never();
  Nanos time_limit_ = 0;
  Nanos upstream_time_ = 0;
  Nanos client_time_ = 0;
  Nanos ended_at_ = 0;
  std::shared_ptr<const routing::Route> own_route_;
  std::unique_ptr<chat::Conversation> conversation_;
  std::unique_ptr<std::string> response_echo_;
  std::unique_ptr<chat::Continuation> continuation_;
  std::vector<std::string> dropped_;  // by the attempt in hand
  std::string intermediary_;          // likewise: header lines about it
  Wishes wishes_;
  Result<void> wished_;
  int64_t sequence_ = 0;
  std::optional<Nanos> client_timeout_;  // what the client's SDK says it will wait
  uint8_t trace_flags_ = 1;
  std::optional<uint8_t> preferred_key_;
  bool ended_ = false;
  bool unsent_ = false;
};

}  // namespace sluice::gateway
