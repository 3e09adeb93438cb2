// Bytes that grow at the end without being cleared first, with Loop::slack() readable bytes behind
// their room. From the frame pool: they come and go as often as coroutines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "base/frame_pool.h"
#include "net/loop.h"

namespace sluice::net {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  explicit ByteBuffer(size_t capacity) { reserve(capacity); }
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~ByteBuffer() {
    if (data_ != nullptr) free_frame(data_, capacity_ + Loop::slack());
  }

  std::string_view view() const { return {data_, size_}; }
  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  void clear() { size_ = 0; }
  void drop_front(size_t bytes) {
    size_ -= bytes;
    std::memmove(data_, data_ + bytes, size_);
  }
  // Exactly, if it is more than there is.
  void reserve(size_t bytes) {
    if (data_ != nullptr && bytes <= capacity_) return;
    auto* larger = static_cast<char*>(allocate_frame(bytes + Loop::slack()));
    if (size_ > 0) std::memcpy(larger, data_, size_);
    std::memset(larger + bytes, 0, Loop::slack());
    if (data_ != nullptr) free_frame(data_, capacity_ + Loop::slack());
    data_ = larger;
    capacity_ = bytes;
  }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (bytes.size() > capacity_ - size_) reserve(std::max(size_ + bytes.size(), capacity_ * 2));
    std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Room for reading into, to be told of by grown().
  std::span<char> tail() { return {data_ + size_, capacity_ - size_}; }
  void grown(size_t bytes) { size_ += bytes; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sluice::net
