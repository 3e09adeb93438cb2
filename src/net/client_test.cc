#include "net/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client_test_server.h"

namespace sluice::net {
namespace {

using ::testing::HasSubstr;

class ClientCall : public ClientTest {};

TEST_F(ClientCall, SendsHeadFixedFieldsAndBodyAsOneRequest) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{ok_reply("hello")}; });
  const Fetched got = fetch(origin_of(server), R"({"a":1})");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(server.requests.front(),
            "POST /v1/chat/completions HTTP/1.1\r\nContent-Type: application/json\r\nHost: "
            "127.0.0.1:" +
                std::to_string(server.port()) + "\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
  EXPECT_TRUE(got.trace.request_sent);
  EXPECT_GT(got.trace.sent_at, 0);
  EXPECT_GE(got.trace.first_byte_at, got.trace.sent_at);
}

TEST_F(ClientCall, KeepsAConnectionForTheNextCall) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{ok_reply("x")}; });
  const auto origin = origin_of(server);
  EXPECT_FALSE(fetch(origin).trace.reused);
  EXPECT_EQ(client_.idle_connections(), 1u);
  EXPECT_TRUE(fetch(origin).trace.reused);
  EXPECT_TRUE(fetch(origin, "{}", Until::forever(), Way::Next).trace.reused);
  EXPECT_EQ(server.accepted, 1);
}

TEST_F(ClientCall, ClosesAnIdleConnectionAfterItsTime) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{ok_reply("x")}; });
  const auto origin = origin_of(server);
  fetch(origin);
  pass(origin->idle_timeout / 2);
  EXPECT_EQ(client_.idle_connections(), 1u);
  pass(origin->idle_timeout / 2 + kMillisecond);
  EXPECT_EQ(client_.idle_connections(), 0u);
}

TEST_F(ClientCall, ForgetsOriginsThatNobodyUsesAnyMore) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{ok_reply("x")}; });
  auto origin = origin_of(server);
  fetch(origin);
  const Origin* const used[] = {origin.get()};
  client_.keep_only(used);
  EXPECT_EQ(client_.idle_connections(), 1u);
  client_.keep_only({});
  EXPECT_EQ(client_.idle_connections(), 0u);
}

TEST_F(ClientCall, ReadsRepliesSplitAtEveryByte) {
  const std::string body = "4;note=1\r\nWiki\r\n5\r\npedia\r\n0\r\nX-Trailer: 1\r\n\r\n";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  const std::string sized = ok_reply("Wikipedia");
  const std::string informed = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + sized;
  for (const std::string& bytes : {chunked, sized, informed}) {
    for (const Way way : {Way::ReadAll, Way::Next}) {
      ScriptedServer server(loop_, [&](const std::string&) {
        return Answer{bytes, Then::Keep, true};
      });
      const Fetched got = fetch(origin_of(server), "{}", Until::forever(), way);
      EXPECT_EQ(got.status, 200);
      EXPECT_EQ(got.body, "Wikipedia") << got.message;
      EXPECT_EQ(client_.idle_connections(), 1u);
    }
    client_.keep_only({});
  }
}

TEST_F(ClientCall, AReplyWithoutABodyMayEndItsConnection) {
  for (const char* head :
       {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"}) {
    for (const Then then : {Then::Keep, Then::Close}) {
      ScriptedServer server(loop_, [&](const std::string&) { return Answer{head, then}; });
      const Fetched got = fetch(origin_of(server));
      EXPECT_GE(got.status, 204) << head << got.message;
      EXPECT_EQ(got.body, "");
    }
    client_.keep_only({});
  }
}

TEST_F(ClientCall, ReadsALargeReplyOfEachFraming) {
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += std::to_string(i);
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < body.size(); at += 1000) {
    append_chunk(chunked, std::string_view(body).substr(at, 1000));
  }
  chunked += kLastChunk;
  const Answer by_close{"HTTP/1.1 200 OK\r\n\r\n" + body, Then::Close};
  for (const Answer& answer : {Answer{chunked}, Answer{ok_reply(body)}, by_close}) {
    for (const Way way : {Way::ReadAll, Way::Next}) {
      ScriptedServer server(loop_, [&](const std::string&) { return answer; });
      const Fetched got = fetch(origin_of(server), "{}", Until::forever(), way);
      EXPECT_TRUE(got.body == body) << got.message << " after " << got.body.size();
      EXPECT_EQ(client_.idle_connections(), answer.then == Then::Keep ? 1u : 0u);
    }
    client_.keep_only({});
  }
}

TEST_F(ClientCall, RefusesAReplyAboveTheLimit) {
  limit_ = 1000;
  const std::string body(1001, 'x');
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  append_chunk(chunked, body);
  for (const std::string& bytes : {ok_reply(body), chunked}) {
    ScriptedServer server(loop_, [&](const std::string&) { return Answer{bytes}; });
    const Fetched got = fetch(origin_of(server));
    EXPECT_EQ(got.error, Outcome::UpstreamBadReply);
    EXPECT_THAT(got.message, HasSubstr("larger than 1000 bytes"));
  }
}

TEST_F(ClientCall, TakesNoBodyFromAReplyToHead) {
  head_ = "HEAD / HTTP/1.1\r\n";
  ScriptedServer server(loop_, [](const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"};
  });
  const auto origin = origin_of(server);
  EXPECT_EQ(fetch(origin, "").status, 200);
  EXPECT_TRUE(fetch(origin, "").trace.reused);
}

TEST_F(ClientCall, SkipsInformationalRepliesButNotAFloodOfThem) {
  std::string hints;
  for (int i = 0; i < 8; ++i) hints += "HTTP/1.1 100 Continue\r\n\r\n";
  int more = 0;
  ScriptedServer server(loop_, [&](const std::string&) {
    return Answer{(more++ > 0 ? "HTTP/1.1 100 Continue\r\n\r\n" : "") + hints + ok_reply("x")};
  });
  const auto origin = origin_of(server);
  EXPECT_EQ(fetch(origin).status, 200);
  EXPECT_EQ(fetch(origin).error, Outcome::UpstreamBadReply);
}

TEST_F(ClientCall, SendsManyPartsInOrder) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{ok_reply("x")}; });
  std::vector<std::string_view> parts(20, "0123456789");
  CallRequest request;
  request.head = head_;
  request.body = parts;
  CallTrace trace;
  bool done = false;
  const auto run = [](Client& client, std::shared_ptr<const Origin> origin, const CallRequest& what,
                      CallTrace& into, bool& over) -> Task<void> {
    Result<CallReply> reply =
        co_await client.call(std::move(origin), what, CallTimeouts(), Until::forever(), into);
    EXPECT_TRUE(reply.has_value());
    over = true;
  };
  loop_.tasks().spawn(run(client_, origin_of(server), request, trace, done));
  while (!done) loop_.turn(kMillisecond);
  EXPECT_THAT(server.requests.front(), HasSubstr("Content-Length: 200\r\n\r\n01234567890123"));
}

// U38: the body is shorter than it was said to be.
TEST_F(ClientCall, U38_CallsAShortBodyCutOff) {
  ScriptedServer server(loop_, [](const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", Then::Close};
  });
  for (const Way way : {Way::ReadAll, Way::Next}) {
    const Fetched got = fetch(origin_of(server), "{}", Until::forever(), way);
    EXPECT_EQ(got.error, Outcome::UpstreamReset);
    EXPECT_THAT(got.message, HasSubstr("before the reply's end"));
  }
}

// U39: extra bytes must not become the head of the next reply.
TEST_F(ClientCall, U39_DropsExtraBytesAndTheConnectionWithThem) {
  const std::string poison = "HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n";
  ScriptedServer server(loop_, [&](const std::string&) { return Answer{ok_reply("x") + poison}; });
  const auto origin = origin_of(server);
  for (const Way way : {Way::ReadAll, Way::Next}) {
    for (int i = 0; i < 3; ++i) {
      const Fetched got = fetch(origin, "{}", Until::forever(), way);
      EXPECT_EQ(got.status, 200);
      EXPECT_EQ(got.body, "x");
      EXPECT_FALSE(got.trace.reused);
    }
  }
}

TEST_F(ClientCall, U39_DropsAConnectionOnWhichBytesComeLater) {
  const std::string large(200'000, 'x');
  const std::string poison = "HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n";
  ScriptedServer server(loop_,
                        [&](const std::string&) { return Answer{ok_reply(large) + poison}; });
  const auto origin = origin_of(server);
  for (const Way way : {Way::ReadAll, Way::Next}) {
    for (int i = 0; i < 3; ++i) {
      const Fetched got = fetch(origin, "{}", Until::forever(), way);
      EXPECT_EQ(got.status, 200);
      EXPECT_EQ(got.body.size(), large.size());
      settle();
    }
  }
}

// U40, U41, U42: what two readers could take for two different things is refused.
TEST_F(ClientCall, U40_RefusesAmbiguousOrBrokenFraming) {
  const std::vector<std::string> replies = {
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      "<html>\r\n\r\n",
  };
  for (const std::string& bytes : replies) {
    ScriptedServer server(loop_, [&](const std::string&) { return Answer{bytes}; });
    EXPECT_EQ(fetch(origin_of(server)).error, Outcome::UpstreamBadReply) << bytes.substr(0, 60);
    EXPECT_EQ(client_.idle_connections(), 0u);
  }
}

// U44: the verdict came before the body had gone.
TEST_F(ClientCall, U44_RelaysAReplyThatComesBeforeTheBodyWasSent) {
  ScriptedServer server(loop_, [](const std::string&) {
    return Answer{"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nhuge", Then::Stall};
  });
  server.answer_at_head();
  const Fetched got = fetch(origin_of(server), std::string(16 << 20, 'x'));
  EXPECT_EQ(got.status, 413);
  EXPECT_EQ(got.body, "huge");
  EXPECT_EQ(got.trace.sent_at, 0);
  EXPECT_EQ(client_.idle_connections(), 0u);
}

TEST_F(ClientCall, U1_SaysWhichAddressRefused) {
  auto origin = std::make_shared<Origin>();
  origin->host = "127.0.0.1";
  {
    ScriptedServer gone(loop_, [](const std::string&) { return Answer{}; });
    origin->port = gone.port();
  }
  const Fetched got = fetch(origin);
  EXPECT_EQ(got.error, Outcome::ConnectError);
  EXPECT_THAT(got.message, HasSubstr("127.0.0.1:" + std::to_string(origin->port)));
  EXPECT_FALSE(got.trace.request_sent);
}

TEST_F(ClientCall, DISC_1_ClosesTheConnectionWhenTheCallIsCancelled) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{"", Then::Stall}; });
  Cancel cancel;
  Fetched got;
  bool done = false;
  loop_.tasks().spawn(fetch_into(got, origin_of(server), "{}", Until(Deadline::never(), &cancel),
                                 Way::ReadAll, done));
  while (server.requests.empty()) loop_.turn(kMillisecond);
  cancel.cancel(Outcome::ClientClosed);
  EXPECT_TRUE(done);
  EXPECT_EQ(got.error, Outcome::ClientClosed);
  EXPECT_EQ(client_.idle_connections(), 0u);
}

TEST_F(ClientCall, DISC_1_ClosesTheConnectionWhenAReplyIsDropped) {
  ScriptedServer server(loop_, [](const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"};
  });
  Cancel cancel;
  Fetched got;
  bool done = false;
  loop_.tasks().spawn(
      fetch_into(got, origin_of(server), "{}", Until(Deadline::never(), &cancel), Way::Next, done));
  while (got.body.empty()) loop_.turn(kMillisecond);
  EXPECT_EQ(server.open(), 1u);
  cancel.cancel(Outcome::ClientClosed);
  for (int i = 0; i < 100 && server.open() > 0; ++i) loop_.turn(kMillisecond);
  EXPECT_EQ(server.open(), 0u);
  EXPECT_EQ(got.error, Outcome::ClientClosed);
}

// KA-4: each limit by its own name.
TEST_F(ClientCall, KA_4_NamesTheLimitForTheFirstByte) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{"", Then::Stall}; });
  const Fetched got = fetch(origin_of(server), "{}", Until::forever(), Way::ReadAll, 10 * kSecond);
  EXPECT_EQ(got.error, Outcome::FirstByteTimeout);
  EXPECT_TRUE(got.trace.request_sent);
}

TEST_F(ClientCall, KA_4_NamesTheLimitBetweenReads) {
  ScriptedServer server(loop_, [](const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", Then::Stall};
  });
  for (const Way way : {Way::ReadAll, Way::Next}) {
    const Fetched got = fetch(origin_of(server), "{}", Until::forever(), way, 10 * kSecond);
    EXPECT_EQ(got.error, Outcome::IdleTimeout);
    EXPECT_EQ(client_.idle_connections(), 0u);
  }
}

TEST_F(ClientCall, KA_4_NamesTheLimitForTheWhole) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{"", Then::Stall}; });
  const Until until(loop_.after(30 * kSecond));
  EXPECT_EQ(fetch(origin_of(server), "{}", until, Way::ReadAll, kSecond).error,
            Outcome::TotalTimeout);
}

TEST_F(ClientCall, KA_4_NamesTheLimitForTheWholeInTheMiddleOfAReply) {
  ScriptedServer server(loop_, [](const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx", Then::Stall};
  });
  const Until until(loop_.after(30 * kSecond));
  EXPECT_EQ(fetch(origin_of(server), "{}", until, Way::Next, kSecond).error, Outcome::TotalTimeout);
}

// U10: the head's limit is for all of it, however busily it trickles.
TEST_F(ClientCall, U10_LimitsTheWholeHeadNotItsBytes) {
  const std::string slow = "HTTP/1.1 200 OK\r\nX: " + std::string(4000, 'x');
  ScriptedServer server(loop_, [&](const std::string&) { return Answer{slow, Then::Stall, true}; });
  EXPECT_EQ(fetch(origin_of(server), "{}", Until::forever(), Way::ReadAll, kSecond).error,
            Outcome::FirstByteTimeout);
}

TEST_F(ClientCall, KA_4_GivesUpOnARequestThatNobodyTakes) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{"", Then::Stall}; });
  server.answer_at_head();
  const Fetched got = fetch(origin_of(server), std::string(32 << 20, 'x'), Until::forever(),
                            Way::ReadAll, 10 * kSecond);
  EXPECT_EQ(got.error, Outcome::IdleTimeout);
  EXPECT_THAT(got.message, HasSubstr("took nothing of the request"));
}

// The reply may be the last thing that still uses the pool.
TEST_F(ClientCall, LetsAReplyOutliveTheClient) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{ok_reply("hello")}; });
  auto client = std::make_unique<Client>(loop_, resolver_);
  std::optional<CallReply> kept;
  CallRequest request;
  request.head = head_;
  CallTrace trace;
  const auto run = [](Client& by, std::shared_ptr<const Origin> origin, const CallRequest& what,
                      CallTrace& into, std::optional<CallReply>& keep) -> Task<void> {
    Result<CallReply> reply =
        co_await by.call(std::move(origin), what, CallTimeouts(), Until::forever(), into);
    if (reply) keep.emplace(*std::move(reply));
  };
  loop_.tasks().spawn(run(*client, origin_of(server), request, trace, kept));
  while (!kept) loop_.turn(kMillisecond);
  client.reset();
  const auto body = kept->try_read_all(100);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(**body, "hello");
}

}  // namespace
}  // namespace sluice::net
