#include "net/url.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

TEST(Url, IsTakenApart) {
  const Result<Url> url = parse_url("HTTPS://me:pass%20word@API.Example.com:8443/v1/x?y=1#frag");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_TRUE(url->is_tls());
  EXPECT_EQ(url->userinfo, "me:pass%20word");
  EXPECT_EQ(url->host, "api.example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/v1/x?y=1");
}

TEST(Url, KnowsTheUsualPortsAndEmptyPaths) {
  EXPECT_EQ(parse_url("http://a")->port, 80);
  EXPECT_EQ(parse_url("https://a")->port, 443);
  EXPECT_EQ(parse_url("http://a")->path, "");
  EXPECT_EQ(parse_url("http://a?x")->path, "/?x");
}

TEST(Url, TakesAddressLiterals) {
  EXPECT_EQ(parse_url("http://[::1]:8080/v1")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:8080/v1")->port, 8080);
  EXPECT_EQ(parse_url("http://127.0.0.1")->host, "127.0.0.1");
}

TEST(Url, RefusesWhatItCannotUse) {
  for (const char* text : {"",
                           "a",
                           "a:80",
                           "ftp://a",
                           "http://",
                           "http:///x",
                           "http://a:",
                           "http://a:0",
                           "http://a:65536",
                           "http://a:8x",
                           "http://[::1",
                           "http://[::1]x",
                           "http://[zz::]",
                           "http://a b",
                           "http://a\r\nX: y",
                           "http://1:2:3",
                           "http://::1",
                           "http://[a]",
                           "http://a\\b",
                           "http://a%2fb",
                           "http://b\xc3\xbc"
                           "cher.example"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Url, NeverShowsASecret) {
  const Result<Url> url = parse_url("http://me:secret@host:port");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().message().find("secret"), std::string::npos);
}

TEST(Url, BasicAuthorizationDecodesThenEncodes) {
  EXPECT_EQ(basic_authorization(""), "");
  EXPECT_EQ(basic_authorization("Aladdin:open%20sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic_authorization("a:b"), "Basic YTpi");
  EXPECT_EQ(basic_authorization("a:bc"), "Basic YTpiYw==");
}

struct NoProxyCase {
  const char* rules;
  const char* host;
  uint16_t port;
  bool matches;
};

TEST(NoProxy, NET_4_FollowsTheUsualRules) {
  const NoProxyCase cases[] = {
      {"", "a.example", 80, false},
      {"*", "a.example", 80, true},
      {"example", "a.example", 80, true},
      {".example", "a.example", 80, true},
      {"*.example", "a.example", 80, true},
      {"example", "example", 80, true},
      {"example", "anexample", 80, false},
      {"A.Example", "a.eXample", 80, true},
      {"b.example, a.example", "a.example", 80, true},
      {"b.example a.example", "a.example", 80, true},
      {"a.example:8443", "a.example", 8443, true},
      {"a.example:8443", "a.example", 443, false},
      {"a.example:", "a.example", 443, false},
      {"10.0.0.0/8", "10.1.2.3", 80, true},
      {"10.0.0.0/8", "11.1.2.3", 80, false},
      {"10.128.0.0/9", "10.127.0.1", 80, false},
      {"0.0.0.0/0", "11.1.2.3", 80, true},
      {"10.0.0.0/33", "10.0.0.0", 80, false},
      {"fd00::/8", "fd12::1", 80, true},
      {"fd00::/8", "10.1.2.3", 80, false},
      {"10.0.0.0/8", "ten.example", 80, false},
      {"127.0.0.1", "127.0.0.1", 80, true},
      {"127.0.0.1", "27.0.0.1", 80, false},
      {"7.0.0.1", "127.0.0.1", 80, false},
      {"0.0.1", "127.0.0.1", 80, false},
      {"[::1]:80", "::1", 80, true},
      {"[::1]:80", "::1", 81, false},
      {"::1", "0:0:0:0:0:0:0:1", 80, true},
      {",, ,", "a", 80, false},
      {".", "a", 80, false},
  };
  for (const NoProxyCase& c : cases) {
    EXPECT_EQ(no_proxy_matches(c.rules, c.host, c.port), c.matches)
        << "'" << c.rules << "' for " << c.host << ":" << c.port;
  }
}

}  // namespace
}  // namespace sluice::net
