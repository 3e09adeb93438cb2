#include "providers/reply_headers.h"

#include <algorithm>
#include <array>

namespace sluice::providers {
namespace {

enum class Match : uint8_t { Prefix, Whole };

constexpr uint8_t bit(Kind kind) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(kind));
}
constexpr uint8_t kEvery = 0xFF;
// Portkey passes on the fields of whatever vendor it asked.
constexpr uint8_t kOpenAiLike = bit(Kind::OpenAi) | bit(Kind::Portkey) | bit(Kind::Lab);
constexpr uint8_t kAnthropicLike = bit(Kind::Anthropic) | bit(Kind::Portkey) | bit(Kind::Lab);

struct Row {
  std::string_view name;
  Match match;
  uint8_t kinds;
};
constexpr std::string_view kRateLimit = "x-ratelimit-";
constexpr Row kPassed[] = {
    {kRateLimit, Match::Prefix, kEvery},
    {"retry-after", Match::Prefix, kEvery},
    {"x-ms-retry-after-ms", Match::Whole, kEvery},
    {"openai-", Match::Prefix, kOpenAiLike},
    {"anthropic-", Match::Prefix, kAnthropicLike},
    {"x-portkey-trace-id", Match::Whole, bit(Kind::Portkey)},
    {"x-portkey-cache-status", Match::Whole, bit(Kind::Portkey)},
    {"x-portkey-retry-attempt-count", Match::Whole, bit(Kind::Portkey)},
    {"x-portkey-last-used-option-index", Match::Whole, bit(Kind::Portkey)},
    {"x-portkey-provider", Match::Whole, bit(Kind::Portkey)},
    {"x-generation-id", Match::Whole, bit(Kind::OpenRouter)},
    {"x-openrouter-cache-status", Match::Whole, bit(Kind::OpenRouter)},
    {"x-openrouter-cache-age", Match::Whole, bit(Kind::OpenRouter)},
};

// Where each kind writes its request id, best first.
struct IdRow {
  std::string_view name;
  uint8_t kinds;
};
constexpr IdRow kIds[] = {
    {"x-snowflake-request-id", bit(Kind::Cortex)},
    {"request-id", kAnthropicLike},
    {"x-generation-id", bit(Kind::OpenRouter)},
    {"x-request-id", kEvery},
};

// The first letters of the rows above, one bit each: most fields of a reply begin with another.
constexpr uint32_t letter(char c) {
  return uint32_t{1} << (c & 0x1F);
}
constexpr uint32_t kFirstLetters = [] {
  uint32_t letters = 0;
  for (const Row& row : kPassed) letters |= letter(row.name.front());
  return letters;
}();

bool passes(const net::Header& header, uint8_t kind) {
  const char first = static_cast<char>(header.name.front() | 0x20);
  if ((kFirstLetters & letter(first)) == 0) return false;
  return std::any_of(std::begin(kPassed), std::end(kPassed), [&](const Row& row) {
    if (row.name.front() != first || (row.kinds & kind) == 0) return false;
    return row.match == Match::Prefix ? net::begins_with_name(header.name, row.name)
                                      : net::same_name(header.name, row.name);
  });
}

}  // namespace

void append_passed_headers(std::string& out, Kind kind, const net::Headers& upstream,
                           PassLimits limits) {
  for (const net::Header& header : upstream) {
    if (limits == PassLimits::No && net::begins_with_name(header.name, kRateLimit)) continue;
    if (passes(header, bit(kind))) net::append_header(out, header.name, header.value);
  }
  const std::string_view id = upstream_request_id(kind, upstream);
  if (!id.empty()) net::append_header(out, "x-sluice-upstream-request-id", id);
}

std::string_view upstream_request_id(Kind kind, const net::Headers& upstream) {
  for (const IdRow& row : kIds) {
    if ((row.kinds & bit(kind)) == 0) continue;
    const auto id = upstream.find(row.name);
    if (id && !id->empty()) return *id;
  }
  return {};
}

}  // namespace sluice::providers
