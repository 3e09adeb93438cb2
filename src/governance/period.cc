#include "governance/period.h"

#include <date/tz.h>
#include <sstream>
#include <stdexcept>

namespace sluice::governance {
namespace {

using std::chrono::microseconds;
using SysMicros = date::sys_time<microseconds>;

int64_t start_of(const date::time_zone* zone, date::local_days day) {
  // choose::earliest also maps a midnight that the clocks skip to the first instant after it.
  return std::chrono::duration_cast<microseconds>(
             zone->to_sys(date::local_time<microseconds>(day), date::choose::earliest)
                 .time_since_epoch())
      .count();
}

struct Days {
  date::local_days first;
  date::local_days after;
};

Days days_of(Period period, date::local_days today) {
  if (period == Period::Day) return {today, today + date::days(1)};
  if (period == Period::Week) {
    const date::local_days monday = today - (date::weekday(today) - date::Monday);
    return {monday, monday + date::days(7)};
  }
  const date::year_month_day date_today(today);
  const date::year_month month = date_today.year() / date_today.month();
  return {date::local_days(month / 1), date::local_days((month + date::months(1)) / 1)};
}

}  // namespace

std::string_view name_of(Period period) {
  switch (period) {
    case Period::Day:
      return "day";
    case Period::Week:
      return "week";
    case Period::Month:
      return "month";
    case Period::Total:
      break;
  }
  return "total";
}

std::optional<int64_t> moment_of(const std::string& text) {
  for (const char* form : {"%FT%TZ", "%F"}) {
    std::istringstream in(text);
    SysMicros moment;
    in >> date::parse(form, moment);
    if (!in.fail() && in.peek() == std::istringstream::traits_type::eof())
      return moment.time_since_epoch().count();
  }
  return std::nullopt;
}

TimeZone TimeZone::utc() {
  return TimeZone(date::locate_zone("Etc/UTC"));
}

Result<TimeZone> TimeZone::find(std::string_view name) {
  try {
    return TimeZone(date::locate_zone(name));
  } catch (const std::runtime_error&) {
    return Error(Outcome::BadRequest,
                 "there is no time zone '" + std::string(name.substr(0, 64)) +
                     "'; names are those of the IANA database, such as Europe/Amsterdam",
                 "time_zone");
  }
}

Window TimeZone::window(Period period, int64_t wall_micros) const {
  if (period == Period::Total) return kAllTime;
  const auto local = zone_->to_local(SysMicros(microseconds(wall_micros)));
  const Days days = days_of(period, date::floor<date::days>(local));
  return {start_of(zone_, days.first), start_of(zone_, days.after)};
}

std::string TimeZone::name() const {
  return zone_->name();
}

}  // namespace sluice::governance
