// For the tests of the ledger: a ledger on a fresh file, with a journal that stores when told to.
#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>

#include "base/id.h"
#include "store/schema.h"
#include "telemetry/ledger.h"
#include "telemetry/ledger_sink.h"

namespace sluice::telemetry {

class ManualClock final : public Clock {
 public:
  Nanos monotonic() const override { return now; }
  int64_t wall_micros() const override { return 1'795'424'461'001'000 + now / 1000; }
  Nanos now = kSecond;
};

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "ledger_test_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    start();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  // Builds everything on the same file: a restart of the program.
  void start(size_t cap_bytes = 64 << 20, size_t max_names = 4096) {
    auto database = store::open_store(path(), store::ledger_schema(), open_options_);
    ASSERT_TRUE(database) << database.error().message();
    start(std::move(*database), cap_bytes, max_names);
  }
  void start(store::Database opened, size_t cap_bytes = 64 << 20, size_t max_names = 4096) {
    std::optional<store::Database> database(std::move(opened));
    auto base = read_usage_base(*database);
    ASSERT_TRUE(base) << base.error().message();
    auto floor = read_last_key(*database);
    ASSERT_TRUE(floor);
    ids_.emplace(0, 1, *floor);
    access_ = std::move(*LineSink::to_file(folder_ + "/access.log", {}));
    lines_ = std::move(*LineSink::to_file(folder_ + "/log", {}));
    log_.emplace(*lines_, clock_, LogStyle::Json);
    registry_.emplace(2U);
    sink_.emplace(max_names);
    journal_.emplace(
        std::move(*database), *sink_, clock_, *log_,
        store::JournalOptions{.lanes = 2, .cap_bytes = cap_bytes, .last_attempts = last_attempts_});
    ledger_.emplace(LedgerParts{.registry = *registry_,
                                .journal = *journal_,
                                .access = access_.get(),
                                .log = *log_,
                                .clock = clock_},
                    prices_, *base);
  }
  void stop() {
    ledger_.reset();
    if (journal_) EXPECT_EQ(journal_->queued_bytes(), 0U);
    journal_.reset();
    log_.reset();
    access_.reset();
    lines_.reset();
  }

  Record record(const TargetMeters* meters) {
    Record r;
    r.started_micros = clock_.wall_micros();
    r.key = ids_->next_key(r.started_micros);
    r.request_id = ids_->request_id(r.key);
    r.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    r.endpoint = "chat";
    r.asked_model = "tier2";
    r.meters = meters;
    if (meters != nullptr) {
      r.provider = meters->provider();
      r.model = meters->model();
      r.alias = meters->alias();
      r.attempts.push_back(
          {.target = r.provider + "/" + r.model, .status = 200, .duration_micros = 9'000});
    }
    r.status = 200;
    r.duration_micros = 12'345;
    r.upstream_micros = 12'000;
    r.overhead_micros = 31;
    return r;
  }
  static chat::Usage usage(int64_t input, int64_t output) {
    chat::Usage u;
    u.plain_input = input;
    u.visible_output = output;
    return u;
  }

  std::string path() const { return folder_ + "/ledger.db"; }
  store::Database reader() {
    return std::move(*store::Database::open(path(), {.mode = store::OpenMode::ReadOnly}));
  }
  int64_t query(std::string_view sql) {
    auto value = reader().integer(sql);
    EXPECT_TRUE(value) << value.error().message();
    return value ? *value : -1;
  }
  std::string text(std::string_view sql) {
    const store::Database database = reader();
    auto statement = database.prepare(sql);
    EXPECT_TRUE(statement) << statement.error().message();
    auto row = statement->step();
    return row && *row ? std::string(statement->text(0)) : "no row";
  }
  std::string read_file(const std::string& name) {
    std::ostringstream out;
    out << std::ifstream(folder_ + "/" + name).rdbuf();
    return out.str();
  }
  // The sum of a family's samples on the page, of those lines that hold `part`; in units of
  // 10^-decimals.
  int64_t metric(const std::string& name, const std::string& part = "", int decimals = 0) {
    std::istringstream page(registry_->text());
    int64_t sum = 0;
    for (std::string line; std::getline(page, line);) {
      if (!line.starts_with(name + "{") && !line.starts_with(name + " ")) continue;
      if (line.find(part) == std::string::npos) continue;
      std::string value = line.substr(line.rfind(' ') + 1);
      const size_t point = value.find('.');
      std::string fraction = point == std::string::npos ? "" : value.substr(point + 1);
      fraction.resize(static_cast<size_t>(decimals), '0');
      sum += std::stoll(value.substr(0, point) + fraction);
    }
    return sum;
  }

  std::string folder_;
  store::OpenOptions open_options_{.outlives_power_cuts = true};  // as the gateway does
  int last_attempts_ = 5;
  ManualClock clock_;
  std::shared_ptr<const PriceTable> prices_ =
      std::make_shared<const PriceTable>(PriceTable::built_in());
  std::optional<IdSource> ids_;
  std::unique_ptr<LineSink> access_;
  std::unique_ptr<LineSink> lines_;
  std::optional<Logger> log_;
  std::optional<Registry> registry_;
  std::optional<LedgerSink> sink_;
  std::optional<store::Journal> journal_;
  std::optional<Ledger> ledger_;
};

}  // namespace sluice::telemetry
