#include "governance/control_store.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "store/schema.h"

namespace sluice::governance {
namespace {

using ::testing::HasSubstr;

class ControlStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "control_store_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Result<ControlStore> open(std::string_view pepper = "pepper") {
    return ControlStore::open(folder_ + "/control.db", sha256_of(pepper));
  }

  std::string folder_;
};

const AuditNote kNote{
    .actor = "ada", .action = "key.create", .target = "a", .before = "", .after = "{}"};

TEST_F(ControlStoreTest, KeepsWhatACommittedChangeWrote) {
  {
    auto store = open();
    ASSERT_TRUE(store) << store.error().message();
    auto change = store->begin();
    ASSERT_TRUE(change);
    const int64_t revision = change->audit(kNote, 5);
    change->put(StoredObject{.kind = ObjectKind::Key,
                             .name = "a",
                             .revision = revision,
                             .body = R"({"parallel":1})",
                             .created_micros = 5,
                             .changed_micros = 5});
    change->add({.key = "a", .digest = sha256_of("old"), .shown = "…old", .made_micros = 5});
    change->end_texts("a", 99);
    change->add({.key = "a", .digest = sha256_of("new"), .shown = "…new", .made_micros = 6});
    change->put(StoredToken{.name = "t", .role = Role::Operator, .digest = sha256_of("t")});
    change->add(Revocation{.text = sha256_of("leaked"), .key = "a"}, 7);
    change->add(Revocation{.text = sha256_of("leaked"), .key = "told twice"}, 8);
    ASSERT_TRUE(change->commit());
  }
  auto store = open();
  ASSERT_TRUE(store);
  const auto content = store->read();
  ASSERT_TRUE(content) << content.error().message();
  ASSERT_EQ(content->objects.size(), 1U);
  EXPECT_EQ(content->objects[0].revision, 1);
  EXPECT_EQ(content->objects[0].body, R"({"parallel":1})");
  ASSERT_EQ(content->texts.size(), 2U);
  EXPECT_EQ(content->texts[0].until_micros, 99);
  EXPECT_EQ(content->texts[1].until_micros, 0);
  ASSERT_EQ(content->tokens.size(), 1U);
  EXPECT_EQ(content->tokens[0].role, Role::Operator);
  ASSERT_EQ(content->revoked.size(), 1U);
  EXPECT_EQ(content->revoked[0].text, sha256_of("leaked"));
  EXPECT_EQ(content->revoked[0].key, "a");
}

TEST_F(ControlStoreTest, AChangeThatIsNotCommittedLeavesNeitherRowNorAudit) {
  auto store = open();
  ASSERT_TRUE(store);
  {
    auto change = store->begin();
    ASSERT_TRUE(change);
    change->audit(kNote, 5);
    change->put(StoredToken{.name = "t", .digest = sha256_of("t")});
  }
  EXPECT_TRUE(store->read()->tokens.empty());
  EXPECT_EQ(read_audit_head(store->database())->seq, 0);
}

TEST_F(ControlStoreTest, AChangeOfWhichOnePartFailsIsNone) {
  auto store = open();
  ASSERT_TRUE(store);
  auto change = store->begin();
  ASSERT_TRUE(change);
  change->audit(kNote, 5);
  change->add({.key = "a", .digest = sha256_of("same"), .shown = "", .made_micros = 5});
  change->add({.key = "b", .digest = sha256_of("same"), .shown = "", .made_micros = 5});
  EXPECT_FALSE(change->commit()) << "two keys with one text";
}

SecretsKey key_of(char digit) {
  return *SecretsKey::parse(std::string(64, digit));
}

bool put_secret(ControlStore& store, const SecretsKey& key, std::string_view name) {
  auto change = store.begin();
  change->audit(kNote, 5);
  change->use_secrets_key(key.check());
  change->put(*key.seal(name, 1, "value of " + std::string(name)));
  return bool(change->commit());
}

TEST_F(ControlStoreTest, SEC_11_AllSecretsAreSealedWithOneKey) {
  auto store = open();
  ASSERT_TRUE(put_secret(*store, key_of('1'), "a"));
  EXPECT_FALSE(put_secret(*store, key_of('2'), "b"));
  ASSERT_TRUE(put_secret(*store, key_of('1'), "b"));
  const auto stored = read_secrets(store->database());
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->secrets.size(), 2U);
  EXPECT_EQ(stored->check, key_of('1').check());
  EXPECT_EQ(key_of('1').open(stored->secrets[1])->reveal(), "value of b");
  auto change = store->begin();
  change->remove_secret("a");
  change->remove_secret("b");
  ASSERT_TRUE(change->commit());
  EXPECT_TRUE(put_secret(*store, key_of('2'), "c")) << "none was left that had another key";
}

TEST_F(ControlStoreTest, SEC_11_RekeyMovesAllSecretsOrNone) {
  const std::string path = folder_ + "/control.db";
  {
    auto store = open();
    ASSERT_TRUE(put_secret(*store, key_of('1'), "a"));
    ASSERT_TRUE(put_secret(*store, key_of('1'), "b"));
  }
  EXPECT_FALSE(rekey_secrets(path, key_of('2'), key_of('3'), "ada", 7));
  const auto moved = rekey_secrets(path, key_of('1'), key_of('2'), "ada", 7);
  ASSERT_TRUE(moved) << moved.error().message();
  EXPECT_EQ(*moved, 2U);
  auto store = open();
  const auto stored = read_secrets(store->database());
  EXPECT_EQ(stored->check, key_of('2').check());
  for (const SealedSecret& each : stored->secrets)
    EXPECT_EQ(key_of('2').open(each)->reveal(), "value of " + each.name);
}

TEST_F(ControlStoreTest, SEC_11_AnotherPepperIsRefusedInWords) {
  ASSERT_TRUE(open("pepper"));
  ASSERT_TRUE(open("pepper"));
  const auto refused = open("another");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("not the pepper"));
  EXPECT_EQ(refused.error().param(), "governance.pepper");
}

TEST_F(ControlStoreTest, ALedgerIsNoControlStore) {
  ASSERT_TRUE(store::open_store(folder_ + "/control.db"));
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("belongs to another program"));
}

TEST(Roles, AreNamedAndRanked) {
  for (size_t i = 0; i < kRoleCount; ++i) {
    const auto role = static_cast<Role>(i);
    EXPECT_EQ(role_named(name_of(role)), role);
  }
  EXPECT_FALSE(role_named("king"));
  EXPECT_LT(Role::Viewer, Role::Admin);
}

}  // namespace
}  // namespace sluice::governance
