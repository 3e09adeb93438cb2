#include "app/tls_wrapper.h"

#include <utility>

namespace sluice::app {
namespace {

constexpr Nanos kHandshakeTimeout = 10 * kSecond;

Task<std::unique_ptr<net::Stream>> accept(std::shared_ptr<const net::TlsServerContext> context,
                                          std::unique_ptr<net::Socket> socket, Until until) {
  const Until handshake = until.earlier(socket->readiness().loop().after(kHandshakeTimeout));
  Result<std::unique_ptr<net::Stream>> stream =
      co_await context->accept(std::move(socket), handshake);
  if (!stream) co_return nullptr;
  co_return *std::move(stream);
}

}  // namespace

Result<net::StreamWrapper> make_tls_wrapper(const net::TlsServerContext::Options& options) {
  Result<std::shared_ptr<const net::TlsServerContext>> context =
      net::TlsServerContext::make(options);
  if (!context) return std::move(context).error();
  return net::StreamWrapper(
      [context = *std::move(context)](std::unique_ptr<net::Socket> socket, Until until) {
        return accept(context, std::move(socket), until);
      });
}

}  // namespace sluice::app
