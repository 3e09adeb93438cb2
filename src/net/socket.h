// TCP (or a Unix socket): a connected Stream, a listener, and connecting. Owns the descriptor and
// its place in the epoll set.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include "base/result.h"
#include "net/stream.h"

namespace sluice::net {

// An IPv4 or IPv6 address with its port, or a Unix socket's path (without one).
class Address {
 public:
  Address(const sockaddr* address, socklen_t length);
  // "127.0.0.1:8080", "[::1]:8080", ":8080" (every IPv4 address). Names are not resolved here.
  static Result<Address> parse(std::string_view text);
  // Requires: at most 107 bytes, none of them zero.
  static Address unix_socket(std::string_view path);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }
  int family() const { return storage_.ss_family; }
  uint16_t port() const;
  // "127.0.0.1:8080", "/path/to/socket"; ip_text() without the port.
  std::string text() const;
  std::string ip_text() const;
  bool is_loopback() const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_;
};

class Socket final : public Stream, private EventTarget {
 public:
  // Takes over a connected, non-blocking descriptor.
  Socket(Loop& loop, int fd);
  ~Socket() override;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Tries one address. Outcome ConnectError, ConnectTimeout or the cancel's reason.
  static Task<Result<std::unique_ptr<Socket>>> connect(Loop& loop, Address address, Until until);

  IoResult try_read(std::span<char> into) override;
  IoResult try_write(std::span<const iovec> from) override;
  void finish() override;
  Readiness& readiness() override { return readiness_; }
  int64_t unacknowledged_bytes() const override;
  // The close sends RST instead of FIN.
  void abort_on_close() override;

  std::optional<Address> peer() const;

 private:
  void on_events(uint32_t events) override;

  Readiness readiness_;
  int fd_;
};

// A listening socket with SO_REUSEPORT, so that each loop has its own. `on_accept` runs on the
// loop's thread.
class Listener final : private EventTarget {
 public:
  using OnAccept = std::function<void(std::unique_ptr<Socket>)>;

  // Whether somebody listens there already: SO_REUSEPORT would let two programs share the address,
  // and each get a part of what is meant for one. For before the first open().
  static Result<void> check_free(const Address& address);
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& address,
                                                OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // With the port the kernel chose for port 0.
  Address local_address() const;
  // Accepts what the kernel has queued: before destroying the listener, which would reset it.
  void accept_queued() { on_events(0); }

 private:
  Listener(Loop& loop, int fd, OnAccept on_accept);
  void on_events(uint32_t events) override;

  Loop& loop_;
  int fd_;
  OnAccept on_accept_;
  class Retry;
  std::unique_ptr<Retry> retry_;  // after running out of descriptors
};

}  // namespace sluice::net
