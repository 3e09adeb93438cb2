#include "net/redis_url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "net/url_parts.h"

namespace sluice::net {
namespace {

using Mode = RedisUrl::Mode;

struct Scheme {
  std::string_view name;
  Mode mode;
  bool tls;
  uint16_t port;  // where none is given; 0: a Unix socket
};

constexpr std::array kSchemes{
    Scheme{"redis", Mode::Single, false, 6379},
    Scheme{"rediss", Mode::Single, true, 6379},
    Scheme{"redis+sentinel", Mode::Sentinel, false, 26379},
    Scheme{"rediss+sentinel", Mode::Sentinel, true, 26379},
    Scheme{"redis+cluster", Mode::Cluster, false, 6379},
    Scheme{"rediss+cluster", Mode::Cluster, true, 6379},
    Scheme{"unix", Mode::Single, false, 0},
};

constexpr int kMaxDb = 1'000'000;
constexpr size_t kMaxSocketPath = 107;  // of sockaddr_un, without its end

Error bad(const char* part, const char* why) {
  return Error(Outcome::BadRequest, std::string("not a usable Redis URL: ") + why, part);
}

std::optional<int> parse_db(std::string_view text) {
  int db = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), db);
  if (error != std::errc() || end != text.data() + text.size() || db < 0 || db > kMaxDb) {
    return std::nullopt;
  }
  return db;
}

void read_login(std::string_view userinfo, RedisUrl& url) {
  const size_t colon = userinfo.find(':');
  if (colon == std::string_view::npos) {
    url.password = Secret(percent_decoded(userinfo));
    return;
  }
  url.user = percent_decoded(userinfo.substr(0, colon));
  url.password = Secret(percent_decoded(userinfo.substr(colon + 1)));
}

Result<RedisEndpoint> parse_endpoint(std::string_view text, uint16_t default_port) {
  const std::optional<HostPort> parts = split_host_port(text);
  if (!parts || parts->host.empty()) return bad("host", "a host is missing or malformed");
  const bool bracketed = text.starts_with('[');
  if (bracketed ? !is_ipv6(parts->host) : !is_host_name(parts->host)) {
    return bad("host", "a host is neither a name nor an address (IPv6: in brackets)");
  }
  RedisEndpoint endpoint{.host = lower(parts->host), .port = default_port};
  if (parts->port) {
    const std::optional<uint16_t> port = parse_port(*parts->port);
    if (!port) return bad("port", "a port is not a number from 1 to 65535");
    endpoint.port = *port;
  }
  return endpoint;
}

Result<void> read_endpoints(std::string_view list, uint16_t default_port, RedisUrl& url) {
  for (;;) {
    const size_t comma = list.find(',');
    Result<RedisEndpoint> endpoint = parse_endpoint(list.substr(0, comma), default_port);
    if (!endpoint) return std::move(endpoint).error();
    url.endpoints.push_back(*std::move(endpoint));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  if (url.mode == Mode::Single && url.endpoints.size() > 1) {
    return bad("host", "several hosts need redis+sentinel:// or redis+cluster://");
  }
  return {};
}

// "/db", "/service/db", or nothing.
Result<void> read_path(std::string_view path, RedisUrl& url) {
  if (!path.empty()) path.remove_prefix(1);
  if (url.mode == Mode::Sentinel) {
    const size_t slash = std::min(path.find('/'), path.size());
    url.service = percent_decoded(path.substr(0, slash));
    if (url.service.empty()) {
      return bad("service", "the service's name is missing: redis+sentinel://HOST,.../SERVICE");
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  if (path.empty()) return {};
  const std::optional<int> db = parse_db(path);
  if (!db) return bad("db", "the database is not a number from 0");
  if (url.mode == Mode::Cluster && *db != 0) return bad("db", "a cluster has database 0 only");
  url.db = *db;
  return {};
}

Result<void> read_socket(std::string_view rest, RedisUrl& url) {
  const size_t question = rest.find('?');
  const std::string path = percent_decoded(rest.substr(0, question));
  if (!path.starts_with('/') || path.size() > kMaxSocketPath || path.find('\0') != path.npos) {
    return bad("host", "the socket's path is not absolute, or too long: unix:///path/to/socket");
  }
  url.endpoints.push_back(RedisEndpoint{.host = path, .port = 0});
  if (question == std::string_view::npos) return {};
  const std::string_view query = rest.substr(question + 1);
  const std::optional<int> db =
      query.starts_with("db=") ? parse_db(query.substr(3)) : std::optional<int>();
  if (!db) return bad("db", "after the socket's path only ?db=NUMBER may stand");
  url.db = *db;
  return {};
}

}  // namespace

std::string RedisEndpoint::text() const {
  if (port == 0) return host;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port);
}

std::string RedisUrl::text() const {
  const bool socket = !endpoints.empty() && endpoints.front().port == 0;
  const auto* scheme = std::find_if(kSchemes.begin(), kSchemes.end(), [&](const Scheme& s) {
    return s.mode == mode && s.tls == tls && (s.port == 0) == socket;
  });
  std::string result(scheme == kSchemes.end() ? "redis" : scheme->name);
  result += "://";
  for (size_t i = 0; i < endpoints.size(); ++i) result += (i == 0 ? "" : ",") + endpoints[i].text();
  if (!service.empty()) result += "/" + service;
  if (db != 0) result += (socket ? "?db=" : "/") + std::to_string(db);
  return result;
}

Result<RedisUrl> parse_redis_url(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7f; })) {
    return bad("host", "it holds a blank or a control byte");
  }
  const size_t mark = std::min(text.find("://"), text.size());
  const std::string name = lower(text.substr(0, mark));
  const auto* scheme = std::find_if(kSchemes.begin(), kSchemes.end(),
                                    [&](const Scheme& s) { return s.name == name; });
  if (mark == text.size() || scheme == kSchemes.end()) {
    return bad("scheme",
               "expected redis://, rediss://, redis+sentinel://, rediss+sentinel://, "
               "redis+cluster://, rediss+cluster:// or unix:// in front");
  }
  RedisUrl url;
  url.mode = scheme->mode;
  url.tls = scheme->tls;
  std::string_view rest = text.substr(mark + 3);
  // The last one: a password that was not encoded must not end up as a host that we show.
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    read_login(rest.substr(0, at), url);
    rest.remove_prefix(at + 1);
    if (url.password.empty() && !url.user.empty()) {
      return bad("user", "there is a user without a password");
    }
  }
  if (scheme->port == 0) {
    Result<void> read = read_socket(rest, url);
    if (!read) return std::move(read).error();
    return url;
  }
  const size_t slash = std::min(rest.find('/'), rest.size());
  Result<void> read = read_endpoints(rest.substr(0, slash), scheme->port, url);
  if (read) read = read_path(rest.substr(slash), url);
  if (!read) return std::move(read).error();
  return url;
}

}  // namespace sluice::net
