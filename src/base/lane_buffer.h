// Bytes on their way from one busy thread to one background thread: the queue under the log and the
// journal. The busy side appends records in place, without allocation or system call in the steady
// state; the other side takes all of them at once, several times a second. Bounded: an append
// beyond the cap is refused, and bytes count until release() says that they are dealt with, not
// merely taken.
//
// Any thread may append, but each busy thread should have a lane of its own: then the lock is never
// contended but for the moment of taking.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace sluice {

class LaneBuffer {
 public:
  // A run of whole records.
  struct Chunk {
    std::unique_ptr<char[]> data;
    size_t size = 0;
    size_t capacity = 0;
    std::string_view text() const { return {data.get(), size}; }
  };

  explicit LaneBuffer(size_t cap_bytes) : cap_(cap_bytes) {}
  LaneBuffer(const LaneBuffer&) = delete;
  LaneBuffer& operator=(const LaneBuffer&) = delete;

  // write(char* out, size_t outstanding) puts at most `bound` bytes and returns how many; it hears
  // how full the buffer is. False if there is no room: then write was not called.
  template <class Write>
  bool append(size_t bound, Write&& write) {
    const std::lock_guard lock(mutex_);
    if (outstanding_ + bound > cap_) return false;
    if (current_.capacity - current_.size < bound) start_chunk(bound);
    const size_t written = write(current_.data.get() + current_.size, outstanding_);
    current_.size += written;
    outstanding_ += written;
    return true;
  }
  bool append(std::string_view record);

  // Moves everything to the end of `out`, in order. Returns the number of bytes moved.
  size_t take(std::vector<Chunk>& out);
  // A taken chunk of so many bytes is dealt with; its memory may be used again.
  void release(size_t bytes, Chunk spare);

  // Bytes appended and not yet released.
  size_t outstanding() const;
  size_t cap() const { return cap_; }

 private:
  void start_chunk(size_t bound);

  const size_t cap_;
  mutable std::mutex mutex_;
  size_t outstanding_ = 0;
  Chunk current_;
  Chunk spare_;
  std::vector<Chunk> full_;
};

}  // namespace sluice
