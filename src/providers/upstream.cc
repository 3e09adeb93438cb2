#include "providers/upstream.h"

#include <algorithm>

namespace sluice::providers {
namespace {

// Fields that every OpenAI-shaped provider understands (protocols: OpenAI request headers, W3C
// Trace Context).
constexpr std::array<std::string_view, 6> kUsuallyPassed{
    "openai-organization", "openai-project", "openai-beta",
    "idempotency-key",     "tracestate",     "x-client-request-id"};

// Whatever the configuration says: credentials, cookies, and what we state ourselves.
constexpr std::array<std::string_view, 12> kNeverPassed{
    "authorization",  "x-api-key",    "api-key",          "cookie",          "host",
    "content-length", "content-type", "content-encoding", "accept-encoding", "x-portkey-api-key",
    "expect",         "traceparent"};

constexpr std::array<std::string_view, 3> kPaths{"/chat/completions", "/completions",
                                                 "/embeddings"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool contains(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Upstream::Upstream(UpstreamOptions options) : options_(std::move(options)) {
  for (size_t i = 0; i < fixed_head_.size(); ++i) {
    std::string& head = fixed_head_[i];
    head.append("POST ").append(options_.base_path).append(kPaths[i]).append(" HTTP/1.1\r\n");
    net::append_header(head, "content-type", "application/json");
    // An upstream that compresses an event stream delays it, so none is asked for.
    net::append_header(head, "accept-encoding", "identity");
    net::append_header(head, "user-agent", "sluice");
    if (!options_.api_key.empty()) {
      head.append("authorization: Bearer ").append(options_.api_key.reveal()).append("\r\n");
    }
    for (const auto& [name, value] : options_.headers)
      net::append_header(head, name, value.reveal());
  }

  std::vector<std::string> candidates(kUsuallyPassed.begin(), kUsuallyPassed.end());
  candidates.insert(candidates.end(), options_.pass_headers.begin(), options_.pass_headers.end());
  for (const std::string& candidate : candidates) {
    std::string name = lower(candidate);
    const bool dropped =
        std::any_of(options_.drop_headers.begin(), options_.drop_headers.end(),
                    [&](const std::string& drop) { return net::same_name(drop, name); });
    const bool ours =
        std::any_of(options_.headers.begin(), options_.headers.end(),
                    [&](const auto& header) { return net::same_name(header.first, name); });
    if (dropped || ours || contains(kNeverPassed, name) || net::is_hop_by_hop(name)) continue;
    if (contains(passing_, name) || name.size() >= 64) continue;
    passing_lengths_ |= uint64_t{1} << name.size();
    passing_.push_back(std::move(name));
  }
}

bool Upstream::passes(const net::Header& header) const {
  const size_t length = header.name.size();
  if (length >= 64 || (passing_lengths_ >> length & 1) == 0) return false;
  return std::any_of(passing_.begin(), passing_.end(),
                     [&](const std::string& name) { return net::same_name(name, header.name); });
}

void Upstream::append_head(std::string& out, chat::Endpoint endpoint,
                           const net::Headers& client) const {
  out.append(fixed_head_[static_cast<size_t>(endpoint)]);
  for (const net::Header& header : client) {
    if (passes(header) && !client.has_token("connection", header.name)) {
      net::append_header(out, header.name, header.value);
    }
  }
}

std::string Upstream::scrub(std::string text) const {
  const auto cut = [&text](std::string_view secret) {
    if (secret.size() < 4) return;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
    }
  };
  cut(options_.api_key.reveal());
  for (const auto& header : options_.headers) cut(header.second.reveal());
  return text;
}

}  // namespace sluice::providers
