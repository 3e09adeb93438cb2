#include "providers/failure.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <time.h>

#include "wire/openai.h"

namespace sluice::providers {
namespace {

// Longer hints say no more than "not in this exchange".
constexpr double kLongestHintSeconds = 365.0 * 86400;

Outcome outcome_of(int status) {
  switch (status) {
    case 401:
    case 402:
    case 403:
      return Outcome::UpstreamAuth;
    case 408:
      return Outcome::FirstByteTimeout;
    case 409:
      return Outcome::UpstreamError;
    case 429:
      return Outcome::UpstreamRateLimit;
    case 503:
    case 529:
      return Outcome::UpstreamOverloaded;
    default:
      break;
  }
  if (status >= 500) return Outcome::UpstreamError;
  if (status >= 400) return Outcome::UpstreamRejected;
  return Outcome::UpstreamBadReply;  // a redirect is not followed, and 1xx is no reply
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value))
    return std::nullopt;
  return std::clamp(value, 0.0, kLongestHintSeconds);
}

// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7, the form in use).
std::optional<int64_t> parse_http_date(std::string_view text) {
  const std::string date(text.substr(0, 40));
  tm parts{};
  const char* end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return timegm(&parts);
}

}  // namespace

UpstreamFailure classify(int status, const net::Headers& headers, std::string_view body,
                         int64_t wall_micros) {
  UpstreamFailure failure{.outcome = outcome_of(status),
                          .retry_after = parse_retry_after(headers, wall_micros),
                          .lasting = false,
                          .message = "",
                          .has_error_object = false};
  failure.lasting = failure.outcome == Outcome::UpstreamAuth;
  Result<chat::Reply> reply = openai::decode_reply(chat::Endpoint::Chat, body);
  if (reply && reply->is_error) {
    failure.has_error_object = true;
    failure.message = std::move(reply->error_message);
    if (status == 429 && reply->error_code == "insufficient_quota") failure.lasting = true;
  }
  return failure;
}

std::optional<Nanos> parse_retry_after(const net::Headers& headers, int64_t wall_micros) {
  if (const auto millis = headers.find("retry-after-ms")) {
    if (const auto value = parse_number(*millis)) return static_cast<Nanos>(*value * kMillisecond);
  }
  const auto header = headers.find("retry-after");
  if (!header) return std::nullopt;
  if (const auto seconds = parse_number(*header)) return static_cast<Nanos>(*seconds * kSecond);
  if (const auto date = parse_http_date(*header)) {
    const int64_t micros = *date * 1'000'000 - wall_micros;
    const auto longest = static_cast<int64_t>(kLongestHintSeconds * 1e6);
    return std::clamp<int64_t>(micros, 0, longest) * kMicrosecond;
  }
  return std::nullopt;
}

}  // namespace sluice::providers
