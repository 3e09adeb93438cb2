// Where a Redis is and how to log in, as one URL in the configuration:
//
//   redis://[user:password@]host[:6379][/db]          one server
//   redis+sentinel://[user:password@]host[:26379],host.../service[/db]
//   redis+cluster://[user:password@]host[:6379],host...
//   unix://[user:password@]/path/to/socket[?db=N]
//
// rediss://, rediss+sentinel:// and rediss+cluster:// are the same over TLS, which is always
// verified. User and password are percent-encoded; "password@" without a user is one too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace sluice::net {

struct RedisEndpoint {
  std::string host;   // name or address literal without brackets; of a Unix socket: its path
  uint16_t port = 0;  // 0: a Unix socket

  // "host:6379", "[::1]:6379", "/path"
  std::string text() const;
  friend bool operator==(const RedisEndpoint&, const RedisEndpoint&) = default;
};

struct RedisUrl {
  enum class Mode : uint8_t { Single, Sentinel, Cluster };

  Mode mode = Mode::Single;
  bool tls = false;
  std::string user;  // empty: the default user
  Secret password;   // empty: none. Sentinels that ask for a password get the same
  std::vector<RedisEndpoint> endpoints;  // the server, the sentinels, or nodes to begin with
  std::string service;                   // what the sentinels call the master
  int db = 0;

  // For people: without user and password.
  std::string text() const;
};

// Errors: BadRequest with the part at fault as param ("host", "port", "db", "service", "scheme",
// "user"), in words that never show the password.
Result<RedisUrl> parse_redis_url(std::string_view text);

}  // namespace sluice::net
