#include "base/task.h"

namespace sluice {

// The coroutine type of TaskGroup::run: starts at once, frees itself at its end, is linked in the
// group meanwhile.
struct TaskGroup::Root {
  struct promise_type : Node {
    promise_type(TaskGroup* owner, Task<void>&) : group(owner) { group->link(this); }
    ~promise_type() { group->unlink(this); }

    Root get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept { std::terminate(); }

    static void* operator new(size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, size_t bytes) { free_frame(frame, bytes); }

    TaskGroup* group;
  };
};

TaskGroup::Root TaskGroup::run(TaskGroup*, Task<void> task) {
  co_await std::move(task);
}

void TaskGroup::spawn(Task<void> task) {
  run(this, std::move(task));
}

void TaskGroup::clear() {
  while (first_ != nullptr) {
    auto* promise = static_cast<Root::promise_type*>(first_);
    std::coroutine_handle<Root::promise_type>::from_promise(*promise).destroy();
  }
}

void TaskGroup::link(Node* node) {
  node->next = first_;
  if (first_ != nullptr) first_->previous = node;
  first_ = node;
  ++size_;
}

void TaskGroup::unlink(Node* node) {
  if (node->previous != nullptr) node->previous->next = node->next;
  if (node->next != nullptr) node->next->previous = node->previous;
  if (first_ == node) first_ = node->next;
  --size_;
}

}  // namespace sluice
