#include "governance/rights.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace sluice::governance {

bool matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool allows(std::span<const std::string> patterns, std::string_view name) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, name); });
}

bool allows_model(const Rights& rights, std::string_view provider, std::string_view model) {
  if (!allows(rights.providers, provider)) return false;
  if (rights.models.empty() || allows(rights.models, model)) return true;
  std::string whole(provider);
  whole += '/';
  whole += model;
  return allows(rights.models, whole);
}

std::optional<AddressRange::Bytes> AddressRange::bytes_of(std::string_view address) {
  const std::string text(address.substr(0, INET6_ADDRSTRLEN));
  Bytes bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  if (inet_pton(AF_INET, text.c_str(), bytes.data() + 12) != 1) return std::nullopt;
  bytes[10] = bytes[11] = 0xff;
  return bytes;
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto wrong = [&] {
    return Error(Outcome::BadRequest, "'" + std::string(text.substr(0, 64)) +
                                          "' is no address and no block such as 10.0.0.0/8");
  };
  const size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const std::optional<Bytes> bytes = bytes_of(address);
  if (!bytes) return wrong();
  AddressRange range;
  range.first_ = *bytes;
  if (slash == std::string_view::npos) return range;
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), range.bits_);
  const int most = address.find(':') == std::string_view::npos ? 32 : 128;
  if (error != std::errc() || end != digits.data() + digits.size()) return wrong();
  if (range.bits_ < 0 || range.bits_ > most) return wrong();
  range.bits_ += 128 - most;
  return range;
}

bool AddressRange::holds(std::string_view address) const {
  const std::optional<Bytes> bytes = bytes_of(address);
  if (!bytes) return false;
  for (int bit = 0; bit < bits_; bit += 8) {
    const auto byte = static_cast<size_t>(bit / 8);
    const int here = std::min(bits_ - bit, 8);
    const auto mask = static_cast<uint8_t>(0xff << (8 - here));
    if (((first_[byte] ^ (*bytes)[byte]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace sluice::governance
