#include "app/exports/ndjson_folder.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>
#include <unistd.h>

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NdjsonFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "ndjson_folder_" + std::to_string(getpid());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static telemetry::ExchangeRow row(int64_t revision) {
    telemetry::ExchangeRow row;
    row.revision = revision;
    row.cells.resize(telemetry::exchange_columns().size());
    row.cells[0] = "req_" + std::to_string(revision);
    row.cells[1] = std::to_string(revision);
    return row;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  std::string content(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(folder_ + "/" + name).rdbuf();
    return out.str();
  }
  static ExportStart start(std::string id = "a", int64_t done = 0) {
    ExportStart start;
    start.id = std::move(id);
    start.done = done;
    start.newest = 100;
    return start;
  }

  std::string folder_;
};

TEST_F(NdjsonFolderTest, AFileIsNamedByItsRevisionsAndBoundedInSize) {
  std::string line;
  append_json_object(line, row(1));
  NdjsonFolder folder(folder_, 2 * line.size() + 2);
  ASSERT_EQ(*folder.prepare(start()), 0);
  const std::vector<telemetry::ExchangeRow> rows = {row(1), row(4), row(5)};
  ASSERT_TRUE(folder.write({.rows = rows, .request_id = ""}));
  EXPECT_THAT(files(),
              ElementsAre("exchanges-0000000000000001-0000000000000004.ndjson",
                          "exchanges-0000000000000005-0000000000000005.ndjson", "export.json"));
  EXPECT_THAT(content("exchanges-0000000000000001-0000000000000004.ndjson"),
              ::testing::StartsWith(line + "\n{\"request_id\":\"req_4\",\"revision\":4,"));
}

TEST_F(NdjsonFolderTest, GoesOnBehindItsLastFileOrWhereTheLedgerSays) {
  NdjsonFolder folder(folder_, 1 << 20);
  ASSERT_TRUE(folder.prepare(start()));
  const std::vector<telemetry::ExchangeRow> rows = {row(7)};
  ASSERT_TRUE(folder.write({.rows = rows, .request_id = ""}));
  EXPECT_EQ(*folder.prepare(start("a", 3)), 7) << "killed before the ledger knew";
  EXPECT_EQ(*folder.prepare(start("a", 9)), 9) << "files were taken away";
}

TEST_F(NdjsonFolderTest, RefusesAFolderThatHoldsSomethingElse) {
  NdjsonFolder folder(folder_, 1 << 20);
  ASSERT_TRUE(folder.prepare(start()));
  EXPECT_THAT(folder.prepare(start("b")).error().message(), HasSubstr("another ledger"));
  ExportStart period = start();
  period.window.since = 5;
  EXPECT_THAT(folder.prepare(period).error().message(), HasSubstr("another period"));
  const std::vector<telemetry::ExchangeRow> rows = {row(101)};
  ASSERT_TRUE(folder.write({.rows = rows, .request_id = ""}));
  EXPECT_THAT(folder.prepare(start()).error().message(), HasSubstr("an old copy"));
  fs::remove(folder_ + "/export.json");
  EXPECT_THAT(folder.prepare(start()).error().message(), HasSubstr("another ledger"));
}

}  // namespace
}  // namespace sluice::app
