// A named thread that is joined when it goes out of scope: one of the few places where the tree
// makes threads. The name (at most 15 bytes) is what top, gdb and perf show.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace sluice {

class NamedThread {
 public:
  NamedThread() = default;
  NamedThread(std::string name, std::function<void()> body);
  NamedThread(NamedThread&&) noexcept = default;
  // Joins the thread that was there.
  NamedThread& operator=(NamedThread&& other) noexcept;
  ~NamedThread() { join(); }

  bool running() const { return thread_.joinable(); }
  // The body must have been told to end by other means.
  void join();

 private:
  std::thread thread_;
};

}  // namespace sluice
