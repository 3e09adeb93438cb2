#include "base/text_out.h"

#include <gtest/gtest.h>
#include <limits>

namespace sluice {
namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

std::string decimal(int64_t value, int decimals) {
  std::string out;
  append_decimal(out, value, decimals);
  return out;
}

std::string timestamp(int64_t micros) {
  char out[kTimestampBound];
  return std::string(out, put_timestamp(out, micros));
}

TEST(TextOut, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(json(R"(a"b\c)"), R"("a\"b\\c")");
  EXPECT_EQ(json("line\nnext\ttab\r\x01\x7f"), "\"line\\nnext\\ttab\\r\\u0001\\u007f\"");
  EXPECT_EQ(json(""), "\"\"");
  EXPECT_EQ(json("grüße 😀"), "\"grüße 😀\"");
}

TEST(TextOut, ReplacesWhatIsNoUtf8) {
  constexpr std::string_view kLost = "\xef\xbf\xbd";
  const std::string lost(kLost);
  EXPECT_EQ(json("a\xff!"), "\"a" + lost + "!\"");
  EXPECT_EQ(json("\xc0\xaf"), "\"" + lost + lost + "\"");             // overlong
  EXPECT_EQ(json("\xed\xa0\x80"), "\"" + lost + lost + lost + "\"");  // surrogate
  EXPECT_EQ(json("\xf0\x9f\x98"), "\"" + lost + lost + lost + "\"");  // cut
  EXPECT_EQ(json("\xf4\x90\x80\x80"), "\"" + lost + lost + lost + lost + "\"");
}

TEST(TextOut, NeverPassesItsBound) {
  for (int c = 0; c < 256; ++c) {
    const std::string text(9, static_cast<char>(c));
    EXPECT_LE(json(text).size(), json_bound(text.size())) << c;
  }
}

TEST(TextOut, WritesDecimalsExactly) {
  EXPECT_EQ(decimal(54'399'000, 9), "0.054399");
  EXPECT_EQ(decimal(0, 9), "0");
  EXPECT_EQ(decimal(3'000'000'000, 9), "3");
  EXPECT_EQ(decimal(-1, 6), "-0.000001");
  EXPECT_EQ(decimal(std::numeric_limits<int64_t>::max(), 9), "9223372036.854775807");
  EXPECT_EQ(decimal(std::numeric_limits<int64_t>::min(), 9), "-9223372036.854775808");
  EXPECT_EQ(decimal(42, 0), "42");
}

TEST(TextOut, WritesTimestampsOfLeapDaysAndOldTimes) {
  EXPECT_EQ(timestamp(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(timestamp(1'709'210'096'789'000), "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(timestamp(1'795'424'461'001'999), "2026-11-23T09:01:01.001Z");
  EXPECT_EQ(timestamp(-1), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace sluice
