#include "app/file_content.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace sluice::app {
namespace {

constexpr size_t kMost = 16 << 20;  // far above any configuration, far below /dev/zero

Error failed(int code) {
  return Error(Outcome::BadRequest, std::generic_category().message(code));
}

Result<std::string> read_all(int descriptor) {
  std::string text;
  std::array<char, 16384> piece;
  for (;;) {
    const ssize_t count = read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    if (count == 0) return text;
    text.append(piece.data(), static_cast<size_t>(count));
    if (text.size() > kMost) return Error(Outcome::BadRequest, "it is larger than 16 MiB");
  }
}

Result<void> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    text.remove_prefix(static_cast<size_t>(count));
  }
  if (fsync(descriptor) != 0) return failed(errno);
  return {};
}

}  // namespace

Result<std::string> file_content(std::string_view path) {
  const int descriptor = open(std::string(path).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed(errno);
  Result<std::string> text = read_all(descriptor);
  close(descriptor);
  return text;
}

Result<void> replace_file(const std::string& path, std::string_view content) {
  const std::string beside = path + ".new";
  const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return failed(errno);
  Result<void> written = write_all(descriptor, content);
  close(descriptor);
  if (written && rename(beside.c_str(), path.c_str()) != 0) written = failed(errno);
  if (!written) unlink(beside.c_str());
  return written;
}

}  // namespace sluice::app
