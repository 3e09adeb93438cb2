// TLS over a Stream: OpenSSL reads and writes through a BIO of ours, so that it never touches a
// descriptor.
//
// Contexts are immutable and shared by the loops; a stream belongs to one loop. An idle TLS stream
// holds no record buffers.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "net/stream.h"

namespace sluice::net {

// Certificates are always verified against `ca_file` or the system's, and against the name. TLS 1.2
// and later.
class TlsClientContext {
 public:
  struct Options {
    std::string ca_file;    // PEM; empty: the system's
    std::string cert_file;  // PEM chain, for upstreams that ask for a client certificate
    std::string key_file;
    bool http = true;  // says by ALPN that HTTP/1.1 will be spoken
  };
  static Result<std::shared_ptr<const TlsClientContext>> make(const Options& options);
  ~TlsClientContext();

  // The handshake as client. `server_name` for SNI and verification (an address literal is verified
  // as such). Resumes an earlier session with the same name where both agree. Errors: TlsError
  // (with OpenSSL's reason and which certificate problem), ConnectTimeout, UpstreamReset, or the
  // cancel's reason.
  Task<Result<std::unique_ptr<Stream>>> connect(std::unique_ptr<Stream> transport,
                                                std::string server_name, Until until) const;

 private:
  struct State;
  explicit TlsClientContext(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with its streams, which may outlive a reload
};

class TlsServerContext {
 public:
  struct Options {
    std::string cert_file;  // PEM chain
    std::string key_file;
    std::string client_ca_file;  // non-empty: clients must show a certificate signed by it
  };
  static Result<std::shared_ptr<const TlsServerContext>> make(const Options& options);
  ~TlsServerContext();
  // The handshake as server. Errors as above.
  Task<Result<std::unique_ptr<Stream>>> accept(std::unique_ptr<Stream> transport,
                                               Until until) const;

 private:
  struct State;
  explicit TlsServerContext(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// What TLS itself said when a read or write on `stream` came out as IoStatus::Failed ("the peer
// sent the alert 'certificate required'"). Empty if the transport failed, or without TLS.
std::string tls_failure(const Stream& stream);

// True if `stream` is TLS and its handshake resumed an earlier session.
bool tls_resumed(const Stream& stream);

}  // namespace sluice::net
