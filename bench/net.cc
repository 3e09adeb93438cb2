#include "bench/net.h"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace sluice::bench {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

int64_t read_clock(clockid_t id) {
  timespec ts{};
  if (clock_gettime(id, &ts) != 0) return 0;
  return ts.tv_sec * kNsPerSecond + ts.tv_nsec;
}

sockaddr_in loopback(int port) {
  sockaddr_in addr{};
  addr.sin_family = AF_INET;
  addr.sin_port = htons(static_cast<uint16_t>(port));
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return addr;
}

void send_at_once(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

}  // namespace

int64_t now_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t process_cpu_ns(int pid) {
  clockid_t id{};
  if (clock_getcpuclockid(pid, &id) != 0) return 0;
  return read_clock(id);
}

void die(const std::string& message) {
  fmt::print(stderr, "{}\n", message);
  std::exit(1);
}

void prepare_process() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  prctl(PR_SET_TIMERSLACK, 1);
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
}

TlsContext server_tls(const std::string& cert_file, const std::string& key_file) {
  TlsContext ctx(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate_chain_file(ctx.get(), cert_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(ctx.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    die("cannot load the TLS certificate " + cert_file + " or its key");
  }
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  return ctx;
}

TlsContext client_tls() {
  TlsContext ctx(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  return ctx;
}

Stream::Stream(Stream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      ssl_(std::exchange(other.ssl_, nullptr)),
      blocked_on_write_(other.blocked_on_write_) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    ssl_ = std::exchange(other.ssl_, nullptr);
    blocked_on_write_ = other.blocked_on_write_;
  }
  return *this;
}

void Stream::close() {
  if (ssl_ != nullptr) SSL_free(std::exchange(ssl_, nullptr));
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

ssize_t Stream::outcome(int result, int error_code) {
  if (result > 0) return result;
  blocked_on_write_ = error_code == SSL_ERROR_WANT_WRITE;
  return error_code == SSL_ERROR_WANT_READ || error_code == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

ssize_t Stream::read(char* data, size_t size) {
  if (ssl_ != nullptr) {
    int result = SSL_read(ssl_, data, static_cast<int>(size));
    return outcome(result, result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result));
  }
  ssize_t got = ::recv(fd_, data, size, 0);
  if (got > 0) return got;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

ssize_t Stream::write(const char* data, size_t size) {
  if (ssl_ != nullptr) {
    int result = SSL_write(ssl_, data, static_cast<int>(size));
    return outcome(result, result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result));
  }
  ssize_t put = ::send(fd_, data, size, MSG_NOSIGNAL);
  if (put > 0) return put;
  blocked_on_write_ = put < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN);
  return blocked_on_write_ ? 0 : -1;
}

int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  sockaddr_in addr = loopback(port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&addr), sizeof(addr)) != 0 || listen(fd, 4096) != 0) {
    die(fmt::format("cannot listen on 127.0.0.1:{}: {}", port, std::strerror(errno)));
  }
  return fd;
}

Stream accept_from(int listener, SSL_CTX* tls) {
  int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return {};
  send_at_once(fd);
  if (tls == nullptr) return {fd, nullptr};
  SSL* ssl = SSL_new(tls);
  SSL_set_fd(ssl, fd);
  SSL_set_accept_state(ssl);
  return {fd, ssl};
}

Stream connect_to(int port, SSL_CTX* tls) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die(fmt::format("no more sockets: {}", std::strerror(errno)));
  send_at_once(fd);
  sockaddr_in addr = loopback(port);
  int result = connect(fd, reinterpret_cast<sockaddr*>(&addr), sizeof(addr));
  if (result != 0 && errno != EINPROGRESS) {
    ::close(fd);
    return {};
  }
  if (tls == nullptr) return {fd, nullptr};
  SSL* ssl = SSL_new(tls);
  SSL_set_fd(ssl, fd);
  SSL_set_tlsext_host_name(ssl, "localhost");
  SSL_set_connect_state(ssl);
  return {fd, ssl};
}

}  // namespace sluice::bench
