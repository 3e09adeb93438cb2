#include "base/lane_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

constexpr size_t kChunkBytes = 64 * 1024;

}  // namespace

bool LaneBuffer::append(std::string_view record) {
  return append(record.size(), [&](char* out, size_t) {
    std::memcpy(out, record.data(), record.size());
    return record.size();
  });
}

void LaneBuffer::start_chunk(size_t bound) {
  if (current_.size > 0) full_.push_back(std::move(current_));
  current_ = Chunk{};
  if (spare_.capacity >= bound) {
    current_ = std::exchange(spare_, Chunk{});
    return;
  }
  current_.capacity = std::max(bound, kChunkBytes);
  current_.data = std::make_unique_for_overwrite<char[]>(current_.capacity);
}

size_t LaneBuffer::take(std::vector<Chunk>& out) {
  const std::lock_guard lock(mutex_);
  size_t bytes = current_.size;
  for (Chunk& chunk : full_) {
    bytes += chunk.size;
    out.push_back(std::move(chunk));
  }
  full_.clear();
  if (current_.size > 0) {
    out.push_back(std::move(current_));
    current_ = std::exchange(spare_, Chunk{});
  }
  return bytes;
}

void LaneBuffer::release(size_t bytes, Chunk spare) {
  const std::lock_guard lock(mutex_);
  outstanding_ -= std::min(bytes, outstanding_);
  if (spare_.capacity == 0 && spare.capacity == kChunkBytes) {
    spare.size = 0;
    spare_ = std::move(spare);
  }
}

size_t LaneBuffer::outstanding() const {
  const std::lock_guard lock(mutex_);
  return outstanding_;
}

}  // namespace sluice
