#include "base/money.h"

#include <limits>

#include "base/text_out.h"

namespace sluice {

std::optional<NanoDollars> parse_dollars(std::string_view text) {
  if (text.starts_with('$')) text.remove_prefix(1);
  constexpr NanoDollars most = std::numeric_limits<NanoDollars>::max();
  NanoDollars amount = 0;
  int decimals = -1;  // behind the point; -1: no point yet
  bool digits = false;
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9' || decimals == kMoneyDecimals) return std::nullopt;
    const int digit = c - '0';
    if (amount > (most - digit) / 10) return std::nullopt;
    amount = amount * 10 + digit;
    digits = true;
    if (decimals >= 0) ++decimals;
  }
  if (!digits || decimals == 0) return std::nullopt;
  for (int i = decimals < 0 ? 0 : decimals; i < kMoneyDecimals; ++i) {
    if (amount > most / 10) return std::nullopt;
    amount *= 10;
  }
  return amount;
}

std::string dollars_text(NanoDollars amount) {
  std::string text;
  append_decimal(text, amount, kMoneyDecimals);
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  const size_t point = text.find('.');
  if (point == std::string::npos) {
    text += ".00";
  } else if (text.size() - point == 2) {
    text += '0';
  }
  return (negative ? "-$" : "$") + text;
}

}  // namespace sluice
