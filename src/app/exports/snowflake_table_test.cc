#include "app/exports/snowflake_table.h"

#include <gmock/gmock.h>
#include <optional>

#include "base/thread.h"
#include "net/server.h"
#include "providers/lab.h"

namespace sluice::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kId = "00000000-0000-4000-8000-00000000000a";

// A table of the lab's, on a port of this machine, and an exporter that is not patient.
class SnowflakeTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(loop_, lab_, net::ServerOptions());
    const auto here = server_->listen(*net::Address::parse("127.0.0.1:0"));
    ASSERT_TRUE(here) << here.error().message();
    settings_.base_url = {.host = here->ip_text(), .port = here->port(), .path = "/snowflake"};
    settings_.token = Secret("pat-lab");
    settings_.database = "OBS";
    settings_.schema = "PUBLIC";
    settings_.warehouse = "WH";
    settings_.table = "IT";
    thread_ = NamedThread("lab", [this] { loop_.run(); });
  }
  void TearDown() override {
    loop_.stop();
    thread_.join();
  }

  Result<void> write(std::string_view id = kId, bool again = false) {
    SnowflakePatience patience;
    patience.first_pause = kMillisecond;
    patience.attempts = 3;
    auto table = SnowflakeTable::make(settings_, clock_, patience);
    if (!table) return std::move(table).error();
    telemetry::ExchangeRow row;
    for (const telemetry::ExchangeColumn& column : telemetry::exchange_columns()) {
      constexpr std::string_view kValues[] = {"x", "1", "0.1", "true", "2026-11-23T07:00:00.1Z",
                                              "1"};
      row.cells.emplace_back();
      if (column.required) row.cells.back() = kValues[static_cast<size_t>(column.type)];
    }
    ExportBatch batch;
    batch.rows = std::span(&row, 1);
    batch.request_id = id;
    batch.again = again;
    return (*table)->write(batch);
  }
  std::string failure() {
    const Result<void> written = write();
    return written ? "" : written.error().message();
  }
  std::string log() const { return state_.sql.log(); }

  SystemClock clock_;
  net::Loop loop_{clock_};
  providers::LabState state_;
  providers::Lab lab_{state_};
  std::optional<net::Server> server_;
  NamedThread thread_;
  SnowflakeExportSettings settings_;
};

TEST_F(SnowflakeTableTest, MakesTheTableWhenItIsMissingAndSendsTheBatchAgain) {
  EXPECT_EQ(failure(), "");
  EXPECT_THAT(log(), AllOf(HasSubstr("\"status\":422"), HasSubstr("CREATE TABLE")));
  EXPECT_THAT(state_.sql.rows("IT"), HasSubstr("\"request_id\":\"x\""));
}

TEST_F(SnowflakeTableTest, ABatchOfBeforeAKillIsAskedForAndNotRunAgain) {
  EXPECT_TRUE(write());
  EXPECT_TRUE(write(kId, true));
  EXPECT_THAT(log(), HasSubstr(R"("retry":true,"ran":false,"status":200)"));
}

TEST_F(SnowflakeTableTest, FaultsThatPassAreWaitedFor) {
  settings_.warehouse = "WH+busy-1+lost-1+slow-2";
  EXPECT_EQ(failure(), "");
  EXPECT_NE(state_.sql.rows("IT"), "");
}

TEST_F(SnowflakeTableTest, GivesUpAfterSoManyFailuresInARowAndShowsTheLast) {
  settings_.warehouse = "WH+down-9";
  EXPECT_THAT(failure(), HasSubstr("Snowflake says 503 (code 390503): Service unavailable."));
  EXPECT_EQ(state_.sql.rows("IT"), "");
}

TEST_F(SnowflakeTableTest, WhatCannotSucceedIsToldAtOnce) {
  settings_.token = Secret("pat-wrong");
  EXPECT_THAT(failure(), AllOf(HasSubstr("export.snowflake.token"), Not(HasSubstr("pat-wrong"))));
  EXPECT_EQ(log(), "");
}

TEST_F(SnowflakeTableTest, AHostThatIsAwayIsNamed) {
  settings_.base_url.port = 1;
  EXPECT_THAT(failure(), HasSubstr("Snowflake at 127.0.0.1 does not answer"));
}

}  // namespace
}  // namespace sluice::app
