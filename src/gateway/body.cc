#include "gateway/body.h"

#include <memory>

#include "wire/coding.h"

namespace sluice::gateway {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "q=0", "q=0.0": explicitly not wanted.
bool is_refused(std::string_view parameters) {
  const size_t q = parameters.find("q=");
  if (q == std::string_view::npos) return false;
  const std::string_view value = trimmed(parameters.substr(q + 2));
  return value.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

Result<std::string_view> plain_body(const net::Headers& headers, std::string_view body,
                                    uint64_t limit, Outcome malformed, std::string& storage) {
  const auto coding = headers.find("content-encoding");
  if (!coding) return body;
  coding::Limits limits;
  limits.max_output = limit;
  limits.malformed = malformed;
  Result<std::unique_ptr<coding::Decoder>> decoder = coding::make_decoder(*coding, limits);
  if (!decoder) return std::move(decoder).error();
  if (*decoder == nullptr) return body;
  if (Result<void> fed = (*decoder)->feed(body, storage); !fed) {
    // A reply that is too large is its sender's fault, and the next target may do better.
    const Outcome why = is_upstream_failure(malformed) ? malformed : fed.error().outcome();
    return Error(why, fed.error().message());
  }
  if (Result<void> ended = (*decoder)->finish(); !ended) return std::move(ended).error();
  return std::string_view(storage);
}

bool accepts_coding(std::string_view accept_encoding, std::string_view coding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    const size_t comma = accept_encoding.find(',');
    const std::string_view entry = accept_encoding.substr(0, comma);
    const std::string_view name = trimmed(entry.substr(0, entry.find(';')));
    const bool refused =
        entry.find(';') != std::string_view::npos && is_refused(entry.substr(entry.find(';') + 1));
    if (net::same_name(name, coding)) return !refused;
    if (name == "*") any = !refused;
    accept_encoding = comma == std::string_view::npos ? "" : accept_encoding.substr(comma + 1);
  }
  return any;
}

}  // namespace sluice::gateway
