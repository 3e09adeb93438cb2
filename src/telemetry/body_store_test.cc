#include "telemetry/body_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/schema.h"
#include "telemetry/ledger_fixture.h"

namespace sluice::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Nanos kDay = 86'400 * kSecond;

class BodyStoreTest : public LedgerTest {
 protected:
  BodyStore& open_store(size_t queue_limit = 1 << 20) {
    BodyStoreOptions options;
    options.path = file();
    options.limit = 1000;
    options.queue_limit = queue_limit;
    auto database = open_bodies(file());
    EXPECT_TRUE(database);
    store_ = std::make_unique<BodyStore>(
        *std::move(database), options,
        BodyStoreParts{.clock = clock_, .log = *log_, .registry = *registry_});
    return *store_;
  }
  void TearDown() override {
    store_.reset();
    LedgerTest::TearDown();
  }
  Record asked(const std::string& key, const std::string& user = "") {
    clock_.now += kMillisecond;
    Record r = record(nullptr);
    r.caller.key = key;
    r.user = user;
    return r;
  }
  static KeptBodies bodies(const std::string& request, const std::string& answer) {
    return {.request = {.bytes = request, .size = request.size()},
            .answer = {.bytes = answer, .size = answer.size()},
            .dropped = false};
  }
  static RequestIdParts id_of(const Record& r) { return *parse_request_id(r.request_id); }
  std::optional<StoredBodies> found(const Record& r) {
    auto bodies = find_bodies(*open_bodies(file()), id_of(r));
    EXPECT_TRUE(bodies) << bodies.error().message();
    return *bodies;
  }
  int64_t count() { return *open_bodies(file())->integer("SELECT count(*) FROM bodies"); }
  // Everything there is to do; how many pieces it took.
  static int look_after(BodyTable& table, store::Database& database) {
    int pieces = 0;
    while (*table.step(database)) ++pieces;
    return pieces;
  }
  std::string file() const { return folder_ + "/bodies.db"; }

  std::unique_ptr<BodyStore> store_;
};

TEST_F(BodyStoreTest, WhatIsKeptIsFoundByItsRequestIdAlone) {
  BodyStore& store = open_store();
  const Record first = asked("ci", "ann");
  const Record second = asked("ci");
  store.keep(first, bodies("question", std::string("an\0swer", 7)));
  KeptBodies cut = bodies("long", "");
  cut.request.size = 5000;
  store.keep(second, cut);
  ASSERT_TRUE(store.drain());
  const auto bodies = found(first);
  ASSERT_TRUE(bodies);
  EXPECT_EQ(bodies->owner, "ci");
  EXPECT_EQ(bodies->user, "ann");
  EXPECT_EQ(bodies->endpoint, "chat");
  EXPECT_EQ(bodies->status, 200);
  EXPECT_EQ(bodies->kept.request.bytes, "question");
  EXPECT_EQ(bodies->kept.answer.bytes, std::string("an\0swer", 7));
  EXPECT_FALSE(bodies->kept.dropped);
  EXPECT_EQ(found(second)->kept.request.size, 5000U);
  EXPECT_EQ(found(second)->kept.answer.bytes, "");
  RequestIdParts guessed = id_of(first);
  ++guessed.tail;
  EXPECT_FALSE(*find_bodies(*open_bodies(file()), guessed)) << "half an id is no id";
  EXPECT_EQ(metric("llm_bodies_kept_total"), 2);
}

TEST_F(BodyStoreTest, WritingARowTwiceIsTheSameAsOnce) {
  open_store();
  auto database = open_bodies(file());
  const Record r = asked("ci");
  const KeptBodies kept = bodies("q", "a");
  std::string row(body_row_bound(r, kept, BodyForm::Whole), '\0');
  row.resize(write_body_row(row.data(), r, kept, BodyForm::Whole));
  BodyTable table(clock_, {});
  const std::string_view rows[] = {row, row};
  ASSERT_TRUE(table.write(*database, rows));
  EXPECT_EQ(count(), 1);
}

TEST_F(BodyStoreTest, PastHalfTheQueueBodiesAreDroppedAndTheirRowsSaySo) {
  BodyStore& store = open_store(20'000);
  std::vector<Record> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(asked("ci"));
    store.keep(records.back(), bodies(std::string(900, 'q'), "a"));
  }
  ASSERT_TRUE(store.drain());
  EXPECT_EQ(found(records.front())->kept.request.bytes.size(), 900U);
  const auto late = found(records[15]);
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->kept.dropped);
  EXPECT_EQ(late->kept.request.bytes, "");
  EXPECT_EQ(late->kept.request.size, 900U);
  EXPECT_EQ(metric("llm_bodies_kept_total") + metric("llm_bodies_dropped_total"), 40);
  EXPECT_GT(metric("llm_bodies_dropped_total"), 20);
  EXPECT_EQ(metric("llm_bodies_memory_bytes"), 0);
  stop();
  EXPECT_THAT(read_file("log"), HasSubstr("bodies are dropped"));
}

TEST_F(BodyStoreTest, RequestsInHandHoldNoMoreThanTheLimit) {
  BodyStore& store = open_store(1000);
  EXPECT_TRUE(store.hold(600));
  EXPECT_FALSE(store.hold(500));
  EXPECT_EQ(metric("llm_bodies_memory_bytes"), 600);
  store.let_go(600);
  EXPECT_TRUE(store.hold(1000));
  EXPECT_FALSE(store.hold(1));
  store.let_go(1000);
}

TEST_F(BodyStoreTest, DB_2_OldBodiesGoInBoundedPieces) {
  BodyStore& store = open_store(64 << 20);
  for (int day = 0; day < 4; ++day) {
    for (int i = 0; i < 300; ++i) store.keep(asked("ci"), bodies("q", "a"));
    clock_.now += kDay;
  }
  ASSERT_TRUE(store.drain());
  auto database = open_bodies(file());
  BodyTable table(clock_, {.retention_days = 2});
  // The last was asked a day ago, so three days are left but for the oldest of them.
  EXPECT_GE(look_after(table, *database), 3) << "never more than 256 rows at once";
  EXPECT_EQ(count(), 300);
  EXPECT_EQ(table.removed_rows(), 900);
  EXPECT_EQ(look_after(table, *database), 0) << "it is not looked again at once";
  clock_.now += kDay + kSecond;
  EXPECT_GE(look_after(table, *database), 1);
  EXPECT_EQ(count(), 0);
}

TEST_F(BodyStoreTest, DB_2_APieceIsBoundedInBytesToo) {
  BodyStore& store = open_store(64 << 20);
  for (int i = 0; i < 20; ++i) store.keep(asked("ci"), bodies(std::string(1 << 20, 'q'), ""));
  ASSERT_TRUE(store.drain());
  clock_.now += 10 * kDay;
  auto database = open_bodies(file());
  BodyTable table(clock_, {.retention_days = 1});
  ASSERT_TRUE(*table.step(*database));
  EXPECT_EQ(table.removed_rows(), 4);
}

TEST_F(BodyStoreTest, AboveTheSizeOfTheFileTheOldestGo) {
  BodyStore& store = open_store(64 << 20);
  std::vector<Record> records;
  for (int i = 0; i < 1000; ++i) {
    records.push_back(asked("ci"));
    store.keep(records.back(), bodies(std::string(10'000, 'q'), "a"));
  }
  ASSERT_TRUE(store.drain());
  auto database = open_bodies(file());
  BodyTable table(clock_, {.max_size = 5 << 20});
  EXPECT_GT(look_after(table, *database), 0);
  EXPECT_FALSE(found(records.front()));
  EXPECT_TRUE(found(records.back()));
  EXPECT_GT(count(), 250) << "and no more than needed";
  EXPECT_LE(*database->integer("PRAGMA page_count") * 8192, 6 << 20) << "the file is shorter";
}

TEST_F(BodyStoreTest, DB_2_EveryTableOfTheFileIsCovered) {
  open_store();
  auto database = open_bodies(file());
  std::vector<std::string> tables;
  auto rows = database->prepare("SELECT name FROM sqlite_schema WHERE type = 'table'");
  while (*rows->step()) tables.emplace_back(rows->text(0));
  EXPECT_THAT(tables, ElementsAre("bodies"));
}

TEST_F(BodyStoreTest, ForgetsOneOwnerOrOneUserAndLeavesNoTrace) {
  BodyStore& store = open_store(64 << 20);
  for (int i = 0; i < 300; ++i) {
    store.keep(asked("ci", "ann"), bodies("secret of ann", ""));
    store.keep(asked("ci", ""), bodies("secret of nobody", ""));
    store.keep(asked("other", "bob"), bodies("secret of bob", ""));
  }
  ASSERT_TRUE(store.drain());
  auto database = open_bodies(file());
  const auto forget = [&](BodiesOf whose, std::string_view name) {
    int64_t all = 0;
    for (int64_t piece = -1; piece != 0; all += piece) {
      piece = *forget_bodies(*database, whose, name);
      EXPECT_LE(piece, 256);
    }
    return all;
  };
  EXPECT_EQ(forget(BodiesOf::User, ""), 0) << "whoever was not named is no user";
  EXPECT_EQ(forget(BodiesOf::User, "ann"), 300);
  EXPECT_EQ(forget(BodiesOf::Owner, "other"), 300);
  EXPECT_EQ(count(), 300);
  ASSERT_TRUE(wipe_log(*database));
  for (const char* name : {"/bodies.db", "/bodies.db-wal"}) {
    EXPECT_EQ(read_file(name).find("secret of ann"), std::string::npos) << name;
    EXPECT_EQ(read_file(name).find("secret of bob"), std::string::npos) << name;
  }
  EXPECT_NE(read_file("/bodies.db").find("secret of nobody"), std::string::npos);
}

TEST_F(BodyStoreTest, ItsFilesAreTheirOwnersAlone) {
  BodyStore& store = open_store();
  store.keep(asked("ci"), bodies("q", "a"));
  ASSERT_TRUE(store.drain());
  for (const char* name : {"/bodies.db", "/bodies.db-wal", "/bodies.db-shm"}) {
    struct stat info {};
    ASSERT_EQ(stat((folder_ + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
}

TEST_F(BodyStoreTest, ARowOfTheLedgerTellsWhoseItWas) {
  const Record r = asked("ci");
  ledger_->finish(0, r);
  const Record open = asked("");
  ledger_->finish(0, open);
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ((*find_origin(reader(), id_of(r)))->key, "ci");
  EXPECT_EQ((*find_origin(reader(), id_of(r)))->started_micros, r.started_micros);
  EXPECT_EQ((*find_origin(reader(), id_of(open)))->key, "");
  EXPECT_FALSE(*find_origin(reader(), id_of(asked("ci"))));
}

}  // namespace
}  // namespace sluice::telemetry
