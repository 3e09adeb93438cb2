// The value types settings are made of. Plain values with equality: no I/O, safe on any thread once
// built. Each knows its own kind, so that one table can read, print and compare all of them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace sluice::app {

using Duration = std::chrono::milliseconds;

struct Bytes {
  uint64_t count = 0;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

// "…a1b2": enough to tell two keys apart, too little to use one.
std::string masked(const Secret& secret);

// Where to listen. `host` is a name or an address without brackets; empty never.
struct Address {
  std::string host;
  uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
};

// An http or https base. Empty host: none was given. `path` has no trailing slash ("" or "/v1").
struct BaseUrl {
  bool tls = false;
  std::string host;
  uint16_t port = 0;
  std::string path;
  bool empty() const { return host.empty(); }
  friend bool operator==(const BaseUrl&, const BaseUrl&) = default;
};

enum class ProxyMode : uint8_t { Environment, None, Url };

// How to reach a provider. Under Environment the loader has already turned HTTPS_PROXY, HTTP_PROXY
// and NO_PROXY into `host` (empty: connect directly), so users of settings only look at `host`.
struct Proxy {
  ProxyMode mode = ProxyMode::Environment;
  std::string host;
  uint16_t port = 0;
  Secret credentials;  // "user:password", already percent-decoded; empty: none
  bool direct() const { return host.empty(); }
  friend bool operator==(const Proxy& a, const Proxy& b) {
    return a.mode == b.mode && a.host == b.host && a.port == b.port &&
           a.credentials.equals(b.credentials.reveal());
  }
};

struct Header {
  std::string name;
  Secret value;
  friend bool operator==(const Header& a, const Header& b) {
    return a.name == b.name && a.value.equals(b.value.reveal());
  }
};

enum class LogTarget : uint8_t { Stdout, Off, File };

struct LogSink {
  LogTarget target = LogTarget::Stdout;
  std::string path;  // only for File
  friend bool operator==(const LogSink&, const LogSink&) = default;
};

// US dollars per 1,000,000 tokens, or unknown: never zero for want of a figure.
struct Price {
  bool known = false;
  double dollars = 0;
  friend bool operator==(const Price&, const Price&) = default;
};

// A share of something: "10%".
struct Percent {
  double percent = 0;
  friend bool operator==(const Percent&, const Percent&) = default;
};

// A map from names of the operator's choice to words that are no secrets, in the order of the file.
using WordMap = std::vector<std::pair<std::string, std::string>>;

// A piece of the file with a shape of its own, as JSON; empty: not given. Whoever knows the shape
// reads it.
struct Subtree {
  std::string json;
  friend bool operator==(const Subtree&, const Subtree&) = default;
};

enum class ProviderKind : uint8_t { OpenAi, Anthropic, Portkey, OpenRouter, Cortex, Lab };
enum class CortexEndpoint : uint8_t { Compatible, Native };
enum class Unsupported : uint8_t { Drop, Refuse, Skip };
enum class Disconnect : uint8_t { Cancel, Drain };
enum class Backoff : uint8_t { Exponential, None };
enum class HeartbeatMode : uint8_t { Comment, Chunk, Off };
enum class LogLevel : uint8_t { Debug, Info, Warn, Error };
enum class LogFormat : uint8_t { Auto, Json, Pretty };

// The names of an enum's values in their order, as configuration files spell them.
constexpr auto names_of(ProviderKind) {
  return std::to_array<std::string_view>(
      {"openai", "anthropic", "portkey", "openrouter", "cortex", "lab"});
}
constexpr auto names_of(CortexEndpoint) {
  return std::to_array<std::string_view>({"compatible", "native"});
}
constexpr auto names_of(Unsupported) {
  return std::to_array<std::string_view>({"drop", "refuse", "skip"});
}
constexpr auto names_of(Disconnect) {
  return std::to_array<std::string_view>({"cancel", "drain"});
}
constexpr auto names_of(Backoff) {
  return std::to_array<std::string_view>({"exponential", "none"});
}
constexpr auto names_of(HeartbeatMode) {
  return std::to_array<std::string_view>({"comment", "chunk", "off"});
}
constexpr auto names_of(LogLevel) {
  return std::to_array<std::string_view>({"debug", "info", "warn", "error"});
}
constexpr auto names_of(LogFormat) {
  return std::to_array<std::string_view>({"auto", "json", "pretty"});
}

}  // namespace sluice::app
