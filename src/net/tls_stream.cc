#include "net/tls_stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <openssl/err.h>
#include <utility>

namespace sluice::net {
namespace {

constexpr size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;

}  // namespace

// OpenSSL's view of the transport. A BIO has no place for "the end" but its control call.
struct TransportBio {
  static TlsStream& stream_of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, size_t size, size_t* got) {
    TlsStream& stream = stream_of(bio);
    BIO_clear_retry_flags(bio);
    const IoResult result = stream.transport_->try_read({into, size});
    *got = result.bytes;
    if (result.ok()) return 1;
    if (result.status == IoStatus::Again) {
      BIO_set_retry_read(bio);
      return -1;
    }
    stream.transport_ended_ = true;
    stream.transport_error_ = result.error;
    return result.status == IoStatus::Eof ? 0 : -1;
  }

  static int write(BIO* bio, const char* from, size_t size, size_t* taken) {
    TlsStream& stream = stream_of(bio);
    BIO_clear_retry_flags(bio);
    const iovec part{.iov_base = const_cast<char*>(from), .iov_len = size};
    const IoResult result = stream.transport_->try_write({&part, 1});
    *taken = result.bytes;
    if (result.ok()) return 1;
    if (result.status == IoStatus::Again) {
      BIO_set_retry_write(bio);
      return -1;
    }
    stream.transport_ended_ = true;
    stream.transport_error_ = result.error;
    return -1;
  }

  static long control(BIO* bio, int what, long, void*) {
    if (what == BIO_CTRL_EOF) return stream_of(bio).transport_ended_ ? 1 : 0;
    return what == BIO_CTRL_FLUSH ? 1 : 0;
  }
};

BioMethodHandle make_transport_bio() {
  BioMethodHandle method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream"));
  if (method == nullptr) throw std::bad_alloc();
  BIO_meth_set_read_ex(method.get(), TransportBio::read);
  BIO_meth_set_write_ex(method.get(), TransportBio::write);
  BIO_meth_set_ctrl(method.get(), TransportBio::control);
  return method;
}

std::string take_ssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

TlsStream::TlsStream(SslHandle ssl, const BIO_METHOD* bio_method, std::unique_ptr<Stream> transport,
                     std::shared_ptr<const void> context)
    : transport_(std::move(transport)), context_(std::move(context)), ssl_(std::move(ssl)) {
  BIO* bio = BIO_new(bio_method);
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  // As much as is there in one receive, not the record's head first.
  SSL_set_read_ahead(ssl_.get(), 1);
}

TlsStream::~TlsStream() {
  // Without this OpenSSL takes the session for broken and will not resume it.
  if (!read_failed_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

IoResult TlsStream::explain(int returned, uint8_t& wants, bool& failed) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      wants = Readiness::kIn;
      // A session ticket leaves a write buffer behind that OpenSSL would keep while we wait.
      SSL_free_buffers(ssl_.get());
      return {.status = IoStatus::Again};
    case SSL_ERROR_WANT_WRITE:
      wants = Readiness::kOut;
      return {.status = IoStatus::Again};
    case SSL_ERROR_ZERO_RETURN:
      return {.status = IoStatus::Eof};
    default:
      failed = true;
      // What stands in the queue after the transport's own end is only OpenSSL's word for that.
      if (!transport_ended_) failure_ = take_ssl_reason();
      ERR_clear_error();
      return {.status = IoStatus::Failed, .error = transport_error_};
  }
}

IoResult TlsStream::try_handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  if (returned == 1) {
    read_wants_ = Readiness::kIn;
    return {.status = IoStatus::Ok};
  }
  return explain(returned, read_wants_, read_failed_);
}

IoResult TlsStream::try_read(std::span<char> into) {
  if (read_failed_) return {.status = IoStatus::Failed, .error = transport_error_};
  ERR_clear_error();
  size_t total = 0;
  for (;;) {
    size_t got = 0;
    const int returned = SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &got);
    if (returned != 1) {
      // Behind good bytes the reason can wait: OpenSSL will give it again.
      if (total > 0) break;
      return explain(returned, read_wants_, read_failed_);
    }
    total += got;
    if (total == into.size() || SSL_has_pending(ssl_.get()) == 0) break;
  }
  read_wants_ = Readiness::kIn;
  return {.status = IoStatus::Ok, .error = 0, .bytes = total};
}

IoResult TlsStream::try_write(std::span<const iovec> from) {
  if (read_failed_ || write_failed_) return {.status = IoStatus::Failed, .error = transport_error_};
  std::array<char, kRecord> gathered;
  const void* data = from[0].iov_base;
  size_t size = from[0].iov_len;
  if (from.size() > 1 && size < kRecord) {
    size = 0;
    for (const iovec& part : from) {
      const size_t take = std::min(part.iov_len, kRecord - size);
      if (take > 0) std::memcpy(gathered.data() + size, part.iov_base, take);
      size += take;
    }
    data = gathered.data();
  }
  ERR_clear_error();
  size_t taken = 0;
  const int returned = SSL_write_ex(ssl_.get(), data, size, &taken);
  if (returned != 1) return explain(returned, write_wants_, write_failed_);
  write_wants_ = Readiness::kOut;
  return {.status = IoStatus::Ok, .error = 0, .bytes = taken};
}

void TlsStream::finish() {
  if (!read_failed_ && !write_failed_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  transport_->finish();
}

}  // namespace sluice::net
