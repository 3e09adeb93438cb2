// One configured provider: where it is, what it speaks, how it is addressed and authenticated,
// which of the client's header fields it may see. Shared by the loops; immutable but for the
// standing of its keys. Speaks no HTTP itself: it writes request heads for net::Client.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "net/client.h"
#include "net/http1.h"
#include "providers/credential.h"
#include "providers/failure.h"
#include "providers/key_ring.h"
#include "providers/kind.h"
#include "providers/learned.h"
#include "providers/pass_list.h"
#include "providers/portkey.h"

namespace sluice::providers {

struct UpstreamKey {
  std::string label;  // see key_label()
  uint32_t weight = 1;
  std::shared_ptr<const Credential> credential;
};

struct UpstreamOptions {
  std::string name;
  Kind kind = Kind::OpenAi;
  std::shared_ptr<const net::Origin> origin;
  std::string base_path;  // as written; see base_path_of()
  // What it can be asked, where that is less than its kind can.
  std::optional<CallSet> speaks;
  std::vector<UpstreamKey> keys;                        // none: it wants no key
  std::vector<std::pair<std::string, Secret>> headers;  // sent with every request
  // Fields of the client's request that are passed on beside the usual ones, and usual ones that
  // are not.
  std::vector<std::string> pass_headers;
  std::vector<std::string> drop_headers;
  std::string app_url;     // OpenRouter: HTTP-Referer, where the client sends none
  std::string app_title;   // OpenRouter: X-OpenRouter-Title, likewise
  std::string routing;     // OpenRouter: its `provider` object, where the request has none
  PortkeyOptions portkey;  // a config in it must be tamed
  net::CallTimeouts timeouts;
  Nanos reasoning_timeout = 600 * kSecond;  // first_byte of requests that may think for long
  Nanos total_timeout = 900 * kSecond;
  bool local = false;              // data that must not leave may go there
  int64_t max_output = 4096;       // where the dialect wants a limit and the client gave none
  bool old_max_tokens = false;     // wants max_tokens, not max_completion_tokens
  bool no_stream_options = false;  // refuses stream_options
  int64_t embed_batch = 64;        // texts that may go up in one call; 1: no batches
  Nanos embed_wait = 5 * kMillisecond;
};

// What one attempt is about. Views must last for the call they are given to.
struct Attempt {
  Call call = Call::Chat;
  // About something the call has made: another method, a path below its own, with the query.
  std::string_view method = "POST";
  std::string_view below;
  size_t key = 0;           // from KeyRing::pick(); 0 where there are no keys
  int64_t wall_micros = 0;  // now
  bool stream = false;
  // Told to intermediaries only.
  std::string_view model;  // as the target names it
  std::string_view trace_id;
  std::span<const Fact> facts;
  Nanos timeout = 0;  // 0: not told
};

class Upstream {
 public:
  explicit Upstream(UpstreamOptions options);

  const std::string& name() const { return options_.name; }
  Kind kind() const { return options_.kind; }
  // A header of its own may carry one.
  bool has_key() const { return !options_.keys.empty() || !options_.headers.empty(); }
  const std::shared_ptr<const net::Origin>& origin() const { return options_.origin; }
  const net::CallTimeouts& timeouts() const { return options_.timeouts; }
  Nanos reasoning_timeout() const { return options_.reasoning_timeout; }
  Nanos total_timeout() const { return options_.total_timeout; }
  bool local() const { return options_.local; }
  int64_t max_output() const { return options_.max_output; }
  bool old_max_tokens() const { return options_.old_max_tokens; }
  // Snowflake's compatible endpoint takes no other name.
  bool wants_completion_tokens() const { return options_.kind == Kind::Cortex; }
  bool no_stream_options() const { return options_.no_stream_options; }
  int64_t embed_batch() const { return options_.embed_batch; }
  Nanos embed_wait() const { return options_.embed_wait; }
  const std::string& routing() const { return options_.routing; }
  // Thread-safe, and the part that changes, beside learned(). Of size 0 where there are no keys:
  // nothing is to be picked then.
  KeyRing& keys() const { return *keys_; }
  // What refusals have taught about its models; thread-safe likewise.
  LearnedFields& learned() const { return *learned_; }

  // How a request of this endpoint is made of this upstream; nothing: it cannot serve it.
  std::optional<Call> call_for(chat::Endpoint client, std::string_view model) const {
    return providers::call_for(options_.kind, speaks_, client, model);
  }
  // The model as the body must name it. `storage` must outlive the view.
  std::string_view body_model(std::string_view model, std::string& storage) const;

  // Appends request line and fields for net::CallRequest: our own, then those of the client's that
  // may pass (NET-1). Credentials, cookies, hop-by-hop fields and what describes the client's own
  // body never pass. Bug: a token could not be signed.
  Result<void> append_head(std::string& out, const Attempt& attempt,
                           const net::Headers& client) const;

  // The same for a GET of its list of models (model_list.h), with `query` behind the path: "" or
  // "?offset=500". Requires: list_path_of(kind()) is not empty.
  Result<void> append_list_head(std::string& out, std::string_view query, size_t key,
                                int64_t wall_micros) const;

  // What an error reply means; the message and everything else in it is scrubbed.
  UpstreamFailure classify(int status, const net::Headers& headers, std::string_view body,
                           int64_t wall_micros) const;

  // Tells the ring what a refusal means for the key: rest, out, or nothing. The event is for the
  // log.
  KeyRing::Event note_failure(size_t key, const UpstreamFailure& failure, Nanos now) const;

  // Takes every occurrence of this provider's secrets out of a text that came from it.
  std::string scrub(std::string text) const;

 private:
  struct Default {
    std::string name;
    std::string line;
  };
  std::string fixed_fields() const;
  void append_own_lines(std::string& out) const;
  Result<void> append_credential(std::string& out, size_t key, int64_t wall_micros) const;
  void append_defaults(std::string& out, Dialect dialect, const net::Headers& client) const;

  UpstreamOptions options_;
  CallSet speaks_;
  std::unique_ptr<KeyRing> keys_;
  std::unique_ptr<LearnedFields> learned_ = std::make_unique<LearnedFields>();
  std::vector<Secret> config_secrets_;
  std::array<std::string, kCallCount> paths_;
  std::string fixed_fields_;
  std::vector<PassList> passing_;  // by Dialect
  // Sent unless the client's own field of that name passes, by Dialect.
  std::array<std::vector<Default>, kDialectCount> defaults_;
};

}  // namespace sluice::providers
