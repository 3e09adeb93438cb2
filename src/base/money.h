// Money as a whole number of nano-dollars: 9.2 billion dollars fit, and sums are exact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

using NanoDollars = int64_t;

inline constexpr NanoDollars kDollar = 1'000'000'000;
inline constexpr int kMoneyDecimals = 9;

// "12", "12.50" or "$12.50", not negative, up to nine decimals; nothing if it is no such figure or
// does not fit.
std::optional<NanoDollars> parse_dollars(std::string_view text);
// "$12.50": at least two decimals, and as many as there are.
std::string dollars_text(NanoDollars amount);

}  // namespace sluice
