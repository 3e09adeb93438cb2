// One configured provider: where it is, how it is addressed and authenticated, which of the
// client's header fields it may see. Immutable, shared by the loops. Speaks no HTTP itself: it
// writes request heads for net::Client.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "net/client.h"
#include "net/http1.h"
#include "wire/chat.h"

namespace sluice::providers {

struct UpstreamOptions {
  std::string name;
  std::shared_ptr<const net::Origin> origin;
  std::string base_path;  // "/v1": no trailing slash
  Secret api_key;         // sent as Authorization: Bearer; may be empty
  std::vector<std::pair<std::string, Secret>> headers;  // sent with every request
  // Fields of the client's request that are passed on beside the usual ones, and usual ones that
  // are not.
  std::vector<std::string> pass_headers;
  std::vector<std::string> drop_headers;
  net::CallTimeouts timeouts;
  Nanos total_timeout = 900 * kSecond;
};

class Upstream {
 public:
  explicit Upstream(UpstreamOptions options);

  const std::string& name() const { return options_.name; }
  // A header of its own may carry one.
  bool has_key() const { return !options_.api_key.empty() || !options_.headers.empty(); }
  const std::shared_ptr<const net::Origin>& origin() const { return options_.origin; }
  const net::CallTimeouts& timeouts() const { return options_.timeouts; }
  Nanos total_timeout() const { return options_.total_timeout; }

  // Appends request line and fields for net::CallRequest: our own, then those of the client's that
  // may pass (NET-1). Credentials, cookies, hop-by-hop fields and what describes the client's own
  // body never pass.
  void append_head(std::string& out, chat::Endpoint endpoint, const net::Headers& client) const;

  // Takes every occurrence of this provider's secrets out of a text that came from it.
  std::string scrub(std::string text) const;

 private:
  bool passes(const net::Header& header) const;

  UpstreamOptions options_;
  std::array<std::string, 3> fixed_head_;  // by chat::Endpoint
  std::vector<std::string> passing_;       // lower case
  uint64_t passing_lengths_ = 0;           // bit n: some name in passing_ is n long
};

}  // namespace sluice::providers
