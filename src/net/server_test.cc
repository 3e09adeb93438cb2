#include "net/server.h"

#include "net/server_test_base.h"

namespace sluice::net {
namespace {

std::string echo(const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}
std::string echo_reply(const std::string& body) {
  return "HTTP/1.1 200 OK\r\n" + kDate +
         "X-Test: 1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string chunked(const std::string& path, const std::string& chunks) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
}

TEST_F(ServerTest, AnswersARequestWithOneReadAndOneWrite) {
  const auto peer = connect();
  const int reads = peer->reads();
  peer->send(kHello);
  EXPECT_EQ(peer->received(), kHelloReply);
  EXPECT_EQ(peer->writes(), 1);
  EXPECT_EQ(peer->reads() - reads, 1);
  EXPECT_FALSE(peer->closed());
  EXPECT_EQ(handler.peer, "10.0.0.1:4000");
  EXPECT_EQ(handler.bytes_in, kHello.size());
  EXPECT_EQ(handler.bytes_out, kHelloReply.size());
}

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  const auto peer = connect();
  for (int i = 0; i < 3; ++i) {
    peer->send(kHello);
    EXPECT_EQ(peer->take_received(), kHelloReply);
  }
  EXPECT_EQ(handler.ended, 3);
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(server.exchanges(), 0u);
}

TEST_F(ServerTest, APipelinedPairIsReadTheSameAtEverySplit) {
  const std::string pair =
      echo("first body") + chunked("/echo", "6\r\nsecond\r\n0\r\n\r\n") + kHello;
  const std::string replies = echo_reply("first body") + echo_reply("second") + kHelloReply;
  for (size_t cut = 0; cut <= pair.size(); ++cut) {
    const auto peer = connect();
    peer->send(pair.substr(0, cut));
    peer->send(pair.substr(cut));
    EXPECT_EQ(peer->received(), replies) << cut;
    EXPECT_FALSE(peer->closed()) << cut;
  }
}

TEST_F(ServerTest, APipelinedPairIsReadTheSameByteByByte) {
  const std::string pair =
      echo("first body") + chunked("/echo", "6\r\nsecond\r\n0\r\n\r\n") + kHello;
  const auto peer = connect();
  peer->chop_reads(1);
  peer->chop_writes(1);
  for (const char c : pair) peer->send({&c, 1});
  EXPECT_EQ(peer->received(), echo_reply("first body") + echo_reply("second") + kHelloReply);
}

TEST_F(ServerTest, C7_AHundredPipelinedRequestsAreAnsweredInOrder) {
  std::string requests;
  std::string replies;
  for (int i = 0; i < 100; ++i) {
    requests += echo("number " + std::to_string(i));
    replies += echo_reply("number " + std::to_string(i));
  }
  const auto peer = connect();
  peer->send(requests);
  EXPECT_EQ(peer->received(), replies);
  EXPECT_FALSE(peer->closed());
}

TEST_F(ServerTest, APipelinedRequestWaitsForTheOneBefore) {
  const auto peer = connect();
  peer->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + kHello);
  EXPECT_EQ(peer->received(), "");
  EXPECT_EQ(handler.begun, 1);
  ring();
  EXPECT_TRUE(contains(peer->received(), "waited"));
  EXPECT_TRUE(peer->received().ends_with(kHelloReply));
}

TEST_F(ServerTest, ABodyThatCameWithTheHeadIsThereAtOnce) {
  answer(echo("small"));
  EXPECT_TRUE(handler.arrived);
}

TEST_F(ServerTest, NET_5_ALargeBodyArrivesWholeInAnyFraming) {
  const std::string large(3 << 20, 'x');
  EXPECT_TRUE(answer(echo(large)).ends_with("\r\n\r\n" + large));
  std::string chunks;
  for (int i = 0; i < 100; ++i) append_chunk(chunks, large.substr(0, 10'000));
  const std::string reply = answer(chunked("/echo", chunks + "0\r\n\r\n"));
  EXPECT_TRUE(reply.ends_with("\r\n\r\n" + large.substr(0, 1'000'000)));
  EXPECT_FALSE(handler.arrived);
}

TEST_F(ServerTest, NET_7_ABodyNeverReachesIntoTheNextRequestWhateverTheBuffer) {
  const std::string body(100, 'b');
  const std::string request = echo(body);
  const size_t head = request.find("\r\n\r\n") + 4;
  const auto peer = connect();
  for (int i = 0; i < 3; ++i) {  // later ones find a buffer that is used and larger
    peer->send(request.substr(0, head));
    peer->send(request.substr(head) + kHello);
    EXPECT_EQ(peer->take_received(), echo_reply(body) + kHelloReply) << i;
  }
}

TEST_F(ServerTest, AHeadRequestGetsNoBody) {
  const auto peer = connect();
  peer->send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + kHello);
  EXPECT_EQ(peer->received(),
            "HTTP/1.1 200 OK\r\n" + kDate + "Content-Length: 5\r\n\r\n" + kHelloReply);
  peer->take_received();
  peer->send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + kHello);
  EXPECT_EQ(peer->received(), "HTTP/1.1 200 OK\r\n" + kDate +
                                  "Content-Type: text/event-stream\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n" +
                                  kHelloReply);
}

struct Listening final : ReplyTap {
  void sent(std::string_view piece) override {
    heard += piece;
    ++pieces;
  }
  std::string heard;
  int pieces = 0;
};

TEST_F(ServerTest, ATapHearsTheBodiesOfRepliesAndNothingElse) {
  Listening tap;
  handler.tap = &tap;
  answer(kHello + echo("a body"));
  EXPECT_EQ(tap.heard, "helloa body");
  answer("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(tap.heard, "helloa bodyonetwenty characters ok");
  EXPECT_EQ(tap.pieces, 4);
  answer("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  answer("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(tap.pieces, 4) << "nobody gets these bodies";
  answer("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(tap.heard.size(), 34u + (4u << 20));
}

TEST_F(ServerTest, Http10ClosesUnlessAskedToStay) {
  const auto first = connect();
  first->send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(contains(first->received(), "\r\nConnection: close\r\n"));
  EXPECT_TRUE(first->closed());
  const auto second = connect();
  second->send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(contains(second->received(), "\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(second->closed());
}

TEST_F(ServerTest, ConnectionCloseIsHonoured) {
  const auto peer = connect();
  peer->send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(contains(peer->received(), "Connection: close\r\n\r\nhello"));
  EXPECT_TRUE(peer->closed());
  EXPECT_EQ(server.connections(), 0u);
}

TEST_F(ServerTest, AStreamIsChunkedAndItsHeadGoesWithTheFirstChunk) {
  const auto peer = connect();
  peer->send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(peer->received(), "HTTP/1.1 200 OK\r\n" + kDate +
                                  "Content-Type: text/event-stream\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n"
                                  "3\r\none\r\n14\r\ntwenty characters ok\r\n0\r\n\r\n");
  EXPECT_EQ(peer->writes(), 1);
  EXPECT_EQ(handler.bytes_out, peer->received().size());
  EXPECT_FALSE(peer->closed());
}

TEST_F(ServerTest, AStreamToHttp10EndsWithTheConnection) {
  const auto peer = connect();
  peer->send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(peer->received(), "HTTP/1.1 200 OK\r\n" + kDate +
                                  "Content-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                                  "onetwenty characters ok");
  EXPECT_TRUE(peer->closed());
  EXPECT_FALSE(peer->aborted());
}

TEST_F(ServerTest, AnAbortedStreamIsNeverTakenForWhole) {
  const auto modern = connect();
  modern->send("GET /abort HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(modern->received().ends_with("4\r\npart\r\n"));
  EXPECT_TRUE(modern->closed());
  const auto old = connect();
  old->send("GET /abort HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old->received().ends_with("\r\n\r\npart"));
  EXPECT_TRUE(old->closed());
  EXPECT_TRUE(old->aborted());
}

TEST_F(ServerTest, ARawReplyIsTheHandlersBytesAloneAndTheConnectionsLast) {
  const auto peer = connect();
  peer->send("GET /raw HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(peer->received(), "no HTTP at all");
  EXPECT_TRUE(peer->closed());
  EXPECT_FALSE(peer->aborted());
  const auto aborted = connect();
  aborted->send("GET /raw-abort HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(aborted->received(), "no HTTP at all");
  EXPECT_TRUE(aborted->aborted());
}

TEST_F(ServerTest, AHandlerThatThrowsGetsItsClientA500) {
  const auto peer = connect();
  peer->send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n" + kHello);
  EXPECT_TRUE(starts(peer->received(), "HTTP/1.1 500 "));
  EXPECT_TRUE(contains(peer->received(), "Connection: close"));
  EXPECT_TRUE(contains(peer->received(), "{\"error\":\"internal error\"}"));
  EXPECT_EQ(handler.refused, std::vector{Outcome::Bug});
  EXPECT_EQ(handler.begun, 1);
  EXPECT_EQ(server.connections(), 0u);
}

TEST_F(ServerTest, AHandlerThatThrowsWithinAStreamCutsIt) {
  const auto peer = connect();
  peer->send("GET /half-throw HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(peer->received().ends_with("4\r\npart\r\n"));
  EXPECT_TRUE(peer->closed());
}

TEST_F(ServerTest, AHandlerThatSaysNothingGetsItsClientA500) {
  EXPECT_TRUE(starts(answer("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 500 "));
}

TEST_F(ServerTest, ABodyNobodyReadIsNeverTheNextRequest) {
  const auto peer = connect();
  peer->send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_TRUE(contains(peer->received(), "Connection: close"));
  EXPECT_TRUE(peer->stream_finished());
  peer->send(kHello);
  EXPECT_EQ(handler.begun, 1);
  peer->finish();
  EXPECT_TRUE(peer->closed());
}

TEST_F(ServerTest, ASmallBodyNobodyReadIsDropped) {
  const auto peer = connect();
  peer->send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET " + kHello);
  EXPECT_EQ(peer->received(), kHelloReply + kHelloReply);
}

TEST_F(ServerTest, TheDateFollowsTheClock) {
  EXPECT_TRUE(contains(answer(kHello), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  pass(999 * kMillisecond);
  EXPECT_TRUE(contains(answer(kHello), "08:49:37"));
  pass(kMillisecond);
  EXPECT_TRUE(contains(answer(kHello), "08:49:38"));
  clock.set_wall_micros(1'709'164'800'000'000 - 1);
  pass(2 * kSecond);
  EXPECT_TRUE(contains(answer(kHello), "Date: Thu, 29 Feb 2024 00:00:01 GMT\r\n"));
}

TEST_F(ServerTest, AReleasedRequestLetsItsStreamGoOn) {
  const auto peer = connect();
  peer->send("GET /release HTTP/1.1\r\nHost: a\r\n\r\n");
  ring();
  EXPECT_TRUE(peer->received().ends_with("4\r\nlate\r\n0\r\n\r\n"));
  peer->take_received();
  peer->send(kHello);
  EXPECT_EQ(peer->received(), kHelloReply);
}

TEST_F(ServerTest, DestroyingTheServerClosesEveryConnection) {
  auto own = std::make_unique<Server>(loop, handler, ServerOptions());
  const auto peer = std::make_shared<test::MemoryPeer>(loop);
  own->serve(peer->stream(), "");
  peer->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(own->exchanges(), 1u);
  own.reset();
  EXPECT_TRUE(peer->closed());
  ring();
}

}  // namespace
}  // namespace sluice::net
