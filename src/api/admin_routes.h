// The one table of the admin API: what there is, who may use it, who answers it. Documents and the
// test of every route against every role are made from it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/control.h"

namespace sluice::api {

using AdminHandler = AdminAnswer (Control::*)(const AdminCall&);

struct AdminRoute {
  std::string_view method;
  std::string_view path;  // "{name}" or the like stands for one segment
  governance::Role role;  // the least that may use it
  AdminHandler handler;
  governance::ObjectKind kind;
  std::string_view query;  // parameters it takes, with spaces between
  std::string_view doc;
};

std::span<const AdminRoute> admin_routes();

// What a request's path leads to.
struct AdminMatch {
  const AdminRoute* route = nullptr;  // null: no such path, or not by this method
  std::string name;                   // what stands for that segment
  std::string allowed;                // methods of the path, ", " between; empty: no such path
};
AdminMatch match_admin(std::string_view method, std::string_view path);

// "a=1&b=x%2Fy", decoded. Nothing: it is broken.
std::optional<std::vector<std::pair<std::string, std::string>>> read_query(std::string_view text);

// What a request for /admin/v1 says, as it came.
struct AdminRequest {
  std::string method;
  std::string path;
  std::string query;
  std::string token;  // after "Bearer "; empty: none was shown
  std::string if_match;
  std::string body;
  std::string peer;
};

// On the control thread: who it is, whether that may be, then the handler's answer.
AdminAnswer answer_admin(Control& control, const AdminRequest& request);

// A table for docs/admin-api.md.
std::string admin_reference();

}  // namespace sluice::api
