#include "providers/upstream.h"

#include <algorithm>

#include "providers/model_list.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kUserAgent = "sluice/1.0";
// The version Anthropic's dialect is spoken in where the client speaks another.
constexpr std::string_view kAnthropicVersion = "2023-06-01";
// How long a key rests after a 429 that does not say.
constexpr Nanos kRestUntold = 5 * kSecond;

std::string line_of(std::string_view name, std::string_view value) {
  std::string line;
  net::append_header(line, name, value);
  return line;
}

std::unique_ptr<KeyRing> ring_of(const std::vector<UpstreamKey>& keys) {
  std::vector<KeyRing::Key> all;
  for (const UpstreamKey& key : keys) all.push_back({key.label, key.weight});
  return std::make_unique<KeyRing>(std::move(all));
}

bool states(const UpstreamOptions& options, std::string_view name) {
  return std::any_of(options.headers.begin(), options.headers.end(),
                     [&](const auto& header) { return net::same_name(header.first, name); });
}

}  // namespace

Upstream::Upstream(UpstreamOptions options)
    : options_(std::move(options)),
      speaks_(options_.speaks.value_or(calls_of(options_.kind))),
      keys_(ring_of(options_.keys)),
      config_secrets_(portkey_config_secrets(options_.portkey.config)) {
  options_.base_path = base_path_of(options_.kind, options_.base_path);
  for (size_t i = 0; i < kCallCount; ++i) {
    const auto call = static_cast<Call>(i);
    const std::string_view path = path_of(options_.kind, call);
    if (!path.empty()) paths_[i].append(options_.base_path).append(path);
  }
  fixed_fields_ = fixed_fields();
  std::vector<std::string> dropped = options_.drop_headers;
  for (const auto& header : options_.headers) dropped.push_back(header.first);
  for (size_t i = 0; i < kDialectCount; ++i) {
    passing_.emplace_back(options_.kind, static_cast<Dialect>(i), options_.pass_headers, dropped);
  }
  const auto add_default = [&](Dialect dialect, std::string_view name, std::string_view value) {
    if (value.empty() || states(options_, name)) return;
    defaults_[static_cast<size_t>(dialect)].push_back({std::string(name), line_of(name, value)});
  };
  add_default(Dialect::Anthropic, "anthropic-version", kAnthropicVersion);
  if (options_.kind == Kind::OpenRouter) {
    for (const Dialect dialect : {Dialect::OpenAi, Dialect::Responses, Dialect::Anthropic}) {
      add_default(dialect, "http-referer", options_.app_url);
      add_default(dialect, "x-openrouter-title", options_.app_title);
    }
  }
}

// Everything that does not change from request to request.
std::string Upstream::fixed_fields() const {
  std::string head;
  net::append_header(head, "content-type", "application/json");
  append_own_lines(head);
  return head;
}

void Upstream::append_own_lines(std::string& out) const {
  // An upstream that compresses an event stream delays it, so none is asked for.
  net::append_header(out, "accept-encoding", "identity");
  if (!states(options_, "user-agent")) net::append_header(out, "user-agent", kUserAgent);
  if (options_.kind == Kind::Portkey) append_portkey_fixed(out, options_.portkey);
  for (const auto& [name, value] : options_.headers) net::append_header(out, name, value.reveal());
}

Result<void> Upstream::append_credential(std::string& out, size_t key, int64_t wall_micros) const {
  if (key >= options_.keys.size()) return {};
  return options_.keys[key].credential->append(out, wall_micros);
}

std::string_view Upstream::body_model(std::string_view model, std::string& storage) const {
  if (options_.kind != Kind::Portkey) return model;
  return portkey_model(options_.portkey, model, storage);
}

void Upstream::append_defaults(std::string& out, Dialect dialect,
                               const net::Headers& client) const {
  const PassList& passing = passing_[static_cast<size_t>(dialect)];
  for (const Default& each : defaults_[static_cast<size_t>(dialect)]) {
    if (!client.find(each.name) || !passing.has(each.name)) out.append(each.line);
  }
}

Result<void> Upstream::append_head(std::string& out, const Attempt& attempt,
                                   const net::Headers& client) const {
  out.append(attempt.method).append(" ").append(paths_[static_cast<size_t>(attempt.call)]);
  out.append(attempt.below).append(" HTTP/1.1\r\n").append(fixed_fields_);
  if (Result<void> done = append_credential(out, attempt.key, attempt.wall_micros); !done)
    return done;
  // Snowflake refuses a request that does not take both.
  if (options_.kind == Kind::Cortex) {
    net::append_header(out, "accept", "application/json, text/event-stream");
  } else if (attempt.stream) {
    net::append_header(out, "accept", "text/event-stream");
  }
  const Dialect dialect = dialect_of(attempt.call);
  append_defaults(out, dialect, client);
  passing_[static_cast<size_t>(dialect)].append(out, client);
  if (options_.kind == Kind::Portkey) {
    const PortkeyCall call{.model = attempt.model,
                           .trace_id = attempt.trace_id,
                           .facts = attempt.facts,
                           .timeout = attempt.timeout};
    append_portkey_lines(out, options_.portkey, call, client);
  }
  return {};
}

Result<void> Upstream::append_list_head(std::string& out, std::string_view query, size_t key,
                                        int64_t wall_micros) const {
  out.append("GET ").append(options_.base_path).append(list_path_of(options_.kind)).append(query);
  out.append(" HTTP/1.1\r\n");
  net::append_header(out, "accept", "application/json");
  append_own_lines(out);
  return append_credential(out, key, wall_micros);
}

UpstreamFailure Upstream::classify(int status, const net::Headers& headers, std::string_view body,
                                   int64_t wall_micros) const {
  UpstreamFailure failure = providers::classify(options_.kind, status, headers, body, wall_micros);
  failure.message = scrub(std::move(failure.message));
  // Behind hosted Portkey a vendor refuses a key of Portkey's, not ours.
  const bool ours_is_portkeys =
      options_.kind == Kind::Portkey && failure.outcome != Outcome::IntermediaryError;
  if (ours_is_portkeys && !options_.portkey.self_hosted) failure.blames_key = false;
  return failure;
}

KeyRing::Event Upstream::note_failure(size_t key, const UpstreamFailure& failure, Nanos now) const {
  if (key >= keys_->size()) return KeyRing::Event::None;
  if (failure.blames_key)
    return keys_->refused(key, now, now + failure.retry_after.value_or(KeyRing::kProbeAfter));
  // A limit that lasts without the key's fault is one model's: the other models are still there.
  if (failure.outcome == Outcome::UpstreamRateLimit && !failure.lasting)
    return keys_->limited(key, now, now + failure.retry_after.value_or(kRestUntold));
  return is_about_the_request(failure.outcome) ? keys_->accepted(key) : KeyRing::Event::None;
}

std::string Upstream::scrub(std::string text) const {
  for (const UpstreamKey& key : options_.keys) key.credential->scrub(text);
  for (const auto& header : options_.headers) scrub_secret(text, header.second.reveal());
  scrub_secret(text, options_.portkey.vendor_key.reveal());
  for (const Secret& secret : config_secrets_) scrub_secret(text, secret.reveal());
  return text;
}

}  // namespace sluice::providers
