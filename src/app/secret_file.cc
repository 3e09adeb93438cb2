#include "app/secret_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace sluice::app {

Result<void> write_secret_file(const std::string& path, const Secret& secret) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return Error(Outcome::Bug, "cannot make " + path + ": " + std::strerror(errno));
  const std::string_view text = secret.reveal();
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  ::close(file);
  if (written) return {};
  ::unlink(path.c_str());
  return Error(Outcome::Bug, "cannot write " + path);
}

}  // namespace sluice::app
