#include "app/control_thread.h"

#include <gtest/gtest.h>
#include <vector>

namespace sluice::app {
namespace {

TEST(ControlThread, DoesWhatIsPostedInTurnAndAllOfItBeforeItEnds) {
  ControlThread thread;
  std::vector<int> done;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(thread.post([&done, i] { done.push_back(i); }));
  EXPECT_TRUE(done.empty()) << "not before it is started";
  thread.start();
  thread.post([&done] { done.push_back(100); });
  thread.stop();
  ASSERT_EQ(done.size(), 101U);
  for (int i = 0; i < 101; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
  EXPECT_FALSE(thread.post([] {}));
}

TEST(ControlThread, AReloadNeedNotWaitForCallsThatWait) {
  ControlThread thread;
  std::vector<int> done;
  for (int i = 1; i < 4; ++i) thread.post([&done, i] { done.push_back(i); });
  EXPECT_TRUE(thread.post_first([&done] { done.push_back(0); }));
  thread.start();
  thread.run([] {});
  thread.stop();
  EXPECT_EQ(done, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_FALSE(thread.post_first([] {}));
}

TEST(ControlThread, TakesNoMoreThanItCanRemember) {
  ControlThread thread;
  for (size_t i = 0; i < ControlThread::kMostWaiting; ++i) EXPECT_TRUE(thread.post([] {}));
  EXPECT_FALSE(thread.post([] {}));
  EXPECT_TRUE(thread.post_first([] {})) << "but for a reload";
  thread.start();
  while (!thread.post([] {})) thread.run([] {});
}

}  // namespace
}  // namespace sluice::app
