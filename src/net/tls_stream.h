// One TLS connection: a Stream that encrypts onto another one. Made by the contexts of tls.h.
//
// OpenSSL's BIO calls are served straight from the transport, so ciphertext is received into and
// sent from OpenSSL's own record buffers, which it frees whenever they are empty: no copy beside
// the cipher's, no buffer while idle, no shared buffer that could be aliased.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <string>

#include "net/stream.h"

namespace sluice::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
using SslHandle = std::unique_ptr<SSL, SslFree>;
using SslContextHandle = std::unique_ptr<SSL_CTX, SslFree>;
using BioMethodHandle = std::unique_ptr<BIO_METHOD, SslFree>;

// How OpenSSL reaches the transport of a TlsStream. Throws std::bad_alloc.
BioMethodHandle make_transport_bio();

class TlsStream final : public Stream {
 public:
  // Takes over `ssl`, made ready for connect or accept. `context` is kept alive: the BIO method,
  // the callbacks and the session cache live there.
  TlsStream(SslHandle ssl, const BIO_METHOD* bio, std::unique_ptr<Stream> transport,
            std::shared_ptr<const void> context);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // One step of the handshake: Ok when it is done, Again, or Failed (see failure()).
  IoResult try_handshake();

  // Eof only after the peer's close_notify: a bare end of the transport is Failed, because somebody
  // else may have made it.
  IoResult try_read(std::span<char> into) override;
  // Gathers the parts into records, one send each. After Again the same bytes must be given again,
  // more may follow them.
  IoResult try_write(std::span<const iovec> from) override;
  void finish() override;
  void abort_on_close() override { transport_->abort_on_close(); }
  Readiness& readiness() override { return transport_->readiness(); }
  uint8_t read_interest() const override { return read_wants_; }
  uint8_t write_interest() const override { return write_wants_; }
  // Of the ciphertext.
  int64_t unacknowledged_bytes() const override { return transport_->unacknowledged_bytes(); }

  SSL* ssl() { return ssl_.get(); }
  const SSL* ssl() const { return ssl_.get(); }
  const std::string& failure() const { return failure_; }
  bool transport_failed() const { return transport_ended_; }

 private:
  friend struct TransportBio;
  // The result of an OpenSSL call that did not succeed.
  IoResult explain(int returned, uint8_t& wants, bool& failed);

  std::unique_ptr<Stream> transport_;
  std::shared_ptr<const void> context_;
  SslHandle ssl_;  // after what its BIO uses
  std::string failure_;
  int transport_error_ = 0;
  bool transport_ended_ = false;  // end or error, as far as the BIO has seen
  bool read_failed_ = false;
  bool write_failed_ = false;  // what has arrived can still be read
  uint8_t read_wants_ = Readiness::kIn;
  uint8_t write_wants_ = Readiness::kOut;
};

// The newest reason in OpenSSL's error queue, in words; empty if there is none. Empties the queue.
std::string take_ssl_reason();

}  // namespace sluice::net
