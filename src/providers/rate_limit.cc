#include "providers/rate_limit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <time.h>

#include "net/http1.h"

namespace sluice::providers {
namespace {

constexpr double kLongestSeconds = 365.0 * 86400;
constexpr int64_t kMicros = 1'000'000;

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value))
    return std::nullopt;
  return value;
}

Nanos nanos_of_seconds(double seconds) {
  return static_cast<Nanos>(std::clamp(seconds, 0.0, kLongestSeconds) * kSecond);
}

Nanos nanos_until(int64_t moment_micros, int64_t wall_micros) {
  const int64_t micros = moment_micros - wall_micros;
  return std::clamp<int64_t>(micros, 0, kLongestHint / kMicrosecond) * kMicrosecond;
}

// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7, the form in use).
std::optional<int64_t> parse_http_date(std::string_view text) {
  const std::string date(text.substr(0, 40));
  tm parts{};
  const char* end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return timegm(&parts);
}

struct Unit {
  std::string_view name;
  Nanos length;
};
// Longer names first, since "m" begins "ms".
constexpr std::array<Unit, 8> kUnits{{{"ms", kMillisecond},
                                      {"us", kMicrosecond},
                                      {"µs", kMicrosecond},
                                      {"ns", 1},
                                      {"d", 86400 * kSecond},
                                      {"h", 3600 * kSecond},
                                      {"m", 60 * kSecond},
                                      {"s", kSecond}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A moment or a span, without a unit: what some send as x-ratelimit-reset.
std::optional<Nanos> parse_bare_reset(std::string_view text, int64_t wall_micros) {
  const std::optional<double> value = parse_number(text);
  if (!value || *value < 0) return std::nullopt;
  constexpr double kFirstMillis = 1e11;  // 1973 in milliseconds, the year 5138 in seconds
  constexpr double kFirstSeconds = 1e9;  // 2001; no span is that long
  constexpr double kLastMillis = 1e15;
  if (*value >= kLastMillis) return kLongestHint;
  if (*value >= kFirstMillis) return nanos_until(static_cast<int64_t>(*value * 1000), wall_micros);
  if (*value >= kFirstSeconds)
    return nanos_until(static_cast<int64_t>(*value * kMicros), wall_micros);
  return nanos_of_seconds(*value);
}

std::optional<Nanos> parse_reset(std::string_view text, int64_t wall_micros) {
  if (const auto span = parse_duration(text)) return span;
  if (const auto moment = parse_rfc3339(text)) return nanos_until(*moment, wall_micros);
  return parse_bare_reset(text, wall_micros);
}

// The fields of one limit.
struct Limit {
  std::string_view remaining;
  std::string_view reset;
};
constexpr std::array<Limit, 7> kLimits{{
    {"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
    {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
    {"x-ratelimit-remaining", "x-ratelimit-reset"},
    {"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"},
    {"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
    {"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
    {"anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"},
}};

// The words of `text` from `at` to the next one that is none of a duration's: "6m0s", "20 seconds".
std::optional<Nanos> parse_spoken_duration(std::string_view text) {
  const size_t end = std::min(text.find_first_not_of("0123456789.hmsd"), text.size());
  std::string_view word = text.substr(0, end);
  while (word.ends_with('.')) word.remove_suffix(1);
  if (const auto span = parse_duration(word)) return span;
  const auto number = parse_number(word);
  if (!number) return std::nullopt;
  const std::string_view unit = text.substr(std::min(word.size() + 1, text.size()));
  constexpr std::array<Unit, 4> kNames{{{"second", kSecond},
                                        {"minute", 60 * kSecond},
                                        {"hour", 3600 * kSecond},
                                        {"day", 86400 * kSecond}}};
  for (const Unit& name : kNames) {
    if (net::begins_with_name(unit, name.name))
      return nanos_of_seconds(*number * static_cast<double>(name.length / kSecond));
  }
  return std::nullopt;
}

// "2026-12-01 at 00:00 UTC", the way Anthropic says it.
std::optional<int64_t> parse_spoken_moment(std::string_view text) {
  const std::string date(text.substr(0, 24));
  tm parts{};
  const char* const end = strptime(date.c_str(), "%Y-%m-%d at %H:%M UTC", &parts);
  if (end == nullptr) return std::nullopt;
  return int64_t{timegm(&parts)} * kMicros;
}

std::string_view after(std::string_view text, std::string_view words) {
  const size_t at = text.find(words);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + words.size());
}

}  // namespace

std::optional<Nanos> parse_duration(std::string_view text) {
  if (text.empty() || text.size() > 40) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    size_t digits = 0;
    while (digits < text.size() && (is_digit(text[digits]) || text[digits] == '.')) ++digits;
    const auto number = parse_number(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& each) {
      return text.starts_with(each.name);
    });
    if (unit == kUnits.end()) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += *number * static_cast<double>(unit->length);
  }
  return static_cast<Nanos>(std::min(total, static_cast<double>(kLongestHint)));
}

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  const std::string date(text.substr(0, 40));
  tm parts{};
  const char* rest = strptime(date.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  double fraction = 0;
  if (*rest == '.') {
    const char* const start = rest++;
    while (is_digit(*rest)) ++rest;
    std::from_chars(start, rest, fraction);
  }
  int64_t offset = 0;
  if (*rest == '+' || *rest == '-') {
    tm shift{};
    const char* const end = strptime(rest + 1, "%H:%M", &shift);
    if (end == nullptr) return std::nullopt;
    offset = (*rest == '+' ? 60 : -60) * (shift.tm_hour * int64_t{60} + shift.tm_min);
    rest = end;
  } else if (*rest == 'Z' || *rest == 'z') {
    ++rest;
  } else {
    return std::nullopt;
  }
  if (*rest != '\0') return std::nullopt;
  return (int64_t{timegm(&parts)} - offset) * kMicros + static_cast<int64_t>(fraction * 1e6);
}

std::optional<Nanos> parse_retry_after(const net::Headers& headers, int64_t wall_micros) {
  for (const std::string_view name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    const auto millis = headers.find(name);
    if (!millis) continue;
    if (const auto value = parse_number(*millis)) return nanos_of_seconds(*value / 1000);
  }
  const auto header = headers.find("retry-after");
  if (!header) return std::nullopt;
  if (const auto seconds = parse_number(*header)) return nanos_of_seconds(*seconds);
  if (const auto date = parse_http_date(*header)) return nanos_until(*date * kMicros, wall_micros);
  return std::nullopt;
}

std::optional<Nanos> parse_limit_reset(const net::Headers& headers, int64_t wall_micros) {
  std::optional<Nanos> latest;
  for (const Limit& limit : kLimits) {
    const auto reset = headers.find(limit.reset);
    if (!reset) continue;
    const auto remaining = headers.find(limit.remaining);
    if (remaining && parse_number(*remaining).value_or(0) > 0) continue;
    const std::optional<Nanos> pause = parse_reset(*reset, wall_micros);
    if (pause && (!latest || *pause > *latest)) latest = pause;
  }
  return latest;
}

std::optional<Nanos> parse_spoken_reset(std::string_view message, int64_t wall_micros) {
  constexpr std::array<std::string_view, 4> kBeforeSpan{"try again in ", "retry in ",
                                                        "retry after ", "Try again in "};
  for (const std::string_view words : kBeforeSpan) {
    const std::string_view rest = after(message, words);
    if (rest.empty()) continue;
    if (const auto span = parse_spoken_duration(rest)) return span;
  }
  const std::string_view moment = after(message, "regain access on ");
  if (const auto micros = parse_spoken_moment(moment)) return nanos_until(*micros, wall_micros);
  return std::nullopt;
}

}  // namespace sluice::providers
