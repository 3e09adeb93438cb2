#include "telemetry/json_elements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace sluice::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Read {
  std::vector<std::string> records;
  std::string error;
};

Read read(std::string_view text, size_t piece = 1 << 20) {
  Read read;
  JsonElements elements([&read](std::string_view record) {
    read.records.emplace_back(record);
    return true;
  });
  for (size_t i = 0; i < text.size(); i += piece) {
    if (auto fed = elements.feed(text.substr(i, piece)); !fed) {
      read.error = fed.error().message();
      return read;
    }
  }
  if (auto finished = elements.finish(); !finished) read.error = finished.error().message();
  return read;
}

TEST(JsonElements, FindsTheRecordsOfEveryShapeHoweverTheTextIsCut) {
  const std::string_view pages =
      R"({"object":"page","x":["data",{"data":[]}],"data":[{"a":"]}\""}, {"b":{"data":[1]}}],"y":{}})";
  const std::string_view list = " [ {\"a\":1} ,{\"b\":[{}]} ]\n";
  const std::string_view lines = "{\"a\":{\"data\":[1]}}\n{\"b\":\"[\"}\r\n";
  for (const size_t piece : {1U, 2U, 7U, 1000U}) {
    EXPECT_THAT(read(pages, piece).records,
                ElementsAre(R"({"a":"]}\""})", R"({"b":{"data":[1]}})"));
    EXPECT_THAT(read(list, piece).records, ElementsAre(R"({"a":1})", R"({"b":[{}]})"));
    EXPECT_THAT(read(lines, piece).records, ElementsAre(R"({"a":{"data":[1]}})", R"({"b":"["})"));
    EXPECT_EQ(read(pages, piece).error + read(list, piece).error + read(lines, piece).error, "");
  }
}

TEST(JsonElements, TwoPagesBehindEachOtherAreReadBoth) {
  EXPECT_THAT(read(R"({"data":[{"a":1}]} {"data":[{"a":2}]})").records,
              ElementsAre(R"({"a":1})", R"({"a":2})"));
}

TEST(JsonElements, RefusesWhatIsNoRecord) {
  EXPECT_THAT(read("hello").error, HasSubstr("where a record should begin"));
  EXPECT_THAT(read("[1]").error, HasSubstr("where a record should begin"));
  EXPECT_THAT(read("[[1]]").error, HasSubstr("is no object"));
  EXPECT_THAT(read("}").error, HasSubstr("closes nothing"));
  EXPECT_THAT(read(R"({"data":[{"a":1)").error, HasSubstr("in the middle of a record"));
  EXPECT_THAT(read("[]").records, IsEmpty());
}

}  // namespace
}  // namespace sluice::telemetry
