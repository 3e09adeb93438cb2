#include "governance/audit_chain.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "store/schema.h"

namespace sluice::governance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AuditChain : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "audit_chain_" + std::to_string(getpid()) + ".db";
    remove();
    auto opened = store::open_store(path_, store::control_schema());
    ASSERT_TRUE(opened) << opened.error().message();
    database_.emplace(*std::move(opened));
  }
  void TearDown() override {
    database_.reset();
    remove();
  }
  void remove() const {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  void append(int count) {
    for (int i = 0; i < count; ++i) {
      const auto entry = append_audit(*database_,
                                      {.actor = "ada",
                                       .action = "key.create",
                                       .target = "key" + std::to_string(i),
                                       .before = "",
                                       .after = R"({"a":1})"},
                                      1'700'000'000'000'000 + i);
      ASSERT_TRUE(entry) << entry.error().message();
    }
  }
  std::vector<std::string> problems(const std::optional<AuditHead>& known = std::nullopt) {
    auto report = verify_audit(*database_, known);
    EXPECT_TRUE(report);
    return report->problems;
  }

  std::string path_;
  std::optional<store::Database> database_;
};

TEST_F(AuditChain, IsSoundFromItsFirstRow) {
  EXPECT_THAT(problems(), IsEmpty());
  append(3);
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(read_audit_head(*database_)->seq, 3);
}

// What docs/admin-api.md promises to whoever checks the chain with other tools.
TEST_F(AuditChain, HashesTheTextThatIsDocumented) {
  append(1);
  const auto entries = latest_audit(*database_, 100, 10);
  ASSERT_TRUE(entries);
  const std::string text =
      std::string(32, '\0') + R"([1,1700000000000000,"ada","key.create","key0","","{\"a\":1}"])";
  EXPECT_EQ(hex_of(entries->front().hash), hex_of(sha256_of(text)));
}

TEST_F(AuditChain, EveryColumnOfEveryRowIsSealed) {
  append(5);
  for (const char* change :
       {"time = time + 1", "actor = 'eve'", "action = 'x'", "target = 'x'", "before = 'x'",
        "after = ''", "prev = zeroblob(32)", "hash = zeroblob(32)", "prev = x'00'"}) {
    for (int row = 2; row <= 5; ++row) {
      ASSERT_TRUE(database_->exec("SAVEPOINT kept"));
      const std::string sql =
          "UPDATE audit SET " + std::string(change) + " WHERE seq = " + std::to_string(row);
      ASSERT_TRUE(database_->exec(sql.c_str()));
      EXPECT_FALSE(problems().empty()) << sql;
      ASSERT_TRUE(database_->exec("ROLLBACK TO kept; RELEASE kept"));
      EXPECT_THAT(problems(), IsEmpty());
    }
  }
}

TEST_F(AuditChain, ACutOffEndShowsAgainstAHeadWrittenDownEarlier) {
  append(5);
  const AuditHead head = *read_audit_head(*database_);
  ASSERT_TRUE(database_->exec("DELETE FROM audit WHERE seq > 3"));
  EXPECT_THAT(problems(), IsEmpty()) << "the rest is a chain";
  EXPECT_THAT(problems(head), ElementsAre(HasSubstr("rows 4 to 5 were cut off")));
  append(2);
  EXPECT_THAT(problems(head), ElementsAre(HasSubstr("row 5 is not the one")));
}

TEST(AuditHeads, AreReadAsTheyArePrinted) {
  const AuditHead head{.seq = 42, .hash = sha256_of("x")};
  const auto again = audit_head_of(text_of(head));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->seq, 42);
  EXPECT_TRUE(same_digest(again->hash, head.hash));
  for (const char* broken : {"", "42", "42:", "x:00", ":00", "-1:00", "42:zz"})
    EXPECT_FALSE(audit_head_of(broken)) << broken;
}

}  // namespace
}  // namespace sluice::governance
