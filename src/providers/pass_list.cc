#include "providers/pass_list.h"

#include <algorithm>

namespace sluice::providers {
namespace {

constexpr size_t kLongestName = 64;

constexpr uint8_t bit(Kind kind) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(kind));
}
constexpr uint8_t bit(Dialect dialect) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(dialect));
}
constexpr uint8_t kEvery = 0xFF;
constexpr uint8_t kOpenAiLike = bit(Kind::OpenAi) | bit(Kind::Portkey) | bit(Kind::Lab);
constexpr uint8_t kOpenAiDialects = bit(Dialect::OpenAi) | bit(Dialect::Responses);

struct Row {
  std::string_view name;
  uint8_t kinds;
  uint8_t dialects;
};
// Each field goes to the providers that understand it, and no other's.
constexpr Row kUsual[] = {
    {"idempotency-key", kEvery, kEvery},
    {"tracestate", kEvery, kEvery},
    {"x-client-request-id", kEvery, kEvery},
    {"openai-organization", kOpenAiLike, kOpenAiDialects},
    {"openai-project", kOpenAiLike, kOpenAiDialects},
    {"openai-beta", kOpenAiLike, kOpenAiDialects},
    {"anthropic-version", kEvery, bit(Dialect::Anthropic)},
    {"anthropic-beta", kEvery, bit(Dialect::Anthropic)},
    {"http-referer", bit(Kind::OpenRouter), kEvery},
    {"x-title", bit(Kind::OpenRouter), kEvery},
    {"x-openrouter-title", bit(Kind::OpenRouter), kEvery},
    {"x-openrouter-categories", bit(Kind::OpenRouter), kEvery},
    {"x-openrouter-metadata", bit(Kind::OpenRouter), kEvery},
    {"x-openrouter-experimental-metadata", bit(Kind::OpenRouter), kEvery},
    {"x-openrouter-cache", bit(Kind::OpenRouter), kEvery},
    {"x-openrouter-cache-ttl", bit(Kind::OpenRouter), kEvery},
    {"x-openrouter-cache-clear", bit(Kind::OpenRouter), kEvery},
    {"x-portkey-span-id", bit(Kind::Portkey), kEvery},
    {"x-portkey-parent-span-id", bit(Kind::Portkey), kEvery},
    {"x-portkey-span-name", bit(Kind::Portkey), kEvery},
    {"x-portkey-cache-namespace", bit(Kind::Portkey), kEvery},
    {"x-portkey-debug", bit(Kind::Portkey), kEvery},
};

// Credentials, cookies, and what the gateway states itself.
constexpr std::string_view kNever[] = {
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "x-portkey-api-key",
    "host",
    "accept",
    "accept-encoding",
    "content-length",
    "content-type",
    "content-encoding",
    "user-agent",
    "expect",
    "traceparent",
    "x-request-id",
    "x-snowflake-authorization-token-type",
};
// To Portkey besides: what would send our key elsewhere, and what is merged with our own.
constexpr std::string_view kNeverToPortkey[] = {
    "x-portkey-config",      "x-portkey-provider",        "x-portkey-virtual-key",
    "x-portkey-custom-host", "x-portkey-forward-headers", "x-portkey-trace-id",
    "x-portkey-metadata",    "x-portkey-request-timeout",
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool among(const auto& names, std::string_view name) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](const auto& each) { return net::same_name(each, name); });
}

}  // namespace

bool is_never_passed(Kind kind, std::string_view name) {
  if (kind == Kind::Portkey && among(kNeverToPortkey, name)) return true;
  return among(kNever, name) || net::is_hop_by_hop(name);
}

PassList::PassList(Kind kind, Dialect dialect, const std::vector<std::string>& extra,
                   const std::vector<std::string>& dropped) {
  std::vector<std::string> candidates;
  for (const Row& row : kUsual) {
    if ((row.kinds & bit(kind)) != 0 && (row.dialects & bit(dialect)) != 0)
      candidates.emplace_back(row.name);
  }
  candidates.insert(candidates.end(), extra.begin(), extra.end());
  for (const std::string& candidate : candidates) {
    std::string name = lower(candidate);
    if (is_never_passed(kind, name) || among(dropped, name) || among(names_, name)) continue;
    if (name.size() >= kLongestName) continue;
    lengths_ |= uint64_t{1} << name.size();
    names_.push_back(std::move(name));
  }
}

bool PassList::has(std::string_view name) const {
  if (name.size() >= kLongestName || (lengths_ >> name.size() & 1) == 0) return false;
  return among(names_, name);
}

void PassList::append(std::string& out, const net::Headers& client) const {
  for (const net::Header& header : client) {
    if (has(header.name) && !client.has_token("connection", header.name))
      net::append_header(out, header.name, header.value);
  }
}

}  // namespace sluice::providers
