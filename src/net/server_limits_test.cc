// What a Server refuses, gives up on and survives.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "net/server_test_base.h"

namespace sluice::net {
namespace {

std::vector<std::pair<std::string, std::string>> corpus(const char* folder) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto root = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/http1" / folder;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    std::ifstream file(entry.path(), std::ios::binary);
    all.emplace_back(entry.path().stem().string(),
                     std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return all;
}

TEST_F(ServerTest, NET_7_EveryAmbiguousVectorIsRefusedAndNothingBehindItIsRead) {
  for (const auto& [name, bytes] : corpus("refused")) {
    const auto peer = connect();
    peer->send(bytes + "\r\n\r\n" + kHello);
    EXPECT_TRUE(starts(peer->received(), "HTTP/1.1 " + name.substr(0, 3) + " ")) << name;
    EXPECT_EQ(count(peer->received(), "HTTP/1.1 "), 1u) << name;
    EXPECT_TRUE(contains(peer->received(), "\r\nConnection: close\r\n")) << name;
    EXPECT_TRUE(contains(peer->received(), "\r\nContent-Type: application/json\r\n")) << name;
  }
  EXPECT_EQ(handler.begun, 0);
}

TEST_F(ServerTest, NET_7_EveryUnusualVectorIsReadAsExactlyOneRequest) {
  for (const auto& [name, bytes] : corpus("accepted")) {
    handler.begun = 0;
    const auto peer = connect();
    peer->send(bytes);
    EXPECT_EQ(handler.begun, 1) << name;
    EXPECT_TRUE(handler.refused == std::vector{Outcome::Bug}) << name;  // no such path: silence
    handler.refused.clear();
  }
}

TEST_F(ServerTest, NET_7_BadChunksAreRefused) {
  for (const char* chunks : {"3\nabc\r\n0\r\n\r\n", "x\r\n", "3\r\nabcd\r\n0\r\n\r\n"}) {
    const std::string reply =
        answer("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
               std::string(chunks));
    EXPECT_TRUE(starts(reply, "HTTP/1.1 400 ")) << chunks;
    EXPECT_TRUE(contains(reply, "Connection: close")) << chunks;
  }
  EXPECT_EQ(handler.failures,
            (std::vector{Outcome::BadRequest, Outcome::BadRequest, Outcome::BadRequest}));
}

TEST_F(ServerTest, C11_HeadsBeyondTheLimitsAreRefused) {
  const std::string line = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_TRUE(starts(answer("GET /" + std::string(9000, 'a')), "HTTP/1.1 414 "));
  EXPECT_TRUE(starts(answer(line + "X: " + std::string(70'000, 'x')), "HTTP/1.1 431 "));
  std::string many = line;
  for (int i = 0; i < 100; ++i) many += "X: y\r\n";
  EXPECT_TRUE(starts(answer(many + "\r\n"), "HTTP/1.1 431 "));
}

TEST_F(ServerTest, C11_AHeadThatGrowsByBytesIsCutAtTheLimit) {
  ServerOptions options;
  options.head.bytes = 1000;
  server.set_options(options);
  const auto peer = connect();
  peer->send("GET / HTTP/1.1\r\nX: ");
  int sent = 19;
  while (peer->received().empty() && sent < 5000) {
    peer->send("x");
    ++sent;
  }
  EXPECT_TRUE(starts(peer->received(), "HTTP/1.1 431 "));
  EXPECT_EQ(sent, 1000);
}

TEST_F(ServerTest, C5_AHeadThatComesTooSlowlyGets408) {
  const auto peer = connect();
  pass(5 * kSecond);
  for (int i = 0; i < 9; ++i) {
    peer->send("G");
    pass(kSecond);
  }
  EXPECT_EQ(peer->received(), "");
  peer->send("G");
  pass(kSecond + kMillisecond);
  EXPECT_TRUE(starts(peer->received(), "HTTP/1.1 408 "));
  EXPECT_EQ(handler.refused, std::vector{Outcome::RequestTimeout});
}

TEST_F(ServerTest, C5_ABodyThatComesTooSlowlyGets408) {
  const auto peer = connect();
  peer->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 59; ++i) {
    peer->send("b");
    pass(kSecond);
  }
  EXPECT_EQ(peer->received(), "");
  pass(kSecond + kMillisecond);
  EXPECT_TRUE(starts(peer->received(), "HTTP/1.1 408 "));
  EXPECT_EQ(handler.failures, std::vector{Outcome::RequestTimeout});
}

TEST_F(ServerTest, C5_ABodyAtAFairRateMayTakeLongerThanTheTimeout) {
  const auto peer = connect();
  const std::string piece(20 * 1024, 'b');
  peer->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " +
             std::to_string(200 * piece.size()) + "\r\n\r\n");
  for (int i = 0; i < 200; ++i) {
    peer->send(piece);
    pass(kSecond);
  }
  EXPECT_TRUE(starts(peer->received(), "HTTP/1.1 200 "));
}

TEST_F(ServerTest, KA_7_AnIdleConnectionStaysLongerThanABalancersAndThenCloses) {
  EXPECT_GT(ServerOptions().keep_alive, 60 * kSecond);
  const auto peer = connect();
  peer->send(kHello);
  pass(74 * kSecond);
  EXPECT_FALSE(peer->closed());
  pass(kSecond + kMillisecond);
  EXPECT_TRUE(peer->closed());
  EXPECT_EQ(peer->received(), kHelloReply);
}

TEST_F(ServerTest, C13_ABodyTooLargeIsRefusedBeforeItIsRead) {
  ServerOptions options;
  options.max_body = 1000;
  server.set_options(options);
  const auto peer = connect();
  peer->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_TRUE(starts(peer->received(), "HTTP/1.1 413 "));
  EXPECT_TRUE(contains(peer->received(), "Connection: close"));
  EXPECT_FALSE(
      peer->closed());  // what is on its way is taken and dropped, lest a reset eats the 413
  peer->send(std::string(1001, 'b'));
  peer->finish();
  EXPECT_TRUE(peer->closed());

  const std::string chunk = "1f4\r\n" + std::string(500, 'b') + "\r\n";
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(starts(answer(head + chunk + chunk + "0\r\n\r\n"), "HTTP/1.1 200 "));
  EXPECT_TRUE(starts(answer(head + chunk + chunk + "1\r\nb"), "HTTP/1.1 413 "));
}

TEST_F(ServerTest, ALingeringCloseEnds) {
  const auto quiet = connect();
  quiet->send("BAD\r\n\r\n");
  EXPECT_FALSE(quiet->closed());
  pass(2 * kSecond + kMillisecond);
  EXPECT_TRUE(quiet->closed());
  const auto busy = connect();
  busy->send("BAD\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(busy->closed()) << i;
    busy->send("more");
    pass(kSecond + kMillisecond);
  }
  EXPECT_TRUE(busy->closed());
}

TEST_F(ServerTest, C12_ContinueIsSentWhenTheHandlerWantsTheBody) {
  const std::string head =
      " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  const auto peer = connect();
  peer->send("POST /echo" + head);
  EXPECT_EQ(peer->take_received(), "HTTP/1.1 100 Continue\r\n\r\n");
  peer->send("abc");
  EXPECT_TRUE(peer->received().ends_with("\r\n\r\nabc"));
  EXPECT_FALSE(peer->closed());

  const std::string refused = answer("POST /hello" + head);
  EXPECT_TRUE(starts(refused, "HTTP/1.1 200 "));
  EXPECT_TRUE(contains(refused, "Connection: close"));
  const std::string impatient = answer("POST /echo" + head + "abc");
  EXPECT_TRUE(starts(impatient, "HTTP/1.1 200 "));
}

TEST_F(ServerTest, NET_5_BodiesBeyondTheSumGetOverloaded) {
  ServerOptions options;
  options.max_inflight_bytes = 1000;
  server.set_options(options);
  const auto post = [](const std::string& path, size_t size) {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n" + std::string(size, 'b');
  };
  const auto first = connect();
  first->send(post("/wait", 600));
  EXPECT_TRUE(starts(answer(post("/echo", 401)), "HTTP/1.1 503 "));
  EXPECT_EQ(handler.failures, std::vector{Outcome::Overloaded});
  EXPECT_TRUE(starts(answer(post("/echo", 400)), "HTTP/1.1 200 "));
  ring();
  EXPECT_TRUE(starts(answer(post("/echo", 1000)), "HTTP/1.1 200 "));
}

TEST_F(ServerTest, C6_TheOldestIdleConnectionGivesWay) {
  ServerOptions options;
  options.max_connections = 2;
  server.set_options(options);
  const auto busy = connect();
  busy->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto idle = connect();
  const auto next = connect();
  EXPECT_TRUE(idle->closed());
  EXPECT_FALSE(next->closed());
  next->send("GET /wa");  // no longer idle
  const auto refused = connect();
  loop.turn(0);
  EXPECT_TRUE(starts(refused->received(), "HTTP/1.1 503 "));
  EXPECT_TRUE(contains(refused->received(), "Connection: close"));
  refused->finish();
  EXPECT_TRUE(refused->closed());
  EXPECT_EQ(server.connections(), 2u);
  ring();
  EXPECT_TRUE(starts(busy->received(), "HTTP/1.1 200 "));
}

TEST_F(ServerTest, DISC_1_AClientThatHangsUpCancelsItsExchange) {
  const auto peer = connect();
  peer->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  peer->finish();
  EXPECT_EQ(handler.wake, Wake::Cancelled);
  EXPECT_EQ(handler.why, Outcome::ClientClosed);
  EXPECT_EQ(handler.refused.size(), 0u);
  EXPECT_TRUE(peer->closed());
  EXPECT_EQ(server.connections(), 0u);
  EXPECT_EQ(server.exchanges(), 0u);
}

TEST_F(ServerTest, AClientThatEndsItsSideWithItsRequestStillGetsAPromptReply) {
  const auto peer = connect();
  peer->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  peer->send("a");
  peer->send("bc");
  peer->finish();
  EXPECT_TRUE(peer->received().ends_with("\r\n\r\nabc"));
  EXPECT_TRUE(peer->closed());
}

TEST_F(ServerTest, AClientThatLeavesWithinItsBodyCancelsIt) {
  const auto peer = connect();
  peer->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
  peer->finish();
  ASSERT_FALSE(handler.failures.empty());
  EXPECT_EQ(handler.failures[0], Outcome::ClientClosed);
  EXPECT_TRUE(peer->closed());
}

TEST_F(ServerTest, C4_ASlowReaderHoldsTheHandlerBack) {
  const auto peer = connect();
  peer->set_room(100'000);
  peer->send("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  const uint64_t chunks = handler.chunks;
  EXPECT_LT(chunks, 9u);
  pass(10 * kSecond);
  EXPECT_EQ(handler.chunks, chunks);
  peer->set_room(50'000);
  EXPECT_EQ(peer->received().size(), 150'000u);
  EXPECT_LT(handler.chunks, 12u);
}

TEST_F(ServerTest, C4_AReaderWithoutProgressIsCut) {
  const auto peer = connect();
  peer->set_room(10);
  peer->send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    pass(59 * kSecond);
    EXPECT_FALSE(peer->closed());
    peer->set_room(10);
  }
  pass(60 * kSecond + kMillisecond);
  EXPECT_EQ(handler.failures, std::vector{Outcome::ClientClosed});
  EXPECT_TRUE(peer->closed());
  EXPECT_TRUE(peer->aborted());
}

TEST_F(ServerTest, AWriteThatWaitsDoesNotSendWhatOthersPutIntoTheSharedBytes) {
  const auto peer = connect();
  peer->set_room(10);
  peer->send("GET /scratch HTTP/1.1\r\nHost: a\r\n\r\n");
  std::fill_n(loop.scratch().data(), 2000, '!');
  EXPECT_TRUE(contains(answer(kHello), "hello"));
  peer->set_room(100'000);
  EXPECT_TRUE(peer->received().ends_with("\r\n3e8\r\n" + std::string(1000, 's') + "\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, APushedChunkKeepsItsPlaceWhateverTheRoom) {
  std::string whole;
  for (size_t room = 200; room-- > 1;) {
    handler.pushed.clear();
    const auto peer = connect();
    peer->set_room(room);
    peer->send("GET /push HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_NE(handler.streaming, nullptr);
    const bool all_sent = peer->received().ends_with("5\r\nfirst\r\n");
    EXPECT_EQ(handler.streaming->push_chunk("second"), all_sent) << room;
    ring();
    peer->set_room(1000);
    if (whole.empty()) whole = peer->received();
    EXPECT_EQ(peer->received(), whole) << room;
    EXPECT_EQ(handler.bytes_out, whole.size());
  }
  EXPECT_TRUE(whole.ends_with("\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, WhatAClientHadNoRoomForGoesOutAsSoonAsItHas) {
  const auto peer = connect();
  peer->set_room(20);
  peer->send("GET /push HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(peer->received().size(), 20u);
  for (int i = 0; i < 4; ++i) peer->set_room(30);
  EXPECT_TRUE(peer->received().ends_with("\r\n\r\n5\r\nfirst\r\n"));
  EXPECT_EQ(handler.ended, 0);
}

TEST_F(ServerTest, APushToAClientThatIsGoneSaysSoAtTheFlush) {
  const auto peer = connect();
  peer->send("GET /push HTTP/1.1\r\nHost: a\r\n\r\n");
  peer->fail_writes(EPIPE);
  EXPECT_TRUE(handler.streaming->push_chunk("second"));
  loop.turn(0);
  EXPECT_FALSE(handler.streaming->push_chunk("third"));
  EXPECT_EQ(handler.wake, Wake::Ready);
  ring();
  EXPECT_EQ(handler.failures, (std::vector{Outcome::ClientClosed, Outcome::ClientClosed}));
  EXPECT_TRUE(peer->closed());
}

TEST_F(ServerTest, AReplyIsWholeWhateverTheRoom) {
  const std::string hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t room = 1; room <= kHelloReply.size(); ++room) {
    const auto peer = connect();
    peer->set_room(room);
    peer->send(hello);
    EXPECT_EQ(answer(hello), kHelloReply);
    peer->set_room(1000);
    EXPECT_EQ(peer->received(), kHelloReply) << room;
    EXPECT_EQ(handler.bytes_out, kHelloReply.size());
  }
}

TEST_F(ServerTest, KA_7_DrainClosesTheIdleAndAnswersWhatIsInHand) {
  const auto idle = connect();
  const auto busy = connect();
  busy->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto half = connect();
  half->send("GET /hello HT");
  server.drain();
  EXPECT_TRUE(idle->closed());
  EXPECT_FALSE(server.idle());
  half->send("TP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(contains(half->received(), "Connection: close\r\n\r\nhello"));
  EXPECT_TRUE(half->closed());
  ring();
  EXPECT_TRUE(contains(busy->received(), "Connection: close\r\n\r\nwaited"));
  EXPECT_TRUE(busy->closed());
  EXPECT_TRUE(server.idle());
}

TEST_F(ServerTest, CancelAllEndsWhatIsLeftWithDraining) {
  std::vector<std::shared_ptr<test::MemoryPeer>> peers;
  for (int i = 0; i < 5; ++i) peers.push_back(connect());
  peers[1]->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  peers[2]->send("GET /hel");
  peers[3]->send("BAD\r\n\r\n");
  server.drain();
  server.cancel_all();
  EXPECT_EQ(handler.why, Outcome::Draining);
  EXPECT_TRUE(server.idle());
  for (const auto& peer : peers) EXPECT_TRUE(peer->closed());
}

TEST_F(ServerTest, DISC_8_AThousandVanishingClientsLeaveNothing) {
  const std::string requests[] = {
      "", "GET /hel", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
      "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n"};
  for (int i = 0; i < 1000; ++i) {
    const auto peer = connect();
    peer->set_room(static_cast<size_t>(i) * 100);
    peer->send(requests[i % 5]);
    if (i % 2 == 0) {
      peer->reset();
    } else {
      peer->finish();
    }
    EXPECT_TRUE(peer->closed()) << i;
  }
  EXPECT_EQ(server.connections(), 0u);
  EXPECT_EQ(server.exchanges(), 0u);
  EXPECT_EQ(loop.timers().size(), 0u);
}

}  // namespace
}  // namespace sluice::net
