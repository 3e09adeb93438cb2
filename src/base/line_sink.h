// Where log lines go: a file, or stdout or stderr. Lines are appended to a bounded queue in memory
// and written by a background thread in large pieces, so no request ever waits for a disk, a pipe
// or a terminal. When the sink is slower than the lines, lines are dropped and counted; when a
// write fails, what it held is dropped and counted.
//
// append() may be called from any thread; each busy thread should use its own lane.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/lane_buffer.h"
#include "base/result.h"
#include "base/thread.h"

namespace sluice {

struct LineSinkOptions {
  unsigned lanes = 1;
  size_t cap_bytes = 8 << 20;  // over all lanes
  int flush_millis = 50;       // how long a line may wait for company
};

class LineSink {
 public:
  // `fd` is borrowed: stdout or stderr.
  LineSink(int fd, LineSinkOptions options);
  // Appends to the file, which is created if missing.
  static Result<std::unique_ptr<LineSink>> to_file(const std::string& path,
                                                   LineSinkOptions options);
  // Writes what is queued, waiting at most a second for a sink that does not move.
  ~LineSink();

  // A whole line with its newline, written by write(char* out, size_t) as LaneBuffer says. False:
  // dropped and counted.
  template <class Write>
  bool append(unsigned lane, size_t bound, Write&& write) {
    LaneBuffer& buffer = *lanes_[lane % lanes_.size()];
    if (buffer.append(bound, std::forward<Write>(write))) return true;
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  bool append(unsigned lane, std::string_view line);

  // Returns when every line appended before the call was written or dropped.
  void flush();

  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  bool is_terminal() const { return terminal_; }

 private:
  LineSink(int fd, bool owned, LineSinkOptions options);
  void run();
  void drain();
  // False if the sink takes no more bytes now or ever.
  bool write_all(std::string_view text);
  bool wait_writable();

  const int fd_;
  const bool owned_;
  const LineSinkOptions options_;
  bool terminal_ = false;
  bool regular_ = false;
  std::vector<std::unique_ptr<LaneBuffer>> lanes_;
  std::atomic<uint64_t> dropped_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable drained_;
  uint64_t asked_ = 0;  // flushes
  uint64_t done_ = 0;
  std::atomic<bool> stopping_ = false;
  NamedThread thread_;
};

}  // namespace sluice
