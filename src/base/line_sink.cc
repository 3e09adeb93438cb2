#include "base/line_sink.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

// What a pipe that polls writable takes without blocking: PIPE_BUF.
constexpr size_t kPipeBite = 4096;
constexpr int kPollMillis = 100;
constexpr int kLastPollMillis = 1000;

}  // namespace

LineSink::LineSink(int fd, LineSinkOptions options) : LineSink(fd, false, options) {}

LineSink::LineSink(int fd, bool owned, LineSinkOptions options)
    : fd_(fd), owned_(owned), options_(options), terminal_(isatty(fd) == 1) {
  struct stat status {};
  regular_ = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  const unsigned lanes = std::max(1U, options.lanes);
  for (unsigned i = 0; i < lanes; ++i) {
    lanes_.push_back(std::make_unique<LaneBuffer>(options.cap_bytes / lanes));
  }
  thread_ = NamedThread("sluice-log", [this] { run(); });
}

Result<std::unique_ptr<LineSink>> LineSink::to_file(const std::string& path,
                                                    LineSinkOptions options) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) {
    return Error(Outcome::Bug, "cannot open log file " + path + ": " + strerror(errno));
  }
  return std::unique_ptr<LineSink>(new LineSink(fd, true, options));
}

LineSink::~LineSink() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (owned_) close(fd_);
}

bool LineSink::append(unsigned lane, std::string_view line) {
  return append(lane, line.size(), [&](char* out, size_t) {
    memcpy(out, line.data(), line.size());
    return line.size();
  });
}

void LineSink::flush() {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++asked_;
  wake_.notify_one();
  drained_.wait(lock, [&] { return done_ >= mine; });
}

void LineSink::run() {
  const auto period = std::chrono::milliseconds(options_.flush_millis);
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    wake_.wait_for(lock, period, [&] { return stopping_ || asked_ > done_; });
    last = stopping_;
    const uint64_t asked = asked_;
    lock.unlock();
    drain();
    lock.lock();
    done_ = asked;
    drained_.notify_all();
  }
}

void LineSink::drain() {
  std::vector<LaneBuffer::Chunk> chunks;
  for (const auto& lane : lanes_) {
    chunks.clear();
    lane->take(chunks);
    for (LaneBuffer::Chunk& chunk : chunks) {
      const size_t size = chunk.size;
      write_all(chunk.text());
      lane->release(size, std::move(chunk));
    }
  }
}

bool LineSink::write_all(std::string_view text) {
  while (!text.empty()) {
    ssize_t written = -1;
    if (regular_ || wait_writable()) {
      const size_t bite = regular_ ? text.size() : std::min(text.size(), kPipeBite);
      written = write(fd_, text.data(), bite);
      if (written < 0 && errno == EINTR) continue;
    }
    if (written < 0) {
      const auto lines = std::count(text.begin(), text.end(), '\n');
      dropped_.fetch_add(static_cast<uint64_t>(lines), std::memory_order_relaxed);
      return false;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// Waits for ever while the process runs (the queue fills and drops meanwhile), briefly when it
// ends.
bool LineSink::wait_writable() {
  for (bool last = false;;) {
    last = stopping_;
    pollfd wanted{.fd = fd_, .events = POLLOUT, .revents = 0};
    const int ready = poll(&wanted, 1, last ? kLastPollMillis : kPollMillis);
    if (ready > 0) return (wanted.revents & (POLLERR | POLLNVAL)) == 0;
    if (ready < 0 && errno != EINTR) return false;
    if (last) return false;
  }
}

}  // namespace sluice
