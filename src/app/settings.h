// What an operator may set, as plain data. Built whole by load() (config.h) or not at all; the
// defaults, units and meaning of every member stand in the table (config_table.cc) and in
// docs/configuration.md. Immutable once built, so any thread may read it. Knows no other room:
// the code that wires the gateway turns these into the rooms' options.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings_types.h"

namespace sluice::app {

struct ServerTls {
  std::string cert_file;  // empty: plain HTTP
  std::string key_file;
  std::string client_ca_file;
};

struct ServerSettings {
  Address listen;
  Address admin_listen;
  int64_t workers = 0;  // 0: one per core
  std::string data_dir;
  Bytes max_body;
  Bytes max_head;
  int64_t max_headers = 0;
  int64_t max_connections = 0;
  Bytes max_inflight_bytes;
  Duration head_timeout{};
  Duration body_timeout{};
  Duration keep_alive{};
  Duration write_timeout{};
  Duration drain_timeout{};
  ServerTls tls;
};

struct Timeouts {
  Duration connect{};
  Duration first_byte{};
  Duration idle{};
  Duration total{};
};

struct UpstreamTls {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string server_name;
};

struct PoolSettings {
  Duration idle_timeout{};
  int64_t max_idle = 0;
};

struct ProviderSettings {
  std::string name;
  ProviderKind kind = ProviderKind::OpenAi;
  BaseUrl base_url;  // empty for the lab
  Secret api_key;
  std::vector<std::string> models;
  bool open = false;  // forward model names that `models` does not list
  std::vector<Header> headers;
  std::vector<std::string> pass_headers;
  std::vector<std::string> drop_headers;
  Timeouts timeouts;  // complete: what the file left out was taken from the global ones
  UpstreamTls tls;
  Proxy proxy;
  PoolSettings pool;
};

struct Target {
  std::string provider;
  std::string model;
  friend bool operator==(const Target&, const Target&) = default;
};

// A name clients may send as `model`, and the targets it stands for, in order. Tiers and aliases
// have the same shape: `entries` as written, `targets` with inner names expanded and repeats
// dropped.
struct Route {
  std::string name;
  std::vector<std::string> entries;
  std::vector<Target> targets;
};

struct ResilienceSettings {
  int64_t attempts = 0;
  Backoff backoff = Backoff::Exponential;
  Duration backoff_base{};
  Duration backoff_cap{};
};

struct StreamSettings {
  Duration heartbeat{};  // zero: off
  HeartbeatMode heartbeat_mode = HeartbeatMode::Comment;
  Bytes max_event;
};

struct LedgerSettings {
  std::string path;
  Duration flush_window{};
  Bytes queue_limit;
};

struct LogSettings {
  LogLevel level = LogLevel::Info;
  LogFormat format = LogFormat::Auto;
  LogSink access;
};

struct CustomPrice {
  std::string model;
  Price input;
  Price output;
  Price cached_input;
};

struct PriceSettings {
  std::string file;
  std::vector<CustomPrice> custom;
};

struct MetricsSettings {
  int64_t series_limit = 0;
};

struct Settings {
  ServerSettings server;
  std::vector<ProviderSettings> providers;  // in the order of the file
  std::vector<Route> tiers;
  std::vector<Route> aliases;
  std::string default_provider;  // one of `providers`, or empty: none
  ResilienceSettings resilience;
  Timeouts timeouts;
  StreamSettings stream;
  LedgerSettings ledger;
  LogSettings log;
  PriceSettings prices;
  MetricsSettings metrics;

  const ProviderSettings* provider(std::string_view name) const;
  // Tiers first, then aliases; null when the name is neither.
  const Route* route(std::string_view name) const;
};

// The entry called `name`, appended when there is none yet.
ProviderSettings& provider_of(Settings& settings, std::string_view name);
Route& tier_of(Settings& settings, std::string_view name);
Route& alias_of(Settings& settings, std::string_view name);
CustomPrice& custom_price_of(Settings& settings, std::string_view model);

}  // namespace sluice::app
