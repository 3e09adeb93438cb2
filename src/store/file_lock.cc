#include "store/file_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace sluice::store {

Result<FileLock> FileLock::take(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error(Outcome::Bug, "cannot make " + path + ": " + std::strerror(errno));
  FileLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return Error(Outcome::Bug, path + " is held by another process");
  return Error(Outcome::Bug, "cannot lock " + path + ": " + std::strerror(errno));
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace sluice::store
