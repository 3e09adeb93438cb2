// What the admin API asks of the gateway: the face of whoever owns organisations, teams, keys and
// the audit chain. All but post() is called on the control thread, where one call follows another.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "governance/control_store.h"

namespace sluice::api {

// Who calls.
struct Admin {
  std::string name;
  governance::Role role = governance::Role::Viewer;
};

struct AdminCall {
  Admin admin;
  governance::ObjectKind kind = governance::ObjectKind::Key;  // of routes for objects
  std::string name;  // what {name}, or {request_id}, of the path is
  std::string body;
  std::vector<std::pair<std::string, std::string>> query;
  std::optional<int64_t> if_match;  // the revision that the caller has seen

  std::string_view asked(std::string_view parameter) const {
    for (const auto& [name_of_it, value] : query)
      if (name_of_it == parameter) return value;
    return {};
  }
};

// One field that is wrong: "budgets.daily.amont", what, and what may have been meant.
struct FieldFault {
  std::string field;
  std::string message;
  std::string hint;
};

struct AdminAnswer {
  int status = 200;
  std::string body;  // JSON; a problem (RFC 9457) where the status is 400 or more
  std::optional<int64_t> revision;
};

// `code` is for programs: "unknown_object", "read_only".
AdminAnswer problem(int status, std::string_view code, std::string_view detail,
                    const std::vector<FieldFault>& faults = {});

class Control {
 public:
  virtual ~Control() = default;

  // Runs `work` on the control thread, after all that was posted before. False: it has ended, or
  // too much waits. Any thread.
  virtual bool post(std::function<void()> work) = 0;

  // By an admin token; nothing: it is none.
  virtual std::optional<Admin> admin_of(std::string_view token) = 0;
  virtual void note_refused(std::string_view peer, std::string_view why) = 0;

  virtual AdminAnswer list(const AdminCall& call) = 0;
  virtual AdminAnswer get(const AdminCall& call) = 0;
  virtual AdminAnswer create(const AdminCall& call) = 0;
  virtual AdminAnswer change(const AdminCall& call) = 0;
  virtual AdminAnswer remove(const AdminCall& call) = 0;
  virtual AdminAnswer rotate(const AdminCall& call) = 0;
  virtual AdminAnswer revoke(const AdminCall& call) = 0;
  virtual AdminAnswer budgets(const AdminCall& call) = 0;
  virtual AdminAnswer audit(const AdminCall& call) = 0;
  virtual AdminAnswer show_bodies(const AdminCall& call) = 0;
  virtual AdminAnswer forget_bodies(const AdminCall& call) = 0;
  virtual AdminAnswer list_tokens(const AdminCall& call) = 0;
  virtual AdminAnswer create_token(const AdminCall& call) = 0;
  virtual AdminAnswer remove_token(const AdminCall& call) = 0;
  virtual AdminAnswer list_secrets(const AdminCall& call) = 0;
  virtual AdminAnswer get_secret(const AdminCall& call) = 0;
  virtual AdminAnswer put_secret(const AdminCall& call) = 0;
  virtual AdminAnswer remove_secret(const AdminCall& call) = 0;
};

}  // namespace sluice::api
