#include "governance/directory.h"

#include <gtest/gtest.h>

namespace sluice::governance {
namespace {

constexpr int64_t kNoon = 1'795'435'200'000'000;
constexpr int64_t kHour = 3'600'000'000;
constexpr std::string_view kHere = "127.0.0.1";

class DirectoryTest : public testing::Test {
 protected:
  KeyDigester digester{Secret(std::string(32, 'p'))};
  Accounts accounts;
  DirectoryParts parts;

  Key& add(const std::string& name, const std::string& text) {
    Key key;
    key.name = name;
    key.digests = {{.digest = digester.of(text)}};
    parts.keys.push_back(std::move(key));
    return parts.keys.back();
  }
  std::shared_ptr<const Directory> build() {
    auto built = Directory::build(parts, accounts, digester, kNoon);
    EXPECT_TRUE(built) << (built ? "" : built.error().message());
    return *built;
  }
  std::string fault_of() {
    auto built = Directory::build(parts, accounts, digester, kNoon);
    return built ? "" : built.error().param() + ": " + built.error().message();
  }
};

TEST_F(DirectoryTest, FindsAKeyByItsText) {
  add("a", "text of a");
  add("b", "text of b");
  const auto directory = build();
  EXPECT_EQ(directory->find("text of b", kHere, kNoon).entry->key.name, "b");
  EXPECT_EQ(directory->find("text of b", kHere, kNoon).fault, std::nullopt);
  EXPECT_EQ(directory->find("text of c", kHere, kNoon).fault, KeyFault::Unknown);
  EXPECT_EQ(directory->find("", kHere, kNoon).fault, KeyFault::Missing);
  EXPECT_EQ(directory->named("a")->key.name, "a");
  EXPECT_EQ(directory->named("c"), nullptr);
}

TEST_F(DirectoryTest, SEC_7_OddTextsAreUnknownKeys) {
  add("a", "text of a");
  const auto directory = build();
  for (const std::string& odd : {std::string("'; DROP TABLE key; --"), std::string("a\0b", 3),
                                 std::string(100'000, 'x'), std::string("\xff\xfe\xfd")}) {
    EXPECT_EQ(directory->find(odd, kHere, kNoon).fault, KeyFault::Unknown);
  }
}

TEST_F(DirectoryTest, SEC_8_KeysThatShareALongBeginningAreNeverTakenForEachOther) {
  const std::string common(200, 's');
  add("a", common + "a");
  add("b", common + "b");
  const auto directory = build();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(directory->find(common + "a", kHere, kNoon).entry->key.name, "a");
    EXPECT_EQ(directory->find(common + "b", kHere, kNoon).entry->key.name, "b");
    EXPECT_EQ(directory->find(common + "c", kHere, kNoon).fault, KeyFault::Unknown);
    EXPECT_EQ(directory->find(common, kHere, kNoon).fault, KeyFault::Unknown);
  }
}

// Otherwise a budget that an administrator took away would go on refusing.
TEST_F(DirectoryTest, WhoeverIsLaidDownNothingAnyMoreIsNotLimited) {
  BudgetRule rule;
  rule.name = "all";
  rule.amount = kDollar;
  Policy policy;
  policy.budgets = {rule};
  add("a", "text of a").policy = policy;
  parts.organisations.push_back({.name = "default", .policy = policy});
  parts.teams.push_back({.name = "t", .organisation = "default", .policy = policy, .metadata = {}});
  build();
  parts = {};
  build();
  EXPECT_FALSE(accounts.of(Level::Key, "a")->demands().cost);
  EXPECT_FALSE(accounts.of(Level::Organisation, "default")->demands().cost);
  EXPECT_FALSE(accounts.of(Level::Team, "t")->demands().cost);
}

TEST_F(DirectoryTest, WithoutAnyKeyItIsOpen) {
  EXPECT_TRUE(build()->open());
  add("a", "text of a").revoked = true;
  EXPECT_FALSE(build()->open());
}

TEST_F(DirectoryTest, SEC_5_ARevokedOrExpiredKeyOpensNothing) {
  add("revoked", "r").revoked = true;
  add("expired", "e").expires_micros = kNoon + kHour;
  const auto directory = build();
  EXPECT_EQ(directory->find("r", kHere, kNoon).fault, KeyFault::Revoked);
  EXPECT_EQ(directory->find("e", kHere, kNoon + kHour - 1).fault, std::nullopt);
  EXPECT_EQ(directory->find("e", kHere, kNoon + kHour).fault, KeyFault::Expired);
  EXPECT_EQ(directory->find("e", kHere, kNoon + kHour).entry->key.name, "expired");
}

TEST_F(DirectoryTest, SEC_5_ATextThatIsRevokedOpensNothingThoughAnotherOfItsKeyDoes) {
  Key& key = add("a", "new");
  key.digests.push_back({.digest = digester.of("leaked"), .revoked = true});
  const auto directory = build();
  EXPECT_EQ(directory->find("new", kHere, kNoon).fault, std::nullopt);
  EXPECT_EQ(directory->find("leaked", kHere, kNoon).fault, KeyFault::Revoked);
}

TEST_F(DirectoryTest, SEC_6_ARotatedKeyIsGoodUntilItsGraceIsOver) {
  Key& key = add("a", "new");
  key.digests.push_back({.digest = digester.of("old"), .until_micros = kNoon + kHour});
  const auto directory = build();
  EXPECT_EQ(directory->find("new", kHere, kNoon).fault, std::nullopt);
  EXPECT_EQ(directory->find("old", kHere, kNoon).fault, std::nullopt);
  EXPECT_EQ(directory->find("new", kHere, kNoon + kHour).fault, std::nullopt);
  EXPECT_EQ(directory->find("old", kHere, kNoon + kHour).fault, KeyFault::Expired);
}

TEST_F(DirectoryTest, AKeyDeclaredByItsPlainDigestIsFound) {
  Key key;
  key.name = "a";
  key.digests = {{.digest = sha256_of("text of a"), .peppered = false}};
  parts.keys = {key};
  const auto directory = build();
  EXPECT_EQ(directory->find("text of a", kHere, kNoon).entry->key.name, "a");
  EXPECT_EQ(directory->find("text of b", kHere, kNoon).fault, KeyFault::Unknown);
}

TEST_F(DirectoryTest, AKeyMayBeBoundToAddresses) {
  add("a", "text of a").rights.addresses = {"10.0.0.0/8"};
  const auto directory = build();
  EXPECT_EQ(directory->find("text of a", "10.1.2.3", kNoon).fault, std::nullopt);
  EXPECT_EQ(directory->find("text of a", kHere, kNoon).fault, KeyFault::Address);
}

TEST_F(DirectoryTest, KnowsWhomAKeyBelongsTo) {
  parts.organisations = {{.name = "acme", .policy = {}}};
  parts.teams = {{.name = "search", .organisation = "acme", .policy = {}, .metadata = {}}};
  add("a", "a").team = "search";
  add("b", "b");
  const auto directory = build();
  EXPECT_EQ(directory->named("a")->organisation, "acme");
  EXPECT_EQ(directory->named("a")->team->subject(), "search");
  EXPECT_EQ(directory->named("b")->organisation, "default");
  EXPECT_EQ(directory->named("b")->team, nullptr);
}

TEST_F(DirectoryTest, AnAccountOutlivesAChangeOfItsPolicy) {
  Key& key = add("a", "a");
  key.policy.limits.parallel = 1;
  const auto before = build();
  EXPECT_FALSE(before->named("a")->account->take({}, {0, kNoon}, nullptr));
  parts.keys[0].policy.limits.parallel = 2;
  const auto after = build();
  EXPECT_EQ(after->named("a")->account, before->named("a")->account);
  EXPECT_FALSE(after->named("a")->account->take({}, {0, kNoon}, nullptr));
  EXPECT_TRUE(after->named("a")->account->take({}, {0, kNoon}, nullptr));
}

TEST_F(DirectoryTest, SaysWhatIsWrong) {
  add("a", "a").team = "nobody";
  EXPECT_EQ(fault_of(), "keys.a.team: there is no team 'nobody'");
  parts.keys.clear();
  add("a", "a");
  add("a", "b");
  EXPECT_EQ(fault_of(), "keys.a: two keys are called 'a'");
  parts.keys.clear();
  add("a", "a");
  add("b", "a");
  EXPECT_EQ(fault_of(), "keys.b: another key has the same text");
  parts.keys.clear();
  add("a", "a").rights.addresses = {"nowhere"};
  EXPECT_EQ(fault_of().substr(0, 17), "keys.a.addresses:");
}

TEST_F(DirectoryTest, BUD_7_EndUsersShareTheDefaultPolicyButNotTheirSpend) {
  parts.end_users.limits.parallel = 1;
  build();
  const auto anna = accounts.user("default", "anna", kNoon);
  EXPECT_EQ(accounts.user("default", "anna", kNoon), anna);
  EXPECT_NE(accounts.user("acme", "anna", kNoon), anna);
  EXPECT_FALSE(anna->take({}, {0, kNoon}, nullptr));
  EXPECT_TRUE(anna->take({}, {0, kNoon}, nullptr));
  EXPECT_FALSE(accounts.user("default", "ben", kNoon)->take({}, {0, kNoon}, nullptr));
}

TEST_F(DirectoryTest, WithoutAPolicyEndUsersAreNotCounted) {
  build();
  EXPECT_EQ(accounts.user("default", "anna", kNoon), nullptr);
}

TEST(Accounts, TooManyEndUsersShareOneAccount) {
  Accounts accounts({}, 2);
  Policy policy;
  policy.limits.parallel = 1;
  accounts.use_for_users(policy, kNoon);
  const auto a = accounts.user("o", "a", kNoon);
  const auto b = accounts.user("o", "b", kNoon);
  EXPECT_NE(a, b);
  EXPECT_EQ(accounts.user("o", "c", kNoon), accounts.user("o", "d", kNoon));
  EXPECT_EQ(accounts.user("o", "c", kNoon)->subject(), Accounts::kOtherUsers);
  EXPECT_EQ(accounts.user("o", "a", kNoon), a);
}

TEST(Accounts, BeginWithWhatTheLedgerSays) {
  SpendHistory history;
  history.quarters = {{quarter_of(kNoon), 7}};
  history.total = 9;
  Accounts accounts({{ledger_name(Level::Key, "a"), history}});
  Policy policy;
  BudgetRule rule;
  rule.name = "monthly";
  rule.amount = 100;
  policy.budgets = {rule};
  const auto account = accounts.of(Level::Key, "a");
  account->use(policy, kNoon);
  EXPECT_EQ(account->budgets(kNoon)[0].spent, 7);
}

TEST_F(DirectoryTest, AnOrganisationThatIsGoneLeavesNoLimits) {
  add("a", "text of a");
  Policy policy;
  policy.limits.requests_per_minute = 1;
  parts.organisations = {{.name = std::string(kDefaultOrganisation), .policy = policy}};
  const Moment now{.wall_micros = kNoon};
  EXPECT_EQ(build()->named("a")->organisation_account->allowances(now).requests.limit, 1);
  parts.organisations.clear();
  EXPECT_EQ(build()->named("a")->organisation_account->allowances(now).requests.limit,
            std::nullopt);
}

}  // namespace
}  // namespace sluice::governance
