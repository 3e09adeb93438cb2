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

TEST(PlainBody, U37_WhatUnpacksToTooMuchIsTheFaultOfItsSender) {
  // gzip of {"a":"aaaa"}
  const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                  0xab, 0x56, 0x4a, 0x54, 0xb2, 0x52, 0x4a, 0x04, 0x02, 0xa5,
                                  0x5a, 0x00, 0x3a, 0x8f, 0x83, 0x0a, 0x0c, 0x00, 0x00, 0x00};
  const std::string body(std::begin(packed), std::end(packed));
  net::Headers headers;
  headers.add("content-encoding", "gzip");
  std::string storage;
  EXPECT_EQ(*plain_body(headers, body, 12, Outcome::UpstreamBadReply, storage), R"({"a":"aaaa"})");
  for (const auto& [malformed, told] :
       {std::pair(Outcome::UpstreamBadReply, Outcome::UpstreamBadReply),
        std::pair(Outcome::BadRequest, Outcome::TooLarge)}) {
    storage.clear();
    const auto plain = plain_body(headers, body, 11, malformed, storage);
    ASSERT_FALSE(plain);
    EXPECT_EQ(plain.error().outcome(), told);
  }
}

}  // namespace
}  // namespace sluice::gateway
