// Sockets, TLS and clocks of the benchmark's own programs (mock upstream, load generator).
//
// Deliberately not the gateway's net room: what measures must not share code with what is measured.
// Everything here is single-threaded; a Stream owns its descriptor and TLS state.
#pragma once

#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <sys/types.h>

namespace sluice::bench {

int64_t now_ns();

// User and system time of a whole process, its finished threads included; 0 when it is gone.
int64_t process_cpu_ns(int pid);

struct SslCtxFree {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
};
using TlsContext = std::unique_ptr<SSL_CTX, SslCtxFree>;

TlsContext server_tls(const std::string& cert_file, const std::string& key_file);
TlsContext client_tls();  // does not verify: both ends are ours, and verifying would cost the meter

// A non-blocking connection, plain or TLS. read and write answer the bytes moved, 0 for "would
// block" and -1 for "closed or failed".
class Stream {
 public:
  Stream() = default;
  Stream(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream() { close(); }

  ssize_t read(char* data, size_t size);
  ssize_t write(const char* data, size_t size);
  void close();

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  // True when the last blocked call waits for the socket to take bytes (and not for bytes to come).
  bool blocked_on_write() const { return blocked_on_write_; }

 private:
  ssize_t outcome(int result, int error_code);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool blocked_on_write_ = false;
};

int listen_on(int port);                         // 127.0.0.1, non-blocking; exits on failure
Stream accept_from(int listener, SSL_CTX* tls);  // not open when nothing waits
Stream connect_to(int port, SSL_CTX* tls);       // 127.0.0.1; the connect may still be pending
void prepare_process();  // all descriptors allowed, exact timers, no death by SIGPIPE
[[noreturn]] void die(const std::string& message);

}  // namespace sluice::bench
