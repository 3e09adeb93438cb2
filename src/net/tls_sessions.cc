#include "net/tls_sessions.h"

#include <utility>

namespace sluice::net {

void TlsSessions::put(std::string_view name, SessionHandle session) {
  const std::lock_guard lock(lock_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    found->second = std::move(session);
  } else if (by_name_.size() < kMostNames) {
    by_name_.emplace(name, std::move(session));
  }
}

SessionHandle TlsSessions::find(std::string_view name) const {
  const std::lock_guard lock(lock_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || SSL_SESSION_is_resumable(found->second.get()) == 0) return nullptr;
  SSL_SESSION_up_ref(found->second.get());
  return SessionHandle(found->second.get());
}

}  // namespace sluice::net
