#include "net/socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace sluice::net {
namespace {

constexpr Nanos kAcceptPause = 100 * kMillisecond;
constexpr int kBacklog = 1024;

Error connect_error(const Address& address, int error) {
  return Error(Outcome::ConnectError,
               "could not connect to " + address.text() + ": " + std::strerror(error));
}

// The kernel asks a silent peer whether it is still there, so that one that vanished without a word
// (a host that restarted, an address translation that expired) is noticed, idle or in the middle of
// a long reply.
void watch_over(int fd) {
  const int on = 1;
  const int idle_seconds = 5;
  const int interval_seconds = 5;
  const int probes = 4;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

// Waits until the socket says something; for a connect in progress that is its result.
class Connected final : public IoWait {
 public:
  Connected(Stream& stream, Until until) : IoWait(stream, until) {}
  IoResult await_resume() { return IoWait::finish(); }

 private:
  bool step() override { return stream_.readiness().ready(Readiness::kOut); }
  uint8_t interest() const override { return Readiness::kOut; }
};

}  // namespace

Address::Address(const sockaddr* address, socklen_t length) : length_(length) {
  std::memcpy(&storage_, address, length);
}

Result<Address> Address::parse(std::string_view text) {
  const auto bad = [&](const char* why) {
    return Error(Outcome::BadRequest, "'" + std::string(text) + "' is not an address: " + why);
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("expected HOST:PORT");
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    return bad("the port is not a number from 0 to 65535");
  }
  std::string host(text.substr(0, colon));
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 v6{.sin6_family = AF_INET6,
                    .sin6_port = htons(port),
                    .sin6_flowinfo = 0,
                    .sin6_addr = {},
                    .sin6_scope_id = 0};
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1) {
      return bad("expected an IPv6 address between the brackets");
    }
    return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) {
    return bad("expected an IPv4 address, a bracketed IPv6 address or nothing before the port");
  }
  return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
}

Address Address::unix_socket(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return Address(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

uint16_t Address::port() const {
  return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port
                                    : reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

std::string Address::ip_text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text,
              sizeof text);
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text,
              sizeof text);
  }
  return text;
}

std::string Address::text() const {
  if (family() == AF_UNIX) return reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
  const std::string port_text = std::to_string(port());
  return family() == AF_INET6 ? "[" + ip_text() + "]:" + port_text : ip_text() + ":" + port_text;
}

bool Address::is_loopback() const {
  if (family() == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr);
  }
  return ntohl(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr.s_addr) >> 24 == 127;
}

Socket::Socket(Loop& loop, int fd) : readiness_(loop), fd_(fd) {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A fresh connection is worth one try in each direction; epoll speaks only of changes.
  readiness_.set_ready(Readiness::kIn | Readiness::kOut);
  loop.watch(fd_, *this);
}

Socket::~Socket() {
  readiness_.loop().unwatch(fd_);
  close(fd_);
}

Task<Result<std::unique_ptr<Socket>>> Socket::connect(Loop& loop, Address address, Until until) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return connect_error(address, errno);
  const bool pending = ::connect(fd, address.get(), address.length()) != 0;
  if (pending && errno != EINPROGRESS) {
    const int error = errno;
    close(fd);
    co_return connect_error(address, error);
  }
  auto socket = std::make_unique<Socket>(loop, fd);
  watch_over(fd);
  if (pending) {
    socket->readiness_.clear_ready(Readiness::kIn | Readiness::kOut);
    const IoResult result = co_await Connected(*socket, until);
    if (result.status == IoStatus::Cancelled)
      co_return Error(until.cancel()->why(), "the client went away");
    if (result.status == IoStatus::Timeout) {
      co_return Error(Outcome::ConnectTimeout,
                      "connecting to " + address.text() + " took too long");
    }
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) co_return connect_error(address, error);
  }
  co_return std::move(socket);
}

IoResult Socket::try_read(std::span<char> into) {
  if (!readiness_.ready(Readiness::kIn)) return {.status = IoStatus::Again};
  ssize_t got;
  do {
    got = recv(fd_, into.data(), into.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    // A short read has emptied the kernel's buffer, so the next news is a new edge; unless the end
    // has been announced already, which no edge will repeat.
    if (static_cast<size_t>(got) < into.size() && !readiness_.hung_up())
      readiness_.clear_ready(Readiness::kIn);
    return {.status = IoStatus::Ok, .error = 0, .bytes = static_cast<size_t>(got)};
  }
  if (got == 0) return {.status = IoStatus::Eof};
  if (errno == EAGAIN) {
    readiness_.clear_ready(Readiness::kIn);
    return {.status = IoStatus::Again};
  }
  return {.status = IoStatus::Failed, .error = errno};
}

IoResult Socket::try_write(std::span<const iovec> from) {
  if (!readiness_.ready(Readiness::kOut)) return {.status = IoStatus::Again};
  ssize_t sent;
  do {
    if (from.size() == 1) {
      sent = send(fd_, from[0].iov_base, from[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(from.data());
      message.msg_iovlen = from.size();
      sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
    }
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {.status = IoStatus::Ok, .error = 0, .bytes = static_cast<size_t>(sent)};
  if (errno == EAGAIN) {
    readiness_.clear_ready(Readiness::kOut);
    return {.status = IoStatus::Again};
  }
  return {.status = IoStatus::Failed, .error = errno};
}

void Socket::finish() {
  shutdown(fd_, SHUT_WR);
}

int64_t Socket::unacknowledged_bytes() const {
  // Not TCP_INFO's counters: those count retransmitted bytes twice and the SYN as one. This one
  // still stands after a reset.
  int bytes = 0;
  return ioctl(fd_, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

std::optional<Address> Socket::peer() const {
  sockaddr_storage storage;
  socklen_t length = sizeof storage;
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return std::nullopt;
  return Address(reinterpret_cast<const sockaddr*>(&storage), length);
}

void Socket::abort_on_close() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void Socket::on_events(uint32_t events) {
  // Order matters: notify() and notify_hang_up() may resume a coroutine that destroys this socket,
  // so each is last.
  const bool gone = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  uint8_t what = 0;
  if (gone || (events & EPOLLIN) != 0) what |= Readiness::kIn;
  if (gone || (events & EPOLLOUT) != 0) what |= Readiness::kOut;
  if (gone && readiness_.watched_for_hang_up()) {
    readiness_.set_ready(what);
    readiness_.notify_hang_up();
    return;
  }
  if (gone) readiness_.notify_hang_up();
  readiness_.notify(what);
}

class Listener::Retry final : public Timer {
 public:
  explicit Retry(Listener& listener) : listener_(listener) {}
  void arm_after(Nanos wait) { listener_.loop_.timers().arm(*this, listener_.loop_.now() + wait); }

 private:
  void on_timer() override { listener_.on_events(EPOLLIN); }
  Listener& listener_;
};

Result<void> Listener::check_free(const Address& address) {
  if (address.port() == 0) return {};
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool taken = fd < 0 || bind(fd, address.get(), address.length()) != 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!taken) return {};
  return Error(Outcome::Bug, "cannot listen on " + address.text() + ": " + std::strerror(error));
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address,
                                                 OnAccept on_accept) {
  const auto failed = [&](const char* what, int fd) {
    Error error(Outcome::Bug, std::string("cannot listen on ") + address.text() + ": " + what +
                                  ": " + std::strerror(errno));
    if (fd >= 0) close(fd);
    return error;
  };
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket", fd);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(fd, address.get(), address.length()) != 0) return failed("bind", fd);
  if (listen(fd, kBacklog) != 0) return failed("listen", fd);
  return std::unique_ptr<Listener>(new Listener(loop, fd, std::move(on_accept)));
}

Listener::Listener(Loop& loop, int fd, OnAccept on_accept)
    : loop_(loop),
      fd_(fd),
      on_accept_(std::move(on_accept)),
      retry_(std::make_unique<Retry>(*this)) {
  loop_.watch(fd_, *this);
}

Listener::~Listener() {
  loop_.unwatch(fd_);
  close(fd_);
}

Address Listener::local_address() const {
  sockaddr_storage storage;
  socklen_t length = sizeof storage;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &length);
  return Address(reinterpret_cast<const sockaddr*>(&storage), length);
}

void Listener::on_events(uint32_t) {
  for (;;) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      on_accept_(std::make_unique<Socket>(loop_, fd));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // Out of descriptors or memory: no edge will come for those already queued, so look again soon,
    // without spinning.
    if (errno != EAGAIN) retry_->arm_after(kAcceptPause);
    return;
  }
}

}  // namespace sluice::net
