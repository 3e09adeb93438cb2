#include "app/object_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/json_node.h"

namespace sluice::app {
namespace {

using governance::ObjectKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ObjectBody object(ObjectKind kind, const std::string& name, std::string_view json) {
  auto body = node_of_json(json);
  EXPECT_TRUE(body) << json;
  return {.kind = kind, .name = name, .body = *std::move(body)};
}

TEST(ObjectSettings, BUD_8_AMisspelledFieldIsNamedFromTheObjectWithWhatWasMeant) {
  Settings settings;
  const auto faults =
      put_object(settings, object(ObjectKind::Key, "a",
                                  R"({"paralel":1,"budgets":{"daily":{"amount":1,"per":"dai"}}})"));
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].field, "paralel");
  EXPECT_THAT(faults[0].hint, HasSubstr("parallel"));
  EXPECT_EQ(faults[1].field, "budgets.daily.per");
  EXPECT_THAT(faults[1].message, HasSubstr("`budgets.daily.per`"));
  EXPECT_THAT(settings.keys, IsEmpty()) << "nothing of a body that is refused stays";
}

TEST(ObjectSettings, AReplacedObjectKeepsNothingOfTheOneBefore) {
  Settings settings;
  EXPECT_THAT(put_object(settings, object(ObjectKind::Team, "a", R"({"parallel":3})")), IsEmpty());
  EXPECT_THAT(put_object(settings, object(ObjectKind::Team, "a", R"({"shadow":true})")), IsEmpty());
  ASSERT_EQ(settings.teams.size(), 1U);
  EXPECT_EQ(settings.teams[0].limits.parallel, 0);
  EXPECT_TRUE(settings.teams[0].limits.shadow);
  EXPECT_EQ(settings.teams[0].organisation, "default");
}

TEST(ObjectSettings, AReferenceIsPlainText) {
  Settings settings;
  const char* const json = R"({"metadata":{"a":"${HOME} $5 ${file:/etc/passwd}"}})";
  EXPECT_THAT(put_object(settings, object(ObjectKind::Key, "a", json)), IsEmpty());
  EXPECT_EQ(settings.keys[0].metadata[0].second, "${HOME} $5 ${file:/etc/passwd}");
  EXPECT_EQ(compact_json(object_node(settings, ObjectKind::Key, "a")), json);
}

TEST(ObjectSettings, ObjectsMayNameEachOtherAndNothingElse) {
  Settings settings;
  const std::vector<ObjectBody> both{object(ObjectKind::Key, "k", R"({"team":"t"})"),
                                     object(ObjectKind::Team, "t", "{}")};
  EXPECT_THAT(put_objects(settings, both), IsEmpty());
  remove_object(settings, ObjectKind::Team, "t");
  const auto faults = check_objects(settings);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].field, "keys.k.team");
}

TEST(ObjectSettings, EndUsersAreThereOnceTheySaySomething) {
  Settings settings;
  EXPECT_FALSE(has_object(settings, ObjectKind::EndUsers, ""));
  EXPECT_THAT(put_object(settings, object(ObjectKind::EndUsers, "", R"({"parallel":2})")),
              IsEmpty());
  EXPECT_TRUE(has_object(settings, ObjectKind::EndUsers, ""));
  EXPECT_EQ(compact_json(object_node(settings, ObjectKind::EndUsers, "")), R"({"parallel":2})");
  remove_object(settings, ObjectKind::EndUsers, "");
  EXPECT_FALSE(has_object(settings, ObjectKind::EndUsers, ""));
}

}  // namespace
}  // namespace sluice::app
