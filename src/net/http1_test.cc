#include "net/http1.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <vector>

namespace sluice::net {
namespace {

using Status = HeadParse::Status;

const HeadLimits kLimits;

HeadParse request(std::string_view bytes, RequestHead& head, const HeadLimits& limits = kLimits) {
  return parse_request_head(bytes, limits, head);
}
int refusal(std::string_view bytes, const HeadLimits& limits = kLimits) {
  RequestHead head;
  const HeadParse parsed = parse_request_head(bytes, limits, head);
  if (parsed.status != Status::Bad) return 0;
  EXPECT_STRNE(parsed.reason, "");
  return parsed.http_status;
}
ResponseHead response(std::string_view bytes, bool answers_head = false) {
  ResponseHead head;
  const HeadParse parsed = parse_response_head(bytes, kLimits, answers_head, head);
  EXPECT_EQ(parsed.status, Status::Done) << parsed.reason << " in " << bytes;
  EXPECT_EQ(parsed.consumed, bytes.size());
  return head;
}
bool response_is_bad(std::string_view bytes) {
  ResponseHead head;
  return parse_response_head(bytes, kLimits, false, head).status == Status::Bad;
}

struct Vector {
  std::string name;
  std::string bytes;
};
std::vector<Vector> corpus(const char* folder) {
  std::vector<Vector> all;
  const auto root = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/http1" / folder;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    std::ifstream file(entry.path(), std::ios::binary);
    all.push_back(
        {entry.path().stem().string(), std::string(std::istreambuf_iterator<char>(file), {})});
  }
  EXPECT_GT(all.size(), 10u);
  return all;
}

TEST(RequestHead, IsTakenApart) {
  const std::string bytes =
      "POST /v1/chat?x=1 HTTP/1.1\r\nHost: a.example\r\nX-Two:  b c \t\r\ncontent-length: "
      "12\r\n\r\nrest";
  RequestHead head;
  const HeadParse parsed = request(bytes, head);
  ASSERT_EQ(parsed.status, Status::Done);
  EXPECT_EQ(bytes.substr(parsed.consumed), "rest");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat?x=1");
  EXPECT_EQ(head.path(), "/v1/chat");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.headers.size(), 3u);
  EXPECT_EQ(head.headers.find("x-two"), "b c");
  EXPECT_EQ(head.headers.find("x-three"), std::nullopt);
  EXPECT_EQ(head.framing, Framing::Length);
  EXPECT_EQ(head.length, 12u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expects_continue);
}

TEST(RequestHead, IsTheSameAtEverySplit) {
  for (const Vector& vector : corpus("accepted")) {
    RequestHead whole;
    const HeadParse full = request(vector.bytes, whole);
    ASSERT_EQ(full.status, Status::Done) << vector.name << ": " << full.reason;
    for (size_t cut = 0; cut < full.consumed; ++cut) {
      const std::string part = vector.bytes.substr(0, cut);
      RequestHead head;
      EXPECT_EQ(request(part, head).status, Status::NeedMore) << vector.name << " at " << cut;
    }
  }
}

TEST(RequestHead, NET_7_EveryAmbiguousVectorIsRefusedWithItsStatus) {
  for (const Vector& vector : corpus("refused")) {
    EXPECT_EQ(std::to_string(refusal(vector.bytes)), vector.name.substr(0, 3)) << vector.name;
  }
}

TEST(RequestHead, NET_7_NoSplitOfAnAmbiguousVectorIsEverRead) {
  for (const Vector& vector : corpus("refused")) {
    for (size_t cut = 0; cut <= vector.bytes.size(); ++cut) {
      const std::string part = vector.bytes.substr(0, cut);
      RequestHead head;
      EXPECT_NE(request(part, head).status, Status::Done) << vector.name << " at " << cut;
    }
  }
}

TEST(RequestHead, NET_7_EveryControlByteIsRefusedInNameValueAndTarget) {
  for (int c = 0; c < 256; ++c) {
    const std::string byte(1, static_cast<char>(c));
    const bool control = c < 0x20 || c == 0x7f;
    const bool in_value = !control || c == '\t';
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789abcdef" + byte + "g\r\n\r\n") == 0,
              in_value)
        << c;
    if (control || c >= 0x80) {
      EXPECT_EQ(refusal("GET /a" + byte + "b HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << c;
      EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nX" + byte + "Y: b\r\n\r\n"), 400) << c;
      EXPECT_EQ(refusal("G" + byte + "T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << c;
    }
  }
}

TEST(RequestHead, C11_LimitsHoldBeforeTheHeadIsWhole) {
  HeadLimits limits;
  limits.bytes = 200;
  limits.target = 20;
  limits.headers = 3;
  const std::string line = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(refusal("GET /" + std::string(20, 'a'), limits), 414);
  EXPECT_EQ(refusal("GET /" + std::string(20, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits), 414);
  EXPECT_EQ(refusal("GET /" + std::string(19, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits), 0);
  EXPECT_EQ(refusal(line + "Host: a\r\nA: 1\r\nB: 2\r\nC:", limits), 431);
  EXPECT_EQ(refusal(line + "Host: a\r\nA: 1\r\nB: 2\r\n\r\n", limits), 0);
  EXPECT_EQ(refusal(line + "Host: " + std::string(200, 'a'), limits), 431);
  EXPECT_EQ(refusal(line + "Host: " + std::string(200, 'a') + "\r\n\r\n", limits), 431);
  EXPECT_EQ(refusal(std::string(200, 'M'), limits), 431);
  std::string newlines;
  while (newlines.size() < 200) newlines += "\r\n";
  EXPECT_EQ(refusal(newlines, limits), 431);
}

TEST(RequestHead, NeverAsksForMoreThanTheLimit) {
  HeadLimits limits;
  limits.bytes = 100;
  const std::string endless = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(200, 'x');
  for (size_t size = 0; size < endless.size(); ++size) {
    RequestHead head;
    const Status status = request({endless.data(), size}, head, limits).status;
    EXPECT_EQ(status, size < limits.bytes ? Status::NeedMore : Status::Bad) << size;
  }
}

TEST(RequestHead, TellsWhetherTheConnectionStays) {
  const auto keeps = [](const std::string& version, const std::string& connection) {
    RequestHead head;
    const std::string bytes = "GET / " + version + "\r\nHost: a\r\n" + connection + "\r\n";
    EXPECT_EQ(parse_request_head(bytes, kLimits, head).status, Status::Done) << bytes;
    return head.keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", ""));
  EXPECT_TRUE(keeps("HTTP/1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "connection: te , CLOSE\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", ""));
  EXPECT_TRUE(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestHead, PathLeavesOutQuerySchemeAndAuthority) {
  RequestHead head;
  const auto path = [&](std::string_view target) {
    head.target = target;
    return head.path();
  };
  EXPECT_EQ(path("/a/b?c?d"), "/a/b");
  EXPECT_EQ(path("/"), "/");
  EXPECT_EQ(path("/redirect?to=http://b/c"), "/redirect");
  EXPECT_EQ(path("http://a.example/b?c"), "/b");
  EXPECT_EQ(path("http://a.example"), "/");
  EXPECT_EQ(path("https://a.example?c=/d"), "/");
  EXPECT_EQ(path("*"), "*");
}

TEST(RequestHead, KeepsNothingOfTheOneBefore) {
  RequestHead head;
  request("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", head);
  EXPECT_TRUE(head.expects_continue);
  request("GET / HTTP/1.1\r\nHost: a\r\n\r\n", head);
  EXPECT_FALSE(head.expects_continue);
  EXPECT_EQ(head.framing, Framing::None);
  EXPECT_EQ(head.length, 0u);
  EXPECT_EQ(head.headers.size(), 1u);
}

TEST(RequestHead, AnExpectationInHttp10IsNoExpectation) {
  RequestHead head;
  request("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", head);
  EXPECT_FALSE(head.expects_continue);
}

TEST(MayEndHead, SeesAnEmptyLineAtEverySplit) {
  for (const std::string end : {"\r\n\r\n", "\n\r\n", "\n\n"}) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a" + end;
    for (size_t from = 0; from < bytes.size(); ++from) {
      EXPECT_TRUE(may_end_head(bytes, from)) << end.size() << " from " << from;
    }
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(may_end_head({bytes.data(), size}, 0));
    }
  }
  EXPECT_FALSE(may_end_head("a\r\n\r\nbcd", 8));
}

TEST(ResponseHead, IsTakenApart) {
  const ResponseHead head =
      response("HTTP/1.1 246 Some Reason\r\nContent-Length: 7\r\nServer: x\r\n\r\n");
  EXPECT_EQ(head.status, 246);
  EXPECT_EQ(head.framing, Framing::Length);
  EXPECT_EQ(head.length, 7u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.headers.find("SERVER"), "x");
}

TEST(ResponseHead, TheReasonMayBeMissing) {
  EXPECT_EQ(response("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").status, 200);
  EXPECT_EQ(response("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").status, 200);
}

TEST(ResponseHead, FramingFollowsStatusRequestAndFields) {
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\n\r\n").framing, Framing::UntilClose);
  EXPECT_FALSE(response("HTTP/1.1 200 OK\r\n\r\n").keep_alive);
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").framing,
            Framing::Chunked);
  EXPECT_EQ(response("HTTP/1.1 204 No Content\r\n\r\n").framing, Framing::None);
  EXPECT_TRUE(response("HTTP/1.1 204 No Content\r\n\r\n").keep_alive);
  EXPECT_EQ(response("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").framing,
            Framing::None);
  EXPECT_EQ(response("HTTP/1.1 100 Continue\r\n\r\n").framing, Framing::None);
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true).framing, Framing::None);
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\n\r\n", true).framing, Framing::None);
  EXPECT_FALSE(response("HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n").keep_alive);
  EXPECT_FALSE(
      response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n").keep_alive);
}

TEST(ResponseHead, U40_AmbiguousFramingIsRefused) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_TRUE(response_is_bad(ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_TRUE(response_is_bad(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_TRUE(response_is_bad(ok + "Content-Length: 1, 1\r\n\r\n"));
  EXPECT_TRUE(response_is_bad(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST(ResponseHead, U41_U42_WhatIsNoReplyIsRefused) {
  EXPECT_TRUE(response_is_bad("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.1 200 OK\nX: a\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.1 099 Low\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.1 600 High\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.1 2000 Long\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/1.1  200 OK\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("HTTP/2.0 200 OK\r\n\r\n"));
  EXPECT_TRUE(response_is_bad("<html>"));
  EXPECT_TRUE(response_is_bad("ICY 200 OK\r\n\r\n"));
  HeadLimits limits;
  limits.bytes = 100;
  ResponseHead head;
  const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(100, 'x');
  EXPECT_EQ(parse_response_head(endless, limits, false, head).status, Status::Bad);
}

TEST(ResponseHead, NeedsMoreAtEverySplit) {
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nServer: x\r\n\r\n";
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    const std::string part = bytes.substr(0, cut);
    ResponseHead head;
    EXPECT_EQ(parse_response_head(part, kLimits, false, head).status, Status::NeedMore) << cut;
  }
}

TEST(Headers, TokensAreFoundInListsOverSeveralLines) {
  Headers headers;
  headers.add("Accept", "text/html");
  headers.add("Connection", "a, b ,c");
  headers.add("connection", ",,D");
  EXPECT_TRUE(headers.has_token("connection", "B"));
  EXPECT_TRUE(headers.has_token("connection", "d"));
  EXPECT_FALSE(headers.has_token("connection", "e"));
  EXPECT_FALSE(headers.has_token("accept", "text"));
}

TEST(Writing, HeadsAndChunks) {
  std::string out;
  append_status_line(out, 200);
  append_status_line(out, 429);
  append_status_line(out, 246);
  append_header(out, "X", "y");
  append_header(out, "Content-Length", uint64_t{18446744073709551615u});
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nHTTP/1.1 429 Too Many Requests\r\nHTTP/1.1 246 \r\nX: y\r\n"
            "Content-Length: 18446744073709551615\r\n");
  out.clear();
  append_chunk(out, "");
  EXPECT_EQ(out, "");
  append_chunk(out, std::string(500, 'x'));
  EXPECT_EQ(out, "1f4\r\n" + std::string(500, 'x') + "\r\n");
  EXPECT_EQ(status_line_text(503), "503 Service Unavailable");
  EXPECT_EQ(status_line_text(299), "299");
}

TEST(Writing, AHeaderValueHoldsNoControlByte) {
  EXPECT_TRUE(is_header_value("caf\xc3\xa9\t1"));
  EXPECT_TRUE(is_header_value(""));
  for (const char c : {'\r', '\n', '\0', '\x1b', '\x7f'}) {
    EXPECT_FALSE(is_header_value("a" + std::string(1, c)));
    EXPECT_FALSE(is_header_value(std::string(1, c) + "0123456789abcdefgh"));
  }
}

TEST(HopByHop, NamesAreKnownInAnyCase) {
  for (const char* name :
       {"Connection", "keep-alive", "TE", "Trailer", "Upgrade", "Transfer-Encoding",
        "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization"}) {
    EXPECT_TRUE(is_hop_by_hop(name)) << name;
  }
  EXPECT_FALSE(is_hop_by_hop("authorization"));
  EXPECT_FALSE(is_hop_by_hop("content-length"));
}

}  // namespace
}  // namespace sluice::net
