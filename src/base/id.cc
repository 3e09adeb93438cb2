#include "base/id.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <sys/random.h>

namespace sluice {
namespace {

constexpr unsigned kSequenceBits = 15;
constexpr unsigned kLaneBits = 6;
constexpr unsigned kTimeShift = kSequenceBits + kLaneBits;
constexpr uint64_t kSequences = uint64_t{1} << kSequenceBits;

constexpr std::string_view kPrefix = "req_";
constexpr size_t kDigits = 26;  // 130 bits, the two highest zero
// Crockford's alphabet: in the order of ASCII, so that ids sort as their keys do.
constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int8_t i = 0; i < 32; ++i) values[static_cast<unsigned char>(kAlphabet[i])] = i;
  return values;
}();

int value_of(char digit) {
  return kValues[static_cast<unsigned char>(digit)];
}

uint64_t split_mix(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

constexpr size_t kHexDigits = 16;  // of 64 bits

// "000102...ff"
constexpr std::array<char, 512> kHexPairs = [] {
  std::array<char, 512> pairs{};
  for (size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = "0123456789abcdef"[i >> 4];
    pairs[2 * i + 1] = "0123456789abcdef"[i & 15];
  }
  return pairs;
}();

void put_hex(char* out, uint64_t value) {
  for (size_t i = kHexDigits; i > 0; i -= 2, value >>= 8) {
    std::memcpy(out + i - 2, &kHexPairs[2 * (value & 0xff)], 2);
  }
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

int nibble(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

}  // namespace

uint64_t first_key_at(int64_t wall_micros) {
  return static_cast<uint64_t>(std::max<int64_t>(wall_micros, 0)) / 1000 << kTimeShift;
}

IdSource::IdSource(unsigned lane, uint64_t seed, uint64_t floor)
    : millis_(floor == 0 ? 0 : (floor >> kTimeShift) + 1), lane_(lane) {
  for (uint64_t& word : state_) word = split_mix(seed);
}

IdSource IdSource::from_os(unsigned lane, uint64_t floor) {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
    throw std::runtime_error("the operating system gives no random bytes");
  }
  return IdSource(lane, seed, floor);
}

uint64_t IdSource::next_key(int64_t wall_micros) {
  const uint64_t now = static_cast<uint64_t>(std::max<int64_t>(wall_micros, 0)) / 1000;
  if (now > millis_) {
    millis_ = now;
    sequence_ = 0;
  } else if (sequence_ == kSequences) {
    ++millis_;  // more ids than a millisecond holds: borrow from the next
    sequence_ = 0;
  }
  return millis_ << kTimeShift | lane_ << kSequenceBits | sequence_++;
}

// xoshiro256++ (Blackman and Vigna, public domain): ids need to differ, not to be secret.
uint64_t IdSource::random() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::string IdSource::request_id(uint64_t key) {
  return format_request_id({.key = key, .tail = random()});
}

std::string IdSource::trace_id() {
  std::string text(2 * kHexDigits, '0');
  put_hex(text.data(), random() | 1);
  put_hex(text.data() + kHexDigits, random());
  return text;
}

std::string format_request_id(RequestIdParts parts) {
  std::string text(kPrefix.size() + kDigits, '\0');
  std::copy(kPrefix.begin(), kPrefix.end(), text.begin());
  unsigned __int128 bits = static_cast<unsigned __int128>(parts.key) << 64 | parts.tail;
  for (size_t i = kDigits; i-- > 0; bits >>= 5) {
    text[kPrefix.size() + i] = kAlphabet[static_cast<unsigned>(bits) & 31];
  }
  return text;
}

std::optional<RequestIdParts> parse_request_id(std::string_view id) {
  if (id.size() != kPrefix.size() + kDigits || !id.starts_with(kPrefix)) return std::nullopt;
  id.remove_prefix(kPrefix.size());
  if (value_of(id[0]) > 7) return std::nullopt;  // would not fit in 128 bits
  unsigned __int128 bits = 0;
  for (const char digit : id) {
    const int value = value_of(digit);
    if (value < 0) return std::nullopt;
    bits = bits << 5 | static_cast<unsigned>(value);
  }
  return RequestIdParts{static_cast<uint64_t>(bits >> 64), static_cast<uint64_t>(bits)};
}

// version "-" trace-id "-" parent-id "-" flags; later versions may go on after another "-".
std::optional<TraceParent> parse_traceparent(std::string_view header) {
  constexpr size_t kLength = 55;
  if (header.size() < kLength) return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const std::string_view trace = header.substr(3, 32);
  const std::string_view parent = header.substr(36, 16);
  const std::string_view flags = header.substr(53, 2);
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(flags)) return std::nullopt;
  if (version == "ff" || all_zero(trace) || all_zero(parent)) return std::nullopt;
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return std::nullopt;
  const int bits = nibble(flags[0]) * 16 + nibble(flags[1]);
  return TraceParent{std::string(trace), std::string(parent), static_cast<uint8_t>(bits)};
}

void append_traceparent(std::string& out, std::string_view trace_id, uint64_t span_id,
                        uint8_t flags) {
  std::array<char, kHexDigits> span;
  put_hex(span.data(), span_id);
  out.append("00-").append(trace_id).append("-").append(span.data(), span.size()).append("-");
  out.append(&kHexPairs[2 * size_t{flags}], 2);
}

}  // namespace sluice
