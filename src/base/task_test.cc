#include "base/task.h"

#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>

namespace sluice {
namespace {

// A gate a coroutine can wait at until the test opens it.
struct Gate {
  std::coroutine_handle<> waiting;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiting = handle; }
  void await_resume() const {}
  void open() { std::exchange(waiting, nullptr).resume(); }
};

Task<int> answer() {
  co_return 42;
}
Task<std::string> twice(std::string text) {
  const int number = co_await answer();
  co_return text + text + std::to_string(number);
}
Task<int> fails() {
  throw std::runtime_error("broken");
  co_return 0;
}
Task<void> store(std::string* out) {
  *out = co_await twice("ab");
}
Task<void> hold(Gate* gate, std::shared_ptr<int> held) {
  co_await *gate;
  *held = 1;
}
Task<void> catch_into(std::string* out) {
  try {
    co_await fails();
  } catch (const std::exception& e) {
    *out = e.what();
  }
}

TEST(Task, GivesItsValueToTheAwaiter) {
  TaskGroup group;
  std::string out;
  group.spawn(store(&out));
  EXPECT_EQ(out, "abab42");
  EXPECT_TRUE(group.empty());
}

TEST(Task, PassesAnExceptionToTheAwaiter) {
  TaskGroup group;
  std::string out;
  group.spawn(catch_into(&out));
  EXPECT_EQ(out, "broken");
}

TEST(Task, DoesNothingUntilAwaited) {
  std::string out;
  { auto task = store(&out); }
  EXPECT_EQ(out, "");
}

TEST(TaskGroup, KeepsATaskUntilItEnds) {
  TaskGroup group;
  Gate gate;
  auto held = std::make_shared<int>(0);
  group.spawn(hold(&gate, held));
  EXPECT_EQ(group.size(), 1u);
  gate.open();
  EXPECT_EQ(*held, 1);
  EXPECT_TRUE(group.empty());
  EXPECT_EQ(held.use_count(), 1);
}

TEST(TaskGroup, DestroyingItFreesWhatItsTasksHold) {
  auto held = std::make_shared<int>(0);
  Gate gates[3];
  {
    TaskGroup group;
    for (Gate& gate : gates) group.spawn(hold(&gate, held));
    EXPECT_EQ(held.use_count(), 4);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

}  // namespace
}  // namespace sluice
