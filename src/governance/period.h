// Calendar periods of a time zone: when a budget's day, week or month begins and ends. Time zones
// come from the system's database (IANA), read by Howard Hinnant's date library.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace date {
class time_zone;
}

namespace sluice::governance {

enum class Period : uint8_t { Day, Week, Month, Total };

// "day", "week", "month", "total".
std::string_view name_of(Period period);

// Microseconds since 1970 UTC, [from, until).
struct Window {
  int64_t from = 0;
  int64_t until = 0;
  bool holds(int64_t wall_micros) const { return from <= wall_micros && wall_micros < until; }
  friend bool operator==(const Window&, const Window&) = default;
};

inline constexpr Window kAllTime{std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max()};

// "2026-12-24" (its first moment in UTC) or "2026-12-24T18:00:00Z" as microseconds since 1970;
// nothing if it is neither.
std::optional<int64_t> moment_of(const std::string& text);

// A zone of the database. Cheap to copy; any thread.
class TimeZone {
 public:
  static TimeZone utc();
  // "Europe/Amsterdam", "UTC". The error names the zone.
  static Result<TimeZone> find(std::string_view name);

  // The period this moment lies in. Weeks begin on Monday (ISO 8601). Where local midnight does
  // not exist, or comes twice, the day begins with its first instant.
  Window window(Period period, int64_t wall_micros) const;
  std::string name() const;

 private:
  explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;
};

}  // namespace sluice::governance
