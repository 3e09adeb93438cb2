// The admin API of a running gateway, as commands use it: one call at a time, each waited for.
#pragma once

#include <string>
#include <string_view>

#include "app/config_substitute.h"
#include "base/result.h"
#include "base/secret.h"

namespace sluice::app {

// Where it is and who asks, as given on the command line; empty: found out.
struct AdminAccess {
  std::string address;      // "127.0.0.1:8081"
  std::string config_file;  // says the address and where the token is
  std::string data_dir;
};

struct AdminReply {
  int status = 0;
  std::string body;
};

class AdminClient {
 public:
  // The token is SLUICE_ADMIN_TOKEN, or what the gateway keeps in its data directory.
  static Result<AdminClient> find(const AdminAccess& access, const Surroundings& around);

  // Errors: nobody answers there. `body` empty: none.
  Result<AdminReply> call(std::string_view method, std::string_view path,
                          const std::string& body = "") const;

 private:
  AdminClient(std::string host, uint16_t port, Secret token)
      : host_(std::move(host)), port_(port), token_(std::move(token)) {}

  std::string host_;
  uint16_t port_;
  Secret token_;
};

}  // namespace sluice::app
