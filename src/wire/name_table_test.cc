#include "wire/name_table.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::chat {
namespace {

struct Row {
  std::string_view name;
  int value = 0;
};

constexpr NameTable kTable(std::to_array<Row>({
    {"model", 1},
    {"n", 2},
    {"ab", 3},
    {"logprobs", 4},
    {"logprobs", 5},
}));

TEST(NameTable, FindsEachRowByItsName) {
  for (const auto& [name, value] : {Row{"model", 1}, Row{"n", 2}, Row{"ab", 3}}) {
    ASSERT_NE(kTable.find(name), nullptr) << name;
    EXPECT_EQ(kTable.find(name)->value, value);
  }
}

TEST(NameTable, FindsNothingUnderAnyOtherName) {
  for (const std::string_view name : {"", "m", "mode", "modell", "N", "logprob"}) {
    EXPECT_EQ(kTable.find(name), nullptr) << name;
  }
  // Whatever slot they fall into, taken or free.
  for (int first = 'a'; first <= 'z'; ++first) {
    for (int last = 'a'; last <= 'z'; ++last) {
      const std::string name{static_cast<char>(first), static_cast<char>(last)};
      EXPECT_EQ(kTable.find(name) != nullptr, name == "ab") << name;
    }
  }
}

TEST(NameTable, OfRowsWithOneNameTheFirstThatFitsIsFound) {
  EXPECT_EQ(kTable.find("logprobs")->value, 4);
  EXPECT_EQ(kTable.find("logprobs", [](const Row& row) { return row.value > 4; })->value, 5);
  EXPECT_EQ(kTable.find("logprobs", [](const Row& row) { return row.value > 5; }), nullptr);
}

}  // namespace
}  // namespace sluice::chat
