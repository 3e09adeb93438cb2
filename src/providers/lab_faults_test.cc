#include "providers/lab_faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

using testing::Optional;

// The pattern with 7 for every number.
std::string example(std::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const bool number = pattern[i] >= 'A' && pattern[i] <= 'Z';
    out += number ? '7' : pattern[i];
  }
  return out;
}

TEST(LabFaults, EveryRowIsFoundByItsNameAndByNoOther) {
  std::vector<LabFault> all;
  for (const auto& table : lab_fault_tables()) all.insert(all.end(), table.begin(), table.end());
  for (const LabFault& fault : all) {
    const std::string name = example(fault.pattern);
    LabPlan plan;
    EXPECT_TRUE(apply_lab_fault(name, plan)) << name;
    int rows = 0;
    for (const LabFault& other : all) rows += example(other.pattern) == name ? 1 : 0;
    EXPECT_EQ(rows, 1) << name;
    EXPECT_FALSE(fault.doc.empty());
  }
}

TEST(LabFaults, ReadsTheNumbersInAName) {
  LabPlan plan;
  ASSERT_TRUE(apply_lab_fault("reset-after-3", plan));
  EXPECT_EQ(plan.broken, LabPlan::Break::Reset);
  EXPECT_EQ(plan.break_after, 3);
  ASSERT_TRUE(apply_lab_fault("status-429-retry-2", plan));
  EXPECT_EQ(plan.error.status, 429);
  EXPECT_EQ(plan.retry_after, LabPlan::RetryAfter::Seconds);
  EXPECT_EQ(plan.retry_value, 2);
}

TEST(LabFaults, RefusesWhatIsNotInTheTable) {
  LabPlan plan;
  for (const char* name : {"reset-aftr-3", "reset-after", "reset-after-", "reset-after-x",
                           "reset-after-3-4", "status-5e3", "tokens--1", "tokens-99999999999"}) {
    EXPECT_FALSE(apply_lab_fault(name, plan)) << name;
  }
}

TEST(LabFaults, AListAddsUpAndNamesTheFirstStranger) {
  LabPlan plan;
  EXPECT_EQ(apply_lab_faults("tokens-60, crlf ,gzip", ',', plan), std::nullopt);
  EXPECT_THAT(plan.tokens, Optional(60));
  EXPECT_EQ(plan.line_end, "\r\n");
  EXPECT_EQ(plan.coding, LabPlan::Coding::Gzip);
  EXPECT_THAT(apply_lab_faults("bom+nonsense+cr", '+', plan),
              Optional(std::string_view("nonsense")));
}

}  // namespace
}  // namespace sluice::providers
