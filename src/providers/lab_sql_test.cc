#include "providers/lab_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kId = "00000000-0000-4000-8000-00000000000a";
constexpr std::string_view kCreate =
    "CREATE TABLE IF NOT EXISTS \\\"T\\\" (id VARCHAR NOT NULL, rev NUMBER(38, 0) NOT NULL, at "
    "TIMESTAMP_NTZ, more VARIANT)";
constexpr std::string_view kMerge =
    "MERGE INTO \\\"T\\\" AS t USING (SELECT value:id::VARCHAR AS id, value:rev::NUMBER(38, 0) AS "
    "rev, value:at::TIMESTAMP_NTZ AS at, STRIP_NULL_VALUE(value:more) AS more FROM "
    "TABLE(FLATTEN(INPUT => PARSE_JSON(?)))) AS s ON t.id = s.id WHEN MATCHED AND s.rev >= t.rev "
    "THEN UPDATE SET rev = s.rev, more = s.more WHEN NOT MATCHED THEN INSERT (id, rev, at, more) "
    "VALUES (s.id, s.rev, s.at, s.more)";

class LabSqlTest : public ::testing::Test {
 protected:
  LabSqlAnswer post(const std::string& statement, const std::string& rest = "",
                    std::string_view id = kId, std::string_view more = "") {
    const std::string body = R"({"statement":")" + statement +
                             R"(","database":"D","schema":"S","warehouse":")" + warehouse_ + "\"" +
                             rest + "}";
    const std::string query = "requestId=" + std::string(id) + std::string(more);
    LabSqlCall call;
    call.method = "POST";
    call.query = query;
    call.content_type = "application/json";
    call.user_agent = "test/1";
    call.body = body;
    return sql_.answer(call);
  }
  LabSqlAnswer merge(const std::string& rows, std::string_view id = kId,
                     std::string_view more = "") {
    return post(std::string(kMerge), R"(,"bindings":{"1":{"type":"TEXT","value":")" + rows + "\"}}",
                id, more);
  }
  LabSqlAnswer get(const std::string& handle) {
    LabSqlCall call;
    call.method = "GET";
    call.handle = handle;
    call.user_agent = "test/1";
    return sql_.answer(call);
  }

  LabSql sql_;
  std::string warehouse_ = "WH";
};

constexpr std::string_view kTwo =
    R"([{\"id\":\"a\",\"rev\":1,\"at\":\"2026-11-23T07:00:00.5Z\",\"more\":{\"x\":[1]}},{\"id\":\"b\",\"rev\":2,\"more\":null}])";

TEST_F(LabSqlTest, MergesRowsByTheirKeyUnlessTheyAreOlder) {
  ASSERT_EQ(post(std::string(kCreate)).status, 200);
  const LabSqlAnswer first = merge(std::string(kTwo));
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_THAT(first.body, HasSubstr(R"("numRowsInserted":2,"numRowsUpdated":0)"));
  merge(R"([{\"id\":\"a\",\"rev\":0,\"more\":7},{\"id\":\"b\",\"rev\":3,\"more\":8}])");
  EXPECT_EQ(sql_.rows("T"),
            "{\"id\":\"a\",\"rev\":1,\"at\":\"2026-11-23T07:00:00.5Z\",\"more\":{\"x\":[1]}}\n"
            "{\"id\":\"b\",\"rev\":3,\"at\":null,\"more\":8}\n");
}

TEST_F(LabSqlTest, AValueThatDoesNotFitLetsAllOfItFail) {
  post(std::string(kCreate));
  EXPECT_THAT(merge(R"([{\"id\":\"a\",\"rev\":1},{\"id\":\"b\",\"rev\":\"x\"}])").body,
              HasSubstr("Numeric value 'x' is not recognized"));
  EXPECT_THAT(merge(R"([{\"id\":\"a\",\"rev\":1,\"at\":\"soon\"}])").body, HasSubstr("100035"));
  EXPECT_THAT(merge(R"([{\"id\":\"a\"}])").body, HasSubstr("non-nullable"));
  EXPECT_THAT(merge(R"([{\"id\":\"a\",\"rev\":1},{\"id\":\"a\",\"rev\":1}])").body,
              HasSubstr("Duplicate row"));
  EXPECT_EQ(sql_.rows("T"), "");
}

TEST_F(LabSqlTest, RefusesWhatSnowflakeRefuses) {
  EXPECT_THAT(merge("[]").body, HasSubstr("002003")) << "there is no table";
  post(std::string(kCreate));
  EXPECT_THAT(post("DROP TABLE t").body, HasSubstr("syntax error line 1 at position 0 unexpected"));
  EXPECT_THAT(post(std::string(kMerge)).body, HasSubstr("Bind variable ? not set"));
  EXPECT_THAT(post(std::string(kMerge), R"(,"bindings":{"1":{"type":"FIXED","value":"1"}})").body,
              HasSubstr("invalid type [FIXED]"));
  EXPECT_THAT(post(std::string(kMerge), R"(,"bindings":{"1":{"type":"TEXT","value":["1"]}})").body,
              HasSubstr("INSERT ... VALUES only"));
  EXPECT_EQ(post(std::string(kCreate), R"(,"unknown":1)").status, 400);
  EXPECT_EQ(post(std::string(kCreate), "", "no uuid").status, 400);
  warehouse_ = "";
  EXPECT_THAT(merge("[]").body, HasSubstr("No active warehouse"));
}

TEST_F(LabSqlTest, ARequestIdThatIsAskedAgainRunsOnce) {
  post(std::string(kCreate), "", "00000000-0000-4000-8000-000000000001");
  const LabSqlAnswer first = merge(std::string(kTwo));
  const LabSqlAnswer again = merge("[]", kId, "&retry=true");
  EXPECT_EQ(again.body, first.body);
  EXPECT_THAT(sql_.log(), HasSubstr(R"("retry":true,"ran":false,"status":200)"));
}

TEST_F(LabSqlTest, FaultsStandBehindTheWarehouse) {
  post(std::string(kCreate), "", "00000000-0000-4000-8000-000000000001");
  warehouse_ = "WH+busy-1+lost-1+slow-2";
  EXPECT_EQ(merge(std::string(kTwo)).status, 429);
  EXPECT_EQ(sql_.rows("T"), "");
  EXPECT_TRUE(merge(std::string(kTwo)).lost);
  const LabSqlAnswer running = merge(std::string(kTwo), kId, "&retry=true");
  ASSERT_EQ(running.status, 202);
  const size_t at = running.body.find("statementHandle\":\"") + 18;
  const std::string handle = running.body.substr(at, 36);
  EXPECT_EQ(get(handle).status, 202);
  EXPECT_EQ(get(handle).status, 200);
  EXPECT_EQ(get("nowhere").status, 404);
}

}  // namespace
}  // namespace sluice::providers
