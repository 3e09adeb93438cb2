// Names for things that happen: row keys, request ids, trace ids.
//
// A key is a positive 63-bit number, rising with time, unique in the process and across restarts:
//   42 bits milliseconds since 1970 | 6 bits lane | 15 bits sequence
// It is the ledger's rowid. A request id is text made from it, so that the row is found from the id
// alone: "req_" + 26 lower-case base32 digits of (64-bit key, 64 random bits).
//
// An IdSource belongs to one thread; two threads must use two lanes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

inline constexpr unsigned kMaxLanes = 64;

// The lowest key of the millisecond this moment lies in.
uint64_t first_key_at(int64_t wall_micros);

class IdSource {
 public:
  // `floor`: the highest key already used (the ledger's last row); new keys are above it even when
  // the clock was set back between two runs. Requires: lane < kMaxLanes.
  IdSource(unsigned lane, uint64_t seed, uint64_t floor = 0);
  // Seeded by the operating system.
  static IdSource from_os(unsigned lane, uint64_t floor = 0);

  uint64_t next_key(int64_t wall_micros);
  uint64_t random();

  // A new id for this key; two calls give two ids.
  std::string request_id(uint64_t key);
  std::string trace_id();  // 32 hex digits, not all zero

 private:
  uint64_t state_[4];
  uint64_t millis_;
  uint64_t lane_;
  uint64_t sequence_ = 0;
};

// What a request id is made of.
struct RequestIdParts {
  uint64_t key;
  uint64_t tail;
};
std::string format_request_id(RequestIdParts parts);
std::optional<RequestIdParts> parse_request_id(std::string_view id);

// W3C Trace Context.
struct TraceParent {
  std::string trace_id;   // 32 hex digits
  std::string parent_id;  // 16 hex digits
  uint8_t flags = 0;
};
// Nothing for a header that the standard says to ignore.
std::optional<TraceParent> parse_traceparent(std::string_view header);
// The value of a traceparent header: span_id must not be zero.
void append_traceparent(std::string& out, std::string_view trace_id, uint64_t span_id,
                        uint8_t flags);

}  // namespace sluice
