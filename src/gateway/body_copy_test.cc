#include "gateway/body_copy.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <unistd.h>

#include "base/id.h"

namespace sluice::gateway {
namespace {

class StillClock final : public Clock {
 public:
  Nanos monotonic() const override { return kSecond; }
  int64_t wall_micros() const override { return 1'795'424'461'000'000; }
};

class BodyCopyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "body_copy_test_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    lines_ = std::move(*LineSink::to_file(folder_ + "/log", {}));
    log_.emplace(*lines_, clock_, LogStyle::Json);
    auto database = telemetry::open_bodies(file());
    ASSERT_TRUE(database);
    telemetry::BodyStoreOptions options;
    options.path = file();
    options.limit = 10;
    options.queue_limit = 2000;
    store_.emplace(*std::move(database), options,
                   telemetry::BodyStoreParts{.clock = clock_, .log = *log_, .registry = registry_});
    record_.key = ids_.next_key(clock_.wall_micros());
    record_.request_id = ids_.request_id(record_.key);
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  telemetry::KeptBodies kept() {
    EXPECT_TRUE(store_->drain());
    auto found = telemetry::find_bodies(*telemetry::open_bodies(file()),
                                        *parse_request_id(record_.request_id));
    EXPECT_TRUE(found && *found);
    return found && *found ? (*found)->kept : telemetry::KeptBodies();
  }
  std::string file() const { return folder_ + "/bodies.db"; }

  StillClock clock_;
  std::string folder_;
  std::unique_ptr<LineSink> lines_;
  std::optional<Logger> log_;
  Registry registry_{1U};
  std::optional<telemetry::BodyStore> store_;
  IdSource ids_{0, 1};
  telemetry::Record record_;
};

TEST_F(BodyCopyTest, PiecesBecomeOneBodyUpToTheLimit) {
  BodyCopy copy(*store_);
  copy.asked("0123456789");
  for (const char* piece : {"data: ", "one", "\n\n", "data: two"}) copy.sent(piece);
  copy.hand_over(record_);
  EXPECT_EQ(kept().request.bytes, "0123456789");
  EXPECT_EQ(kept().request.size, 10U);
  EXPECT_EQ(kept().answer.bytes, "data: one\n");
  EXPECT_EQ(kept().answer.size, 20U);
}

TEST_F(BodyCopyTest, WithoutRoomBothBodiesAreDroppedAndTheRoomIsGivenBack) {
  ASSERT_TRUE(store_->hold(1985));  // by others
  {
    BodyCopy copy(*store_);
    copy.asked("0123456789");
    copy.sent("012345");
    copy.sent("more");
    EXPECT_TRUE(store_->hold(15)) << "given back at once";
    copy.hand_over(record_);
  }
  EXPECT_TRUE(kept().dropped);
  EXPECT_EQ(kept().request.bytes + kept().answer.bytes, "");
  EXPECT_EQ(kept().answer.size, 10U) << "what it was is known";
  store_->let_go(2000);
}

TEST_F(BodyCopyTest, WhatItHoldsEndsWithIt) {
  {
    BodyCopy copy(*store_);
    copy.asked("0123456789");
    EXPECT_FALSE(store_->hold(1995));
  }
  EXPECT_TRUE(store_->hold(2000));
  store_->let_go(2000);
}

}  // namespace
}  // namespace sluice::gateway
