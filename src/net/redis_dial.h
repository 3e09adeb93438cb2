// Getting through to a Redis: connect, TLS, log in, and ask whether it is the right one. What comes
// out is a bare connection that has been talked over, one question at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "net/dns.h"
#include "net/redis_reply.h"
#include "net/redis_url.h"
#include "net/stream.h"

namespace sluice::net {

class TlsClientContext;

struct RedisOptions {
  RedisUrl url;
  // Set if, and only if, the URL says TLS; made with http = false.
  std::shared_ptr<const TlsClientContext> tls;
  Nanos deadline = 50 * kMillisecond;  // of a command that is given none
  Nanos connect = kSecond;             // for one server: name, TCP, TLS and login
  int max_failures = 5;                // commands in a row without a reply, then it is down
  // Between two attempts to connect: twice as long each time, from a half to the whole at random.
  Nanos first_pause = 100 * kMillisecond;
  Nanos last_pause = 2 * kSecond;
};

// A connection that is logged in, and the reader that has followed it so far.
struct RedisLink {
  std::unique_ptr<Stream> stream;
  RespReader reader;
  RedisEndpoint peer;
};

// Sends `wire` and reads `count` replies, which may be errors. For the time before a link is
// shared. Errors: ConnectTimeout, UpstreamReset, UpstreamBadReply, or the cancel's reason. `link`
// must live until the task ends.
Task<Result<std::vector<RedisReply>>> exchange(RedisLink& link, std::string wire, size_t count,
                                               Until until);

// Knows where to look: belongs to one loop; loop, resolver and options outlive it.
class RedisDialer {
 public:
  // The place that the URL names. Of several endpoints the one that worked last is asked first.
  RedisDialer(Loop& loop, Resolver& resolver, const RedisOptions& options)
      : loop_(loop), resolver_(resolver), options_(options), endpoints_(options.url.endpoints) {}
  // One node of the cluster that the URL names.
  RedisDialer(Loop& loop, Resolver& resolver, const RedisOptions& options, RedisEndpoint node)
      : loop_(loop), resolver_(resolver), options_(options), endpoints_{std::move(node)} {}

  // Each endpoint in turn, at most RedisOptions::connect for each; with sentinels, to the master
  // that they name. The error is of the last one tried. The dialer must outlive the task.
  Task<Result<RedisLink>> dial(Until until);

 private:
  enum class Login : uint8_t { Server, Sentinel };

  Task<Result<RedisLink>> open_by_way_of(RedisEndpoint endpoint, Until until);
  Task<Result<RedisLink>> open(RedisEndpoint endpoint, Until until);
  Task<Result<RedisLink>> open_server(RedisEndpoint endpoint, Until until);
  Task<Result<RedisLink>> open_master(RedisEndpoint sentinel, Until until);
  Task<Result<RedisEndpoint>> ask_sentinel(RedisEndpoint sentinel, Until until);
  Task<Result<void>> log_in(RedisLink& link, Login as, Until until);

  Loop& loop_;
  Resolver& resolver_;
  const RedisOptions& options_;
  std::vector<RedisEndpoint> endpoints_;
  size_t first_ = 0;  // the one that worked last
};

}  // namespace sluice::net
