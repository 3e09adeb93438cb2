#include "api/admin_routes.h"

#include <gtest/gtest.h>
#include <set>

namespace sluice::api {
namespace {

using governance::Role;

// Answers everything, and remembers what was asked of it.
class FakeControl final : public Control {
 public:
  bool post(std::function<void()> work) override {
    work();
    return true;
  }
  std::optional<Admin> admin_of(std::string_view token) override {
    const std::optional<Role> role = governance::role_named(token);
    return role ? std::optional(Admin{.name = std::string(token), .role = *role}) : std::nullopt;
  }
  void note_refused(std::string_view, std::string_view) override { ++refused; }
  AdminAnswer list(const AdminCall& call) override { return note(call); }
  AdminAnswer get(const AdminCall& call) override { return note(call); }
  AdminAnswer create(const AdminCall& call) override { return note(call); }
  AdminAnswer change(const AdminCall& call) override { return note(call); }
  AdminAnswer remove(const AdminCall& call) override { return note(call); }
  AdminAnswer rotate(const AdminCall& call) override { return note(call); }
  AdminAnswer revoke(const AdminCall& call) override { return note(call); }
  AdminAnswer budgets(const AdminCall& call) override { return note(call); }
  AdminAnswer audit(const AdminCall& call) override { return note(call); }
  AdminAnswer show_bodies(const AdminCall& call) override { return note(call); }
  AdminAnswer forget_bodies(const AdminCall& call) override { return note(call); }
  AdminAnswer list_tokens(const AdminCall& call) override { return note(call); }
  AdminAnswer create_token(const AdminCall& call) override { return note(call); }
  AdminAnswer remove_token(const AdminCall& call) override { return note(call); }
  AdminAnswer list_secrets(const AdminCall& call) override { return note(call); }
  AdminAnswer get_secret(const AdminCall& call) override { return note(call); }
  AdminAnswer put_secret(const AdminCall& call) override { return note(call); }
  AdminAnswer remove_secret(const AdminCall& call) override { return note(call); }

  AdminCall last;
  int called = 0;
  int refused = 0;

 private:
  AdminAnswer note(const AdminCall& call) {
    last = call;
    ++called;
    return {};
  }
};

AdminRequest request(std::string_view method, std::string_view path, std::string_view token) {
  AdminRequest made;
  made.method = std::string(method);
  made.path = std::string(path);
  made.token = std::string(token);
  return made;
}

std::string with_name(std::string_view path) {
  std::string text(path);
  if (const size_t at = text.find('{'); at != std::string::npos)
    text.replace(at, text.find('}') + 1 - at, "a.b-c");
  return text;
}

TEST(AdminRoutes, SEC_9_EveryRouteIsOpenToItsRoleAndThoseAboveAlone) {
  for (const AdminRoute& route : admin_routes()) {
    for (size_t i = 0; i < governance::kRoleCount; ++i) {
      const auto role = static_cast<Role>(i);
      FakeControl control;
      const AdminAnswer answer = answer_admin(
          control, request(route.method, with_name(route.path), governance::name_of(role)));
      const bool allowed = role >= route.role;
      EXPECT_EQ(control.called, allowed ? 1 : 0) << route.method << " " << route.path;
      EXPECT_EQ(control.refused, allowed ? 0 : 1);
      EXPECT_EQ(answer.status, allowed ? 200 : 403);
    }
  }
}

TEST(AdminRoutes, SEC_9_StrangersLearnNotEvenWhichPagesThereAre) {
  FakeControl control;
  for (const char* path : {"/admin/v1/keys", "/admin/v1/nothing", "/admin/v1"})
    for (const char* token : {"", "king"})
      EXPECT_EQ(answer_admin(control, request("GET", path, token)).status, 401);
  EXPECT_EQ(control.called, 0);
  EXPECT_EQ(control.refused, 6);
}

TEST(AdminRoutes, NoMethodAndPathStandsTwice) {
  std::set<std::string> seen;
  for (const AdminRoute& route : admin_routes())
    EXPECT_TRUE(seen.insert(std::string(route.method) + " " + std::string(route.path)).second);
}

TEST(AdminRoutes, TheNameIsOneSegment) {
  EXPECT_EQ(match_admin("GET", "/admin/v1/keys/a").name, "a");
  EXPECT_EQ(match_admin("POST", "/admin/v1/keys/a/rotate").name, "a");
  EXPECT_EQ(match_admin("GET", "/admin/v1/exchanges/req_a/content").name, "req_a");
  for (const char* none :
       {"/admin/v1/keys/", "/admin/v1/keys/a/b", "/admin/v1/key", "/admin/v1/keysa"})
    EXPECT_TRUE(match_admin("GET", none).allowed.empty()) << none;
  EXPECT_EQ(match_admin("PUT", "/admin/v1/keys").allowed, "GET, POST");
}

TEST(AdminRoutes, QueriesAreDecodedAndUnknownParametersRefused) {
  FakeControl control;
  AdminRequest asked = request("GET", "/admin/v1/budgets", "viewer");
  asked.query = "subject=a%2Fb+c&limit=5";
  EXPECT_EQ(answer_admin(control, asked).status, 200);
  EXPECT_EQ(control.last.asked("subject"), "a/b c");
  for (const char* query : {"page=1", "limit=%zz", "limit=%2", "=1"}) {
    asked.query = query;
    EXPECT_EQ(answer_admin(control, asked).status, 400) << query;
  }
}

TEST(AdminRoutes, IfMatchTakesOneRevision) {
  FakeControl control;
  AdminRequest asked = request("DELETE", "/admin/v1/keys/a", "admin");
  asked.if_match = "\"12\"";
  EXPECT_EQ(answer_admin(control, asked).status, 200);
  EXPECT_EQ(control.last.if_match, 12);
  for (const char* broken : {"12", "\"\"", "\"x\"", "\"1\", \"2\"", "W/\"1\""}) {
    asked.if_match = broken;
    EXPECT_EQ(answer_admin(control, asked).status, 400) << broken;
  }
}

TEST(AdminRoutes, AProblemNamesItsFields) {
  const AdminAnswer answer =
      problem(400, "invalid_object", "no", {{.field = "a\"b", .message = "m", .hint = "h"}});
  EXPECT_EQ(answer.body,
            R"({"type":"about:blank","status":400,"code":"invalid_object","detail":"no",)"
            R"("errors":[{"field":"a\"b","message":"m","hint":"h"}]})"
            "\n");
}

}  // namespace
}  // namespace sluice::api
