#include "governance/period.h"

#include <date/date.h>
#include <gtest/gtest.h>
#include <sstream>

namespace sluice::governance {
namespace {

// "2026-03-29T00:00:00Z" in microseconds.
int64_t at(const std::string& text) {
  std::istringstream in(text);
  date::sys_time<std::chrono::microseconds> time;
  in >> date::parse("%FT%TZ", time);
  EXPECT_FALSE(in.fail()) << text;
  return time.time_since_epoch().count();
}

Window window(const char* zone, Period period, const char* moment) {
  const Result<TimeZone> found = TimeZone::find(zone);
  EXPECT_TRUE(found);
  return found->window(period, at(moment));
}

TEST(Period, BUD_9_ADayOfAmsterdamIsAnHourShortWhenTheClocksGoForward) {
  EXPECT_EQ(window("Europe/Amsterdam", Period::Day, "2026-03-29T12:00:00Z"),
            (Window{at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")}));
}

TEST(Period, BUD_9_ADayOfAmsterdamIsAnHourLongWhenTheClocksGoBack) {
  EXPECT_EQ(window("Europe/Amsterdam", Period::Day, "2026-10-25T12:00:00Z"),
            (Window{at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")}));
}

TEST(Period, BUD_9_ADayOfShanghaiBeginsAtFourInTheAfternoonUtc) {
  EXPECT_EQ(window("Asia/Shanghai", Period::Day, "2026-03-29T16:00:00Z"),
            (Window{at("2026-03-29T16:00:00Z"), at("2026-03-30T16:00:00Z")}));
  EXPECT_EQ(window("Asia/Shanghai", Period::Day, "2026-03-29T15:59:59.999999Z"),
            (Window{at("2026-03-28T16:00:00Z"), at("2026-03-29T16:00:00Z")}));
}

TEST(Period, ADayWhoseMidnightIsSkippedBeginsWithItsFirstInstant) {
  // In Beirut the clocks go from 0:00 to 1:00.
  EXPECT_EQ(window("Asia/Beirut", Period::Day, "2026-03-29T12:00:00Z").from,
            at("2026-03-28T22:00:00Z"));
}

TEST(Period, WeeksBeginOnMondayAndMonthsOnTheFirst) {
  EXPECT_EQ(window("UTC", Period::Week, "2026-11-22T23:59:59Z"),
            (Window{at("2026-11-16T00:00:00Z"), at("2026-11-23T00:00:00Z")}));
  EXPECT_EQ(window("UTC", Period::Month, "2026-12-31T23:00:00Z"),
            (Window{at("2026-12-01T00:00:00Z"), at("2027-01-01T00:00:00Z")}));
  EXPECT_EQ(window("UTC", Period::Month, "2028-02-29T23:00:00Z").until, at("2028-03-01T00:00:00Z"));
}

TEST(Period, ATotalNeverEnds) {
  EXPECT_EQ(window("UTC", Period::Total, "2026-11-22T23:59:59Z"), kAllTime);
}

TEST(Period, DatesAndTimesOfUtcAreMoments) {
  EXPECT_EQ(moment_of("2026-12-24"), at("2026-12-24T00:00:00Z"));
  EXPECT_EQ(moment_of("2026-12-24T18:00:00Z"), at("2026-12-24T18:00:00Z"));
  for (const char* text : {"", "2026-13-01", "2026-02-30", "24.12.2026", "2026-12-24T18:00:00",
                           "2026-12-24 18:00:00Z", "2026-12-24x"}) {
    EXPECT_EQ(moment_of(text), std::nullopt) << text;
  }
}

TEST(Period, NamesTheZoneItDoesNotKnow) {
  const Result<TimeZone> found = TimeZone::find("Europe/Utrecht");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message().find("Europe/Utrecht"), std::string::npos);
  EXPECT_EQ(found.error().param(), "time_zone");
}

TEST(Period, EveryWindowBeginsAndEndsOnAQuarterOfAnHour) {
  // What the ledger's sums are kept in (spend.h).
  for (const char* zone : {"Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham",
                           "America/St_Johns", "Asia/Kolkata"}) {
    for (int64_t day = 0; day < 400; ++day) {
      const Window found = TimeZone::find(zone)->window(
          Period::Day, at("2026-01-01T05:00:00Z") + day * 86'400'000'000);
      EXPECT_EQ(found.from % 900'000'000, 0) << zone;
      EXPECT_EQ(found.until % 900'000'000, 0) << zone;
    }
  }
}

}  // namespace
}  // namespace sluice::governance
