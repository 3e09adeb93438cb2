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
  thread.run([&done] { done.push_back(100); });
  EXPECT_EQ(done.size(), 101U);
  thread.post([&done] { done.push_back(101); });
  thread.stop();
  ASSERT_EQ(done.size(), 102U);
  for (int i = 0; i < 102; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
  EXPECT_FALSE(thread.post([] {}));
}

TEST(ControlThread, TakesNoMoreThanItCanRemember) {
  ControlThread thread;
  for (size_t i = 0; i < ControlThread::kMostWaiting; ++i) EXPECT_TRUE(thread.post([] {}));
  EXPECT_FALSE(thread.post([] {}));
  thread.start();
  thread.run([] {});
  EXPECT_TRUE(thread.post([] {}));
}

}  // namespace
}  // namespace sluice::app
