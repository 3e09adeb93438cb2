#include "app/secret_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "app/file_content.h"
#include "governance/virtual_key.h"

namespace sluice::app {
namespace {

constexpr size_t kShortest = 32;

Result<Secret> make_secret(const std::string& path) {
  std::array<uint8_t, 32> random;
  if (RAND_bytes(random.data(), random.size()) != 1)
    return Error(Outcome::Bug, "the system gives no random numbers");
  governance::Digest digest;
  std::memcpy(digest.data(), random.data(), digest.size());
  Secret secret(governance::hex_of(digest));
  if (Result<void> written = write_secret_file(path, secret); !written)
    return std::move(written).error();
  return secret;
}

}  // namespace

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

Result<Secret> kept_secret(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return make_secret(path);
  const auto content = file_content(path);
  if (!content || content->size() < kShortest)
    return Error(Outcome::Bug, path + " cannot be read, or is not what this program wrote");
  return Secret(*content);
}

}  // namespace sluice::app
