#include "base/text_out.h"

#include <array>
#include <charconv>

namespace sluice {
namespace {

// True for the bytes a JSON string holds as they are.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x80; ++c) plain[static_cast<size_t>(c)] = c != '"' && c != '\\';
  plain[0x7f] = false;
  return plain;
}();

// Length of the UTF-8 sequence that starts `text`, or 0 if it is malformed.
size_t utf8_length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
  const unsigned char lead = at(0);
  if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xe0 && at(1) < 0xa0) return 0;   // overlong
    if (lead == 0xed && at(1) >= 0xa0) return 0;  // surrogate
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xf0 && at(1) < 0x90) return 0;
    if (lead == 0xf4 && at(1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

char* put_control(char* out, unsigned char c) {
  switch (c) {
    case '"':
      return put_raw(out, "\\\"");
    case '\\':
      return put_raw(out, "\\\\");
    case '\n':
      return put_raw(out, "\\n");
    case '\r':
      return put_raw(out, "\\r");
    case '\t':
      return put_raw(out, "\\t");
    default:
      out = put_raw(out, "\\u00");
      *out++ = "0123456789abcdef"[c >> 4];
      *out++ = "0123456789abcdef"[c & 15];
      return out;
  }
}

char* put_two(char* out, int value) {
  *out++ = static_cast<char>('0' + value / 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

struct CivilDate {
  int64_t year;
  int month;
  int day;
};

// Howard Hinnant's civil_from_days, for days since 1970-01-01.
CivilDate civil_date(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {static_cast<int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace

char* put_json(char* out, std::string_view text) {
  *out++ = '"';
  size_t from = 0;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (kPlain[c]) [[likely]] {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      if (const size_t length = utf8_length(text.substr(i)); length > 0) {
        i += length;
        continue;
      }
    }
    out = put_raw(out, text.substr(from, i - from));
    out = c >= 0x80 ? put_raw(out, "\xef\xbf\xbd") : put_control(out, c);
    from = ++i;
  }
  out = put_raw(out, text.substr(from));
  *out++ = '"';
  return out;
}

char* put_int(char* out, int64_t value) {
  return std::to_chars(out, out + kIntBound, value).ptr;
}

char* put_decimal(char* out, int64_t value, int decimals) {
  uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (value < 0) *out++ = '-';
  uint64_t unit = 1;
  for (int i = 0; i < decimals; ++i) unit *= 10;
  out = std::to_chars(out, out + kIntBound, rest / unit).ptr;
  rest %= unit;
  if (rest == 0) return out;
  *out++ = '.';
  while (rest > 0) {
    unit /= 10;
    *out++ = static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return out;
}

char* put_timestamp(char* out, int64_t wall_micros) {
  constexpr int64_t kMicrosPerDay = 86'400'000'000;
  int64_t days = wall_micros / kMicrosPerDay;
  int64_t rest = wall_micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  const CivilDate date = civil_date(days);
  const int seconds = static_cast<int>(rest / 1'000'000);
  const int millis = static_cast<int>(rest / 1'000 % 1'000);
  const int year = static_cast<int>(date.year % 10'000);
  out = put_two(put_two(out, year / 100), year % 100);
  *out++ = '-';
  out = put_two(out, date.month);
  *out++ = '-';
  out = put_two(out, date.day);
  *out++ = 'T';
  out = put_two(out, seconds / 3600);
  *out++ = ':';
  out = put_two(out, seconds / 60 % 60);
  *out++ = ':';
  out = put_two(out, seconds % 60);
  *out++ = '.';
  *out++ = static_cast<char>('0' + millis / 100);
  out = put_two(out, millis % 100);
  *out++ = 'Z';
  return out;
}

void append_json(std::string& out, std::string_view text) {
  const size_t size = out.size();
  out.resize(size + json_bound(text.size()));
  out.resize(static_cast<size_t>(put_json(out.data() + size, text) - out.data()));
}

void append_int(std::string& out, int64_t value) {
  char digits[kIntBound];
  out.append(digits, put_int(digits, value));
}

void append_decimal(std::string& out, int64_t value, int decimals) {
  char digits[kDecimalBound];
  out.append(digits, put_decimal(digits, value, decimals));
}

}  // namespace sluice
