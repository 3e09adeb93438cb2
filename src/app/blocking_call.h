// One HTTP call, made by whoever may wait for it: a command, or a background thread. It has a loop
// of its own; the loops that serve know nothing of it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "app/settings_types.h"
#include "base/result.h"
#include "base/time.h"
#include "net/client.h"

namespace sluice::app {

struct CallAnswer {
  int status = 0;
  std::string body;
  std::string etag;  // empty: none
};

struct BlockingCall {
  std::shared_ptr<const net::Origin> origin;
  // Request line and fields, as net::CallRequest has them.
  std::string head;
  std::string body;  // empty: none
  Nanos patience = 30 * kSecond;
  uint64_t longest_reply = 16 << 20;
};

// Errors: what net::Client::call says; ClientClosed soon after `stop` was asked for. Redirects are
// answers as any other, and not followed.
Result<CallAnswer> blocking_call(const BlockingCall& call, const std::stop_token& stop = {});

// With the machine's certificate authorities.
Result<std::shared_ptr<const net::Origin>> origin_of(const BaseUrl& url, const Proxy& proxy);

}  // namespace sluice::app
