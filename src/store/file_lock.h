// A lock that one process holds while it lives, on a file made for it. The kernel lets go of it
// however the process ends.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace sluice::store {

class FileLock {
 public:
  // Errors: another process holds it, or the file cannot be made.
  static Result<FileLock> take(const std::string& path);

  FileLock() = default;
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace sluice::store
