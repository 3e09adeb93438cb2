#include "store/schema.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace sluice::store {
namespace {

using ::testing::HasSubstr;

class SchemaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "schema_test_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ + "/test.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
  std::string path_;
};

TEST_F(SchemaTest, MigrationsCountUpFromOne) {
  int expected = 1;
  for (const Migration& migration : migrations()) EXPECT_EQ(migration.version, expected++);
}

TEST_F(SchemaTest, OpensTwice) {
  ASSERT_TRUE(open_store(path_));
  auto again = open_store(path_);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again->integer("SELECT count(*) FROM exchange"), 0);
}

TEST_F(SchemaTest, P17_RefusesASchemaOfANewerProgram) {
  ASSERT_TRUE(open_store(path_)->exec("PRAGMA user_version=999"));
  auto refused = open_store(path_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("schema version 999"));
}

TEST_F(SchemaTest, P17_AFailingMigrationLeavesNothing) {
  auto database = Database::open(path_);
  ASSERT_TRUE(database);
  const Migration list[] = {{1, "good", "CREATE TABLE good(id INTEGER)"},
                            {2, "bad", "CREATE TABLE bad(id INTEGER); CREATE NONSENSE"}};
  auto failed = migrate(*database, list);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message(), HasSubstr("migration 2 (bad)"));
  EXPECT_EQ(*database->integer("SELECT count(*) FROM sqlite_schema"), 0);
  EXPECT_EQ(*database->integer("PRAGMA user_version"), 0);
}

TEST_F(SchemaTest, P17_AFileOfAnEarlierProgramGetsTheNewColumns) {
  const char* const columns =
      "SELECT count(*) FROM pragma_table_info('exchange') WHERE name LIKE 'attempts!_%' ESCAPE '!'";
  {
    auto earlier = Database::open(path_);
    ASSERT_TRUE(earlier);
    ASSERT_TRUE(migrate(*earlier, migrations().first(3)));
    EXPECT_EQ(*earlier->integer(columns), 0);
  }
  auto now = open_store(path_);
  ASSERT_TRUE(now) << now.error().message();
  EXPECT_EQ(*now->integer(columns), 2);
}

TEST_F(SchemaTest, RefusesAFileOfAnotherProgram) {
  {
    auto other = Database::open(path_);
    ASSERT_TRUE(other->exec("CREATE TABLE theirs(id INTEGER)"));
  }
  auto refused = open_store(path_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("belongs to another program"));
}

TEST_F(SchemaTest, P6_RefusesWhatIsNoDatabase) {
  std::ofstream(path_) << std::string(5000, 'x');
  auto refused = open_store(path_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("not a database"));
  EXPECT_EQ(std::filesystem::file_size(path_), 5000U) << "it is left as it was";
}

TEST_F(SchemaTest, P6_RefusesADamagedDatabaseAndNeverStartsEmpty) {
  size_t page_size = 0;
  {
    auto database = open_store(path_);
    ASSERT_TRUE(database);
    page_size = static_cast<size_t>(*database->integer("PRAGMA page_size"));
    ASSERT_TRUE(database->exec(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO name SELECT i, 'name ' || i FROM n"));
  }
  const auto size = std::filesystem::file_size(path_);
  std::ifstream whole(path_, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(whole)), {});
  int refused = 0;
  int pages = 0;
  for (size_t page = 0; page * page_size < size; ++page, ++pages) {
    std::string bad = good;
    for (size_t i = 0; i < 64; ++i) bad[page * page_size + i] ^= 0x5a;
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bad;
    auto opened = open_store(path_);
    refused += opened ? 0 : 1;
  }
  EXPECT_GT(pages, 10);
  EXPECT_EQ(refused, pages) << "damage to the head of any page is noticed";
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << good.substr(0, size / 2);
  EXPECT_FALSE(open_store(path_)) << "so is a file cut in half";
}

}  // namespace
}  // namespace sluice::store
