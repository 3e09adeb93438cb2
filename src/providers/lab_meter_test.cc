#include "providers/lab_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/lab_memory.h"

namespace sluice::providers {
namespace {

using testing::HasSubstr;
using testing::Not;

LabMeter::Delivered delivery(int64_t prompt, int64_t completion) {
  LabMeter::Delivered delivered;
  delivered.usage = {.prompt = prompt, .completion = completion};
  delivered.price = {.input = 1, .cached_input = 1, .output = 2};
  delivered.tokens = completion;
  return delivered;
}

TEST(LabMeter, CountsPerModelAndInSum) {
  LabMeter meter;
  for (const char* model : {"chat", "chat", "slow"}) {
    meter.began(model);
    meter.ended(model, "r", LabEnd::Completed, delivery(10, 5));
  }
  const std::string json = meter.json();
  EXPECT_THAT(json, HasSubstr(R"("total":{"requests":3,"completed":3)"));
  EXPECT_THAT(json, HasSubstr(R"("chat":{"requests":2,"completed":2)"));
  EXPECT_THAT(json, HasSubstr(R"("cost_nanodollars":60)"));
}

TEST(LabMeter, RemembersAtWhichTokenARequestWasCancelled) {
  LabMeter meter;
  meter.began("slow");
  EXPECT_THAT(meter.json(), HasSubstr(R"("in_flight":1)"));
  meter.ended("slow", "req_7", LabEnd::Cancelled, delivery(10, 17));
  EXPECT_THAT(meter.json(),
              HasSubstr(R"("cancelled":[{"model":"slow","request_id":"req_7","tokens":17)"));
}

TEST(LabMeter, ResetKeepsWhatIsInFlight) {
  LabMeter meter;
  meter.began("chat");
  meter.began("gone");
  meter.ended("gone", "r", LabEnd::Faulted, delivery(1, 1));
  meter.reset();
  EXPECT_THAT(meter.json(), HasSubstr(R"("total":{"requests":1)"));
  EXPECT_THAT(meter.json(), Not(HasSubstr("gone")));
  meter.ended("chat", "r", LabEnd::Completed, delivery(1, 1));
  EXPECT_THAT(meter.json(), HasSubstr(R"("completed":1)"));
  EXPECT_THAT(meter.json(), HasSubstr(R"("in_flight":0)"));
}

TEST(LabMemory, SeenTokensAreThoseOfTheLongestKnownBeginning) {
  LabMemory memory;
  using Part = LabRequest::Part;
  const std::vector<Part> first = {{.hash = 1, .tokens = 5}, {.hash = 2, .tokens = 7}};
  const std::vector<Part> longer = {
      {.hash = 1, .tokens = 5}, {.hash = 2, .tokens = 7}, {.hash = 3, .tokens = 9}};
  EXPECT_EQ(memory.seen_tokens(first), 0);
  EXPECT_EQ(memory.seen_tokens(longer), 12);
  EXPECT_EQ(memory.seen_tokens(longer), 21);
}

TEST(LabMemory, KeepsTheLastRequestWithoutItsKey) {
  LabMemory memory;
  net::RequestHead head;
  head.method = "POST";
  head.target = "/v1/x";
  head.headers.add("Authorization", "Bearer secret-key-1234");
  head.headers.add("X-Title", "mine");
  memory.keep_last(head, "{\"a\":1}");
  EXPECT_THAT(memory.last_json(), HasSubstr(R"(["X-Title","mine"])"));
  EXPECT_THAT(memory.last_json(), HasSubstr(R"("...1234")"));
  EXPECT_THAT(memory.last_json(), Not(HasSubstr("secret")));
}

TEST(LabMemory, CountsCallsByKey) {
  LabMemory memory;
  EXPECT_EQ(memory.earlier_calls("a"), 0);
  EXPECT_EQ(memory.earlier_calls("a"), 1);
  EXPECT_EQ(memory.earlier_calls("b"), 0);
}

}  // namespace
}  // namespace sluice::providers
