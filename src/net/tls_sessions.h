// TLS sessions to resume, by server name: the newest one of each. Safe to use from several loops.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <openssl/ssl.h>
#include <string>
#include <string_view>

namespace sluice::net {

struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionHandle = std::unique_ptr<SSL_SESSION, SessionFree>;

class TlsSessions {
 public:
  void put(std::string_view name, SessionHandle session);
  // Null if there is none, or none that can still be resumed.
  SessionHandle find(std::string_view name) const;

 private:
  // Names come from the configuration, so there are few; this only guards against a bug.
  static constexpr size_t kMostNames = 1024;
  mutable std::mutex lock_;
  std::map<std::string, SessionHandle, std::less<>> by_name_;
};

}  // namespace sluice::net
