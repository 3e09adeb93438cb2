#include "telemetry/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

using ::testing::HasSubstr;
using Rows = std::vector<std::vector<std::string>>;

struct Read {
  Rows rows;
  std::string error;
};

Read read(const std::vector<std::string>& pieces) {
  Read read;
  CsvReader reader([&read](std::span<const std::string> row) {
    read.rows.emplace_back(row.begin(), row.end());
    return true;
  });
  for (const std::string& piece : pieces) {
    if (auto fed = reader.feed(piece); !fed) read.error = fed.error().message();
    if (!read.error.empty()) return read;
  }
  if (auto finished = reader.finish(); !finished) read.error = finished.error().message();
  return read;
}

TEST(CsvReader, ReadsTheSameHoweverTheTextIsCut) {
  const std::string text =
      "\xEF\xBB\xBF"
      "a,\"b,\"\"c\"\"\",\r\n\"two\nlines\",,x\n\nlast,\"\",1";
  const Rows rows = {{"a", "b,\"c\"", ""}, {"two\nlines", "", "x"}, {"last", "", "1"}};
  EXPECT_EQ(read({text}).rows, rows);
  for (size_t i = 0; i <= text.size(); ++i) {
    EXPECT_EQ(read({text.substr(0, i), text.substr(i)}).rows, rows) << i;
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(read(bytes).rows, rows);
}

TEST(CsvReader, SaysInWhichRowAQuoteIsWrong) {
  EXPECT_EQ(read({"a\n\"b\"c\n"}).error, "row 2: text after a closing quote");
  EXPECT_EQ(read({"a\nb\n\"c"}).error, "row 3: a quote is not closed");
  EXPECT_EQ(read({"a,b\n"}).error, "");
}

TEST(CsvReader, HoldsOneRowAndNoMore) {
  EXPECT_THAT(read({std::string((16 << 20) + 1, 'x')}).error, HasSubstr("longer than 16 MiB"));
}

}  // namespace
}  // namespace sluice::telemetry
