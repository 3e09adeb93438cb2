#include "gateway/body.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

TEST(AcceptsCoding, FollowsWhatTheClientLists) {
  EXPECT_TRUE(accepts_coding("gzip, br", "br"));
  EXPECT_TRUE(accepts_coding("GZIP;q=0.5", "gzip"));
  EXPECT_TRUE(accepts_coding("*", "zstd"));
  EXPECT_FALSE(accepts_coding("", "gzip"));
  EXPECT_FALSE(accepts_coding("identity", "gzip"));
  EXPECT_FALSE(accepts_coding("gzip;q=0, *", "gzip"));
  EXPECT_FALSE(accepts_coding("*;q=0.0", "gzip"));
}

TEST(PlainBody, LeavesAnUncodedBodyWhereItIs) {
  std::string storage;
  const std::string body = "{}";
  net::Headers headers;
  headers.add("content-encoding", "identity");
  const auto plain = plain_body(headers, body, 10, Outcome::BadRequest, storage);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->data(), body.data());
}

TEST(PlainBody, RefusesACodingNobodyKnows) {
  std::string storage;
  net::Headers headers;
  headers.add("content-encoding", "snappy");
  const auto plain = plain_body(headers, "{}", 10, Outcome::BadRequest, storage);
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().outcome(), Outcome::BadRequest);
}

}  // namespace
}  // namespace sluice::gateway
