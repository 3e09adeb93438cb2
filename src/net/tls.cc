#include "net/tls.h"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string_view>
#include <utility>

#include "net/tls_sessions.h"
#include "net/tls_stream.h"

namespace sluice::net {
namespace {

constexpr std::string_view kAlpn = "\x08http/1.1";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_ip_literal(const std::string& name) {
  in6_addr address;
  return inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

// For start-up: the file is what a person can mend.
Error file_error(const char* what, const std::string& file) {
  const std::string reason = take_ssl_reason();
  return Error(Outcome::TlsError, std::string("cannot use ") + what + " '" + file +
                                      "': " + (reason.empty() ? "unknown reason" : reason));
}

Result<SslContextHandle> new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContextHandle context(SSL_CTX_new(method));
  if (context == nullptr) return Error(Outcome::TlsError, "OpenSSL: " + take_ssl_reason());
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // AES-128 first: the cheapest that is good enough, where the peer lets us choose.
  SSL_CTX_set_ciphersuites(
      ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
  return context;
}

Result<void> use_certificate(SSL_CTX* context, const std::string& cert, const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1) {
    return file_error("the certificate", cert);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return file_error("the private key", key);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return Error(Outcome::TlsError,
                 "the private key '" + key + "' does not belong to the certificate '" + cert + "'");
  }
  return {};
}

// What is wrong with the peer's certificate, and what to do about it.
std::string certificate_problem(const SSL* ssl, long verdict, const std::string& name) {
  const std::string words = X509_verify_cert_error_string(verdict);
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return words + ": the certificate is not for '" + name + "'";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return SSL_is_server(ssl) != 0
                 ? words + ": it is not signed by client_ca_file"
                 : words + ": for a private authority set tls.ca_file to its certificate";
    default:
      return words;
  }
}

// Waits for the whole handshake, without a coroutine frame of its own.
class Handshake final : public IoWait {
 public:
  Handshake(TlsStream& stream, Until until) : IoWait(stream, until), tls_(stream) {}
  IoResult await_resume() { return IoWait::finish(); }

 private:
  bool step() override {
    result_ = tls_.try_handshake();
    return result_.status != IoStatus::Again;
  }
  uint8_t interest() const override { return tls_.read_interest(); }
  TlsStream& tls_;
};

Error handshake_error(const TlsStream& stream, const IoResult& result, const std::string& name,
                      Until until) {
  const std::string with = name.empty() ? "TLS handshake" : "TLS handshake with '" + name + "'";
  if (result.status == IoStatus::Cancelled) {
    return Error(until.cancel()->why(), "given up during the " + with);
  }
  if (result.status == IoStatus::Timeout) {
    return Error(Outcome::ConnectTimeout, with + " took too long");
  }
  const long verdict = SSL_get_verify_result(stream.ssl());
  if (verdict != X509_V_OK) {
    return Error(Outcome::TlsError,
                 with + " failed: " + certificate_problem(stream.ssl(), verdict, name));
  }
  if (stream.transport_failed()) {
    return Error(Outcome::UpstreamReset,
                 with + " failed: the peer closed the connection" +
                     (result.error != 0 ? std::string(" (") + std::strerror(result.error) + ")"
                                        : std::string()));
  }
  return Error(Outcome::TlsError, with + " failed: " + stream.failure());
}

int choose_http1(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                 unsigned int in_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, bytes_of(kAlpn), kAlpn.size(), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

struct TlsClientContext::State {
  BioMethodHandle bio = make_transport_bio();
  TlsSessions sessions;
  SslContextHandle context;

  // OpenSSL hands over one reference if this returns 1.
  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* state = static_cast<State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    X509_VERIFY_PARAM* checks = SSL_get0_param(ssl);
    if (const char* name = X509_VERIFY_PARAM_get0_host(checks, 0)) {
      state->sessions.put(name, SessionHandle(session));
      return 1;
    }
    char* address = X509_VERIFY_PARAM_get1_ip_asc(checks);
    if (address == nullptr) return 0;
    state->sessions.put(address, SessionHandle(session));
    OPENSSL_free(address);
    return 1;
  }
};

TlsClientContext::TlsClientContext(std::shared_ptr<State> state) : state_(std::move(state)) {}
TlsClientContext::~TlsClientContext() = default;

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::make(const Options& options) {
  Result<SslContextHandle> context = new_context(TLS_client_method());
  if (!context) return std::move(context).error();
  auto state = std::make_shared<State>();
  state->context = *std::move(context);
  SSL_CTX* ctx = state->context.get();

  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(ctx) != 1) {
      return Error(Outcome::TlsError, "no system certificates: " + take_ssl_reason());
    }
  } else if (SSL_CTX_load_verify_file(ctx, options.ca_file.c_str()) != 1) {
    return file_error("the authorities in", options.ca_file);
  }
  if (!options.cert_file.empty()) {
    const std::string& key = options.key_file.empty() ? options.cert_file : options.key_file;
    Result<void> used = use_certificate(ctx, options.cert_file, key);
    if (!used) return std::move(used).error();
  }
  if (options.http) SSL_CTX_set_alpn_protos(ctx, bytes_of(kAlpn), kAlpn.size());
  SSL_CTX_set_app_data(ctx, state.get());
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, State::keep_session);
  return std::shared_ptr<const TlsClientContext>(new TlsClientContext(std::move(state)));
}

Task<Result<std::unique_ptr<Stream>>> TlsClientContext::connect(std::unique_ptr<Stream> transport,
                                                                std::string server_name,
                                                                Until until) const {
  ERR_clear_error();
  SslHandle ssl(SSL_new(state_->context.get()));
  if (ssl == nullptr) co_return Error(Outcome::TlsError, "OpenSSL: " + take_ssl_reason());
  bool named;
  if (is_ip_literal(server_name)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), server_name.c_str()) == 1;
  } else {
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    named = SSL_set1_host(ssl.get(), server_name.c_str()) == 1 &&
            SSL_set_tlsext_host_name(ssl.get(), server_name.c_str()) == 1;
  }
  // Without a name nothing would be checked against it.
  if (!named || server_name.empty()) {
    co_return Error(Outcome::TlsError, "'" + server_name + "' is no name for a TLS server");
  }
  if (const SessionHandle session = state_->sessions.find(server_name)) {
    SSL_set_session(ssl.get(), session.get());
  }
  SSL_set_connect_state(ssl.get());
  auto stream =
      std::make_unique<TlsStream>(std::move(ssl), state_->bio.get(), std::move(transport), state_);
  const IoResult result = co_await Handshake(*stream, until);
  if (!result.ok()) co_return handshake_error(*stream, result, server_name, until);
  co_return std::unique_ptr<Stream>(std::move(stream));
}

struct TlsServerContext::State {
  BioMethodHandle bio = make_transport_bio();
  SslContextHandle context;
};

TlsServerContext::TlsServerContext(std::shared_ptr<State> state) : state_(std::move(state)) {}
TlsServerContext::~TlsServerContext() = default;

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::make(const Options& options) {
  Result<SslContextHandle> context = new_context(TLS_server_method());
  if (!context) return std::move(context).error();
  auto state = std::make_shared<State>();
  state->context = *std::move(context);
  SSL_CTX* ctx = state->context.get();

  Result<void> used = use_certificate(ctx, options.cert_file, options.key_file);
  if (!used) return std::move(used).error();
  if (!options.client_ca_file.empty()) {
    const char* file = options.client_ca_file.c_str();
    if (SSL_CTX_load_verify_file(ctx, file) != 1) {
      return file_error("the client authorities in", options.client_ca_file);
    }
    SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(file));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(ctx, choose_http1, nullptr);
  // Sessions travel in tickets, so that none is kept here; one is enough, as ours may be used
  // again.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 1);
  SSL_CTX_set_session_id_context(ctx, bytes_of("sluice"), 6);
  return std::shared_ptr<const TlsServerContext>(new TlsServerContext(std::move(state)));
}

Task<Result<std::unique_ptr<Stream>>> TlsServerContext::accept(std::unique_ptr<Stream> transport,
                                                               Until until) const {
  ERR_clear_error();
  SslHandle ssl(SSL_new(state_->context.get()));
  if (ssl == nullptr) co_return Error(Outcome::TlsError, "OpenSSL: " + take_ssl_reason());
  SSL_set_accept_state(ssl.get());
  auto stream =
      std::make_unique<TlsStream>(std::move(ssl), state_->bio.get(), std::move(transport), state_);
  const IoResult result = co_await Handshake(*stream, until);
  if (!result.ok()) co_return handshake_error(*stream, result, "", until);
  co_return std::unique_ptr<Stream>(std::move(stream));
}

std::string tls_failure(const Stream& stream) {
  const auto* tls = dynamic_cast<const TlsStream*>(&stream);
  return tls != nullptr ? tls->failure() : std::string();
}

bool tls_resumed(const Stream& stream) {
  const auto* tls = dynamic_cast<const TlsStream*>(&stream);
  return tls != nullptr && SSL_session_reused(const_cast<SSL*>(tls->ssl())) != 0;
}

}  // namespace sluice::net
