// The coroutine statements that g++ 12 compiles into double frees or not at all, and that the
// pinned compiler must get right (docs/adr/0001-compiler.md). The rest of the tree avoids them all
// the same; these tests say when a change of compiler would matter. They prove the most under ASan.
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"

namespace sluice {
namespace {

// Counts its living copies, so that a second destruction is seen without ASan too.
class Counted {
 public:
  explicit Counted(int* living) : living_(living) { ++*living_; }
  Counted(const Counted& other) : living_(other.living_) { ++*living_; }
  Counted(Counted&& other) noexcept : living_(other.living_) { ++*living_; }
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --*living_; }

 private:
  int* living_;
};

// An aggregate with members that own memory.
struct Request {
  std::string url;
  Counted counted;
};

struct Reply {
  std::string first;
  std::string second;
};

const char kLong[] = "long enough to live on the heap, whatever the library's string does inside";

Task<std::string> text() {
  co_return std::string(kLong);
}
Task<size_t> take(Request request) {
  co_return request.url.size();
}
Task<size_t> take_reference(const Request& request) {
  co_return request.url.size();
}
Task<size_t> take_rvalue(Request&& request) {
  co_return request.url.size();
}
Task<size_t> call(std::function<size_t()> function) {
  co_return function();
}
Task<size_t> take_list(std::vector<std::string> list) {
  co_return list.size();
}
// Not a coroutine: only hands one on.
Task<size_t> plain(const Request& request) {
  return take(request);
}

Task<size_t> aggregate_by_value(int* living) {
  co_return co_await take({.url = kLong, .counted = Counted(living)});
}
Task<size_t> aggregate_by_reference(int* living) {
  co_return co_await take_reference(Request{kLong, Counted(living)});
}
Task<size_t> aggregate_by_rvalue(int* living) {
  co_return co_await take_rvalue(Request{.url = kLong, .counted = Counted(living)});
}
Task<size_t> aggregate_to_a_plain_function(int* living) {
  co_return co_await plain({kLong, Counted(living)});
}
Task<size_t> aggregate_built_from_an_await() {
  Reply reply{co_await text(), kLong};
  co_return reply.first.size() + reply.second.size();
}
Task<Reply> aggregate_returned_from_an_await() {
  co_return Reply{co_await text(), kLong};
}
Task<size_t> aggregate_returned() {
  const Reply reply = co_await aggregate_returned_from_an_await();
  co_return reply.first.size() + reply.second.size();
}
Task<size_t> lambda_by_value(int* living) {
  const Counted counted(living);
  const std::string url = kLong;
  co_return co_await call([url, counted] { return url.size(); });
}
Task<size_t> braced_list() {
  const std::string url = kLong;
  co_return co_await take_list({url, url, url});
}
Task<void> store(size_t* out, Task<size_t> task) {
  *out = co_await std::move(task);
}

size_t run(Task<size_t> task) {
  TaskGroup group;
  size_t out = 0;
  group.spawn(store(&out, std::move(task)));
  EXPECT_TRUE(group.empty());
  return out;
}

constexpr size_t kLength = sizeof(kLong) - 1;

TEST(Compiler, DestroysAnAwaitedCallsAggregateOnce) {
  for (auto* coroutine : {aggregate_by_value, aggregate_by_reference, aggregate_by_rvalue,
                          aggregate_to_a_plain_function}) {
    int living = 0;
    EXPECT_EQ(run(coroutine(&living)), kLength);
    EXPECT_EQ(living, 0);
  }
}

TEST(Compiler, BuildsAnAggregateFromAnAwaitedValue) {
  EXPECT_EQ(run(aggregate_built_from_an_await()), 2 * kLength);
  EXPECT_EQ(run(aggregate_returned()), 2 * kLength);
}

TEST(Compiler, DestroysALambdaCapturedByValueOnce) {
  int living = 0;
  EXPECT_EQ(run(lambda_by_value(&living)), kLength);
  EXPECT_EQ(living, 0);
}

TEST(Compiler, TakesABracedListInAnAwaitedCall) {
  EXPECT_EQ(run(braced_list()), 3u);
}

}  // namespace
}  // namespace sluice
