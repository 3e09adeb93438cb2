#include "providers/lab_request_log.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

using testing::HasSubstr;

LabRecord record(std::string caller) {
  LabRecord made;
  made.face = "anthropic";
  made.caller_id = std::move(caller);
  made.request_id = "req_lab_1";
  made.model = "claude";
  made.end = LabEnd::Faulted;
  made.usage = {.prompt = 9, .cached = 4, .cache_write = 1, .cache_write_1h = 2, .completion = 3};
  made.cost_nanos = 77;
  return made;
}

TEST(LabRequestLog, OneLineForEachRequest) {
  LabRequestLog log;
  log.add(record("gw-1"));
  EXPECT_EQ(log.lines(0),
            R"({"seq":1,"x_request_id":"gw-1","request_id":"req_lab_1","face":"anthropic",)"
            R"("model":"claude","end":"faulted","prompt_tokens":9,"cached_tokens":4,)"
            R"("cache_write_tokens":3,"completion_tokens":3,"reasoning_tokens":0,)"
            R"("cost_nanos":77})"
            "\n");
}

TEST(LabRequestLog, GoesOnBehindTheLastSeen) {
  LabRequestLog log;
  for (const char* id : {"a", "b", "c"}) log.add(record(id));
  const std::string rest = log.lines(1);
  EXPECT_EQ(std::ranges::count(rest, '\n'), 2);
  EXPECT_THAT(rest, HasSubstr(R"({"seq":2,"x_request_id":"b")"));
  EXPECT_EQ(log.lines(3), "");
  EXPECT_EQ(log.lines(99), "");
}

TEST(LabRequestLog, GivesPagesAndKeepsTheNewest) {
  LabRequestLog log;
  for (size_t i = 0; i < LabRequestLog::kKept + 1; ++i) log.add(record(""));
  const std::string page = log.lines(0);
  EXPECT_EQ(std::ranges::count(page, '\n'), static_cast<int64_t>(LabRequestLog::kPage));
  EXPECT_EQ(page.substr(0, 9), R"({"seq":2,)");
  log.reset();
  EXPECT_EQ(log.lines(0), "");
}

}  // namespace
}  // namespace sluice::providers
