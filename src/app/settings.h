// What an operator may set, as plain data. Built whole by load() (config.h) or not at all; the
// defaults, units and meaning of every member stand in the table (config_table.cc) and in
// docs/configuration.md. Immutable once built, so any thread may read it. Knows no other room:
// the code that wires the gateway turns these into the rooms' options.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings_export.h"
#include "app/settings_governance.h"
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
  Duration reasoning{};  // in place of first_byte, for requests that ask a model to think
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
  int64_t max_connections = 0;  // over all workers
  int64_t queue = 0;            // calls that may wait for one
  Duration queue_timeout{};
};

struct PortkeySettings {
  WordMap virtual_keys;  // alias: slug, or slug/model
  std::string config;    // an id, or JSON
  std::string vendor;    // of an open-source gateway: whom it shall call
  std::string custom_host;
  WordMap metadata;
};

struct OpenRouterSettings {
  std::string app_url;
  std::string app_title;
  Subtree routing;  // its `provider` object
};

struct CortexSettings {
  std::string account;
  std::string user;
  std::string private_key_file;
  Secret private_key_passphrase;
  Secret token;  // a programmatic access token
  Secret oauth_token;
  CortexEndpoint endpoint = CortexEndpoint::Compatible;
};

// Embedding requests to one model that wait for each other, to go up as one.
struct EmbedBatchSettings {
  int64_t max = 0;  // texts in one call; 1: no waiting
  Duration wait{};
};

struct ProviderSettings {
  std::string name;
  ProviderKind kind = ProviderKind::OpenAi;
  std::string preset;
  BaseUrl base_url;  // empty for the lab
  Secret api_key;
  std::vector<Header> keys;  // several keys by name, in place of api_key
  WordMap key_weights;       // by the same names
  std::vector<std::string> speaks;
  bool local = false;  // data that must not leave may go there
  std::string stands_in_for;
  int64_t max_output = 0;
  PortkeySettings portkey;
  OpenRouterSettings openrouter;
  CortexSettings cortex;
  EmbedBatchSettings embed_batch;
  std::vector<std::string> models;
  Percent markup;
  bool open = false;        // forward model names that `models` does not list
  Duration list_refresh{};  // how often the provider's own list is fetched; zero: never
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

// A name clients may send as `model`, and the targets it stands for, in order. Tiers, aliases and
// tasks have the same shape: `entries` as written, `targets` with inner names expanded and repeats
// dropped.
struct Route {
  std::string name;
  std::vector<std::string> entries;
  std::vector<Target> targets;
  std::string strategy;  // of `routes`: it decides in place of `targets`; empty: none
};

// A route with a strategy of its own (routes.NAME): read from `tree` by the code that builds the
// router.
struct StrategyRoute {
  std::string name;
  Subtree tree;
};

// Phrases that speak for a task, for `model: auto`.
struct TaskPhrases {
  std::string task;
  std::vector<std::string> phrases;  // "stack trace", or "stack trace: 2.5" with a weight
};

struct AutoSettings {
  std::string fallback;  // the task where nothing speaks for any
  Percent threshold;
  bool built_in = true;  // the built-in phrases count too
  std::vector<TaskPhrases> tasks;
};

struct BreakerSettings {
  int64_t failures = 0;
  Percent rate;
  int64_t min_requests = 0;
  Duration pause{};
  Duration max_pause{};
  int64_t probes = 0;
};

struct ResilienceSettings {
  int64_t attempts = 0;
  Backoff backoff = Backoff::Exponential;
  Duration backoff_base{};
  Duration backoff_cap{};
  Duration longest_pause{};
  Duration timeout{};  // zero: timeouts.first_byte says it
  Percent retry_budget;
  int64_t retry_reserve = 0;
  BreakerSettings breaker;
  Route on_context_overflow;
  Route on_content_policy;
  Unsupported unsupported = Unsupported::Drop;
};

struct StreamSettings {
  Duration heartbeat{};  // zero: off
  HeartbeatMode heartbeat_mode = HeartbeatMode::Comment;
  Bytes max_event;
  Disconnect disconnect = Disconnect::Cancel;
  Duration drain_limit{};
  bool continue_ = false;
};

// Prompts and answers of the keys that keep them.
struct BodySettings {
  std::string path;
  Bytes limit;  // of one body
  Bytes queue_limit;
  int64_t retention_days = 0;  // 0: for ever
  Bytes max_size;              // of the file; 0: no limit
};

struct LedgerSettings {
  std::string path;
  Duration flush_window{};
  Bytes queue_limit;
  int64_t retention_days = 0;  // 0: for ever
  BodySettings bodies;
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
  Price cache_write;
  Price cache_write_1h;
};

struct PriceSettings {
  std::string file;
  BaseUrl url;         // empty: none; what it gives is kept in `file`
  Proxy url_proxy;     // how to reach it
  Duration refresh{};  // how often
  std::vector<CustomPrice> custom;
  std::vector<CustomPrice> credits;  // likewise, in credits
  Price credit;                      // dollars
  Percent markup;
  bool count_upstream = true;
};

struct SecretsSettings {
  Duration refresh{};  // zero: never
};

struct MetricsSettings {
  int64_t series_limit = 0;
};

struct Settings {
  ServerSettings server;
  std::vector<ProviderSettings> providers;  // in the order of the file
  std::vector<Route> tiers;
  std::vector<Route> aliases;
  std::vector<Route> tasks;
  std::vector<StrategyRoute> routes;
  AutoSettings auto_;
  std::string default_provider;  // one of `providers`, or empty: none
  ResilienceSettings resilience;
  Timeouts timeouts;
  StreamSettings stream;
  LedgerSettings ledger;
  LogSettings log;
  PriceSettings prices;
  ExportSettings export_;
  MetricsSettings metrics;
  SecretsSettings secrets;
  GovernanceSettings governance;
  RedisSettings redis;
  std::vector<OrganisationSettings> organisations;
  std::vector<TeamSettings> teams;
  std::vector<KeySettings> keys;
  LimitSettings end_users;  // of each
  // Paths of settings whose values came from where secrets are kept: never shown.
  std::set<std::string, std::less<>> sealed;
  std::set<std::string, std::less<>> stored_secrets;  // names of ${secret:NAME}

  const ProviderSettings* provider(std::string_view name) const;
  // Tiers first, then aliases, then tasks; null when the name is none of them.
  const Route* route(std::string_view name) const;
};

// The entry called `name`, appended when there is none yet.
ProviderSettings& provider_of(Settings& settings, std::string_view name);
Route& tier_of(Settings& settings, std::string_view name);
Route& alias_of(Settings& settings, std::string_view name);
Route& task_of(Settings& settings, std::string_view name);
StrategyRoute& strategy_of(Settings& settings, std::string_view name);
TaskPhrases& phrases_of(Settings& settings, std::string_view task);
OrganisationSettings& organisation_of(Settings& settings, std::string_view name);
TeamSettings& team_of(Settings& settings, std::string_view name);
KeySettings& key_of(Settings& settings, std::string_view name);
CustomPrice& custom_price_of(Settings& settings, std::string_view model);
CustomPrice& credit_price_of(Settings& settings, std::string_view model);

}  // namespace sluice::app
