// An upstream may answer an error with anything: it is classified as a failure of the upstream,
// with numbers and pauses that are possible, and a message a client can be shown.
#include <cstdlib>
#include <string_view>

#include "providers/failure.h"
#include "wire/json.h"

namespace {

namespace providers = sluice::providers;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_count(const std::optional<int64_t>& count) {
  check(!count || (*count >= 0 && *count < 10'000'000'000'000'000));
}

}  // namespace

// Two bytes choose kind and status; a line follows that is the value of several fields; the rest is
// the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int kStatuses[] = {200, 301, 400, 401, 402, 403, 404, 408, 412,
                               413, 422, 429, 446, 500, 502, 503, 504, 529};
  if (size < 2) return 0;
  const auto kind = static_cast<providers::Kind>(data[0] % providers::kKindCount);
  const int status = kStatuses[data[1] % std::size(kStatuses)];
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const size_t end = std::min(text.find('\n'), text.size());
  sluice::net::Headers headers;
  for (const std::string_view name :
       {"retry-after", "x-ratelimit-reset", "retry-after-ms", "anthropic-ratelimit-tokens-reset"}) {
    headers.add(name, text.substr(0, end));
  }
  const std::string_view body = text.substr(std::min(end + 1, text.size()));
  const providers::UpstreamFailure failure =
      providers::classify(kind, status, headers, body, 1'795'420'800'000'000);
  check(sluice::is_upstream_failure(failure.outcome));
  check(sluice::json::is_utf8(failure.message) && failure.message.size() <= 4096);
  if (failure.retry_after)
    check(*failure.retry_after >= 0 && *failure.retry_after <= providers::kLongestHint);
  check(failure.overflow.has_value() == (failure.outcome == sluice::Outcome::ContextOverflow));
  if (failure.overflow) {
    check_count(failure.overflow->tokens);
    check_count(failure.overflow->limit);
  }
  if (failure.wanted) check(!failure.wanted->reject.empty());
  return 0;
}
