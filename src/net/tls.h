// TLS over a Stream: OpenSSL with memory BIOs, so that OpenSSL never touches a descriptor.
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
  explicit TlsClientContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
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
  explicit TlsServerContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::net
