#include "store/file_lock.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace sluice::store {
namespace {

class FileLockTest : public testing::Test {
 protected:
  ~FileLockTest() override { std::filesystem::remove(path_); }
  const std::string path_ = testing::TempDir() + "lock-" + std::to_string(getpid());
};

TEST_F(FileLockTest, IsHeldByOneAndFreeAgainWhenThatOneIsGone) {
  {
    auto first = FileLock::take(path_);
    ASSERT_TRUE(first) << first.error().message();
    auto second = FileLock::take(path_);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message(), testing::HasSubstr("held by another process"));
  }
  EXPECT_TRUE(FileLock::take(path_));
}

TEST_F(FileLockTest, SaysWhyItCannotBeMade) {
  auto lock = FileLock::take("/no/such/folder/lock");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message(), testing::HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace sluice::store
