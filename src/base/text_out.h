// Text written into memory the caller has already measured: what the log and the metrics page are
// made with. Each function writes at `out` and returns where it stopped; the bound it never passes
// is stated beside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Bytes a JSON string of `size` bytes can take: quotes, and every byte as \u00XX at worst.
constexpr size_t json_bound(size_t size) {
  return 2 + 6 * size;
}
inline constexpr size_t kIntBound = 20;
// Sign, digits, point: for put_decimal.
inline constexpr size_t kDecimalBound = 32;
inline constexpr size_t kTimestampBound = 24;

inline char* put_raw(char* out, std::string_view text) {
  return out + text.copy(out, text.size());
}

// `text` as a JSON string with quotes. Bytes that are no UTF-8 become U+FFFD, so that a line is
// always valid JSON.
char* put_json(char* out, std::string_view text);
char* put_int(char* out, int64_t value);
// value * 10^-decimals, exactly, without trailing zeros: (54399000, 9) is "0.054399".
char* put_decimal(char* out, int64_t value, int decimals);
// "2026-11-23T08:51:00.123Z"
char* put_timestamp(char* out, int64_t wall_micros);

void append_json(std::string& out, std::string_view text);
void append_int(std::string& out, int64_t value);
void append_decimal(std::string& out, int64_t value, int decimals);

}  // namespace sluice
