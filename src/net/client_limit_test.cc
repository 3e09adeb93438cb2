// At most so many connections to an origin, and the queue of the calls that find them all in use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client_test_server.h"

namespace sluice::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A call that runs beside others. Destroying it destroys the call where it stands.
struct Running {
  Fetched got;
  bool done = false;
  Cancel cancel;
  TaskGroup task;
};

class ConnectionLimit : public ClientTest {
 protected:
  ConnectionLimit() { origin_->max_connections = 2; }

  std::unique_ptr<Running> start(Deadline deadline = Deadline::never()) {
    auto call = std::make_unique<Running>();
    const Until until(deadline, &call->cancel);
    call->task.spawn(fetch_into(call->got, origin_, "{}", until, Way::Next, call->done));
    settle();
    return call;
  }
  static Answer stall(const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", Then::Stall};
  }
  void settle() {
    for (int i = 0; i < 20; ++i) loop_.turn(0);
  }
  static Task<void> then_clear(Task<void> call, TaskGroup& other) {
    co_await call;
    other.clear();
  }
  bool ends(Running& call) {
    for (int i = 0; i < 200 && !call.done; ++i) loop_.turn(kMillisecond);
    return call.done;
  }

  // Begins a stream and holds it open.
  ScriptedServer server_{loop_, stall};
  std::shared_ptr<Origin> origin_ = origin_of(server_);
};

TEST_F(ConnectionLimit, NoMoreConnectionsThanAllowedAndTheRestWaits) {
  const auto a = start(), b = start(), c = start();
  EXPECT_EQ(server_.accepted, 2);
  EXPECT_EQ(client_.open_connections(), 2u);
  EXPECT_EQ(client_.waiting_calls(), 1u);
  EXPECT_EQ(b->got.body, "x");
  EXPECT_EQ(c->got.body, "");
}

TEST_F(ConnectionLimit, AStreamThatEndsEarlyHandsItsPlaceToTheFirstThatWaits) {
  const auto a = start(), b = start(), c = start(), d = start();
  a->cancel.cancel(Outcome::ClientClosed);
  settle();
  EXPECT_EQ(c->got.body, "x");
  EXPECT_EQ(d->got.body, "");
  EXPECT_EQ(client_.waiting_calls(), 1u);
  EXPECT_EQ(client_.open_connections(), 2u);
  b->task.clear();
  settle();
  EXPECT_EQ(d->got.body, "x") << "a call that is destroyed gives its place back too";
}

TEST_F(ConnectionLimit, AKeptConnectionGoesStraightToTheFirstThatWaits) {
  ScriptedServer quick(loop_, [](const std::string&) { return Answer{ok_reply("y")}; });
  origin_ = origin_of(quick);
  origin_->max_connections = 1;
  std::vector<std::unique_ptr<Running>> calls;
  for (int i = 0; i < 10; ++i) {
    auto call = std::make_unique<Running>();
    call->task.spawn(fetch_into(call->got, origin_, "{}", Until::forever(), Way::Next, call->done));
    calls.push_back(std::move(call));
  }
  EXPECT_EQ(client_.waiting_calls(), 9u);
  for (const auto& call : calls) {
    ASSERT_TRUE(ends(*call));
    EXPECT_EQ(call->got.body, "y");
  }
  EXPECT_EQ(quick.accepted, 1);
  EXPECT_TRUE(calls[1]->got.trace.reused);
  EXPECT_EQ(client_.idle_connections(), 1u);
}

TEST_F(ConnectionLimit, FirstComeFirstServed) {
  const auto a = start(), b = start();
  std::vector<std::unique_ptr<Running>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(start());
  waiting[1]->cancel.cancel(Outcome::ClientClosed);
  EXPECT_TRUE(waiting[1]->done);
  EXPECT_EQ(waiting[1]->got.error, Outcome::ClientClosed);
  EXPECT_EQ(client_.waiting_calls(), 2u) << "a cancelled call leaves the queue at once";
  a->task.clear();
  settle();
  EXPECT_EQ(waiting[0]->got.body, "x");
  EXPECT_EQ(waiting[2]->got.body, "");
  waiting[0]->task.clear();
  settle();
  EXPECT_EQ(waiting[2]->got.body, "x");
}

TEST_F(ConnectionLimit, ACallThatWaitsTooLongSaysWhatItWaitedFor) {
  timeouts_.queue = 2 * kSecond;
  const auto a = start(), b = start(), c = start();
  pass(2 * kSecond - 2 * kMillisecond);
  EXPECT_FALSE(c->done);
  pass(4 * kMillisecond);
  ASSERT_TRUE(c->done);
  EXPECT_EQ(c->got.error, Outcome::PoolTimeout);
  EXPECT_EQ(c->got.message, "all 2 connections to 127.0.0.1:" + std::to_string(server_.port()) +
                                " are in use, and none became free within 2002 ms");
  EXPECT_FALSE(c->got.trace.request_sent);
  EXPECT_EQ(client_.waiting_calls(), 0u);
  EXPECT_FALSE(a->done);
}

TEST_F(ConnectionLimit, ACallsOwnDeadlineEndsItsWaitBefore) {
  const auto a = start(), b = start();
  const auto c = start(loop_.after(100 * kMillisecond));
  pass(102 * kMillisecond);
  ASSERT_TRUE(c->done);
  EXPECT_EQ(c->got.error, Outcome::PoolTimeout);
}

TEST_F(ConnectionLimit, AFullQueueRefusesAtOnce) {
  origin_->max_waiting = 1;
  const auto a = start(), b = start(), c = start(), d = start();
  ASSERT_TRUE(d->done);
  EXPECT_EQ(d->got.error, Outcome::PoolTimeout);
  EXPECT_THAT(d->got.message, HasSubstr("and 1 calls wait already"));
  EXPECT_FALSE(c->done);
}

TEST_F(ConnectionLimit, AConnectionThatCannotBeOpenedGivesItsPlaceOn) {
  std::vector<std::unique_ptr<Running>> calls;
  {
    ScriptedServer gone(loop_, stall);
    origin_ = origin_of(gone);
  }
  origin_->max_connections = 1;
  for (int i = 0; i < 5; ++i) calls.push_back(start());
  for (const auto& call : calls) {
    EXPECT_TRUE(ends(*call));
    EXPECT_EQ(call->got.error, Outcome::ConnectError);
  }
  EXPECT_EQ(client_.open_connections(), 0u);
}

TEST_F(ConnectionLimit, KA_5_ADeadConnectionIsReplacedInItsOwnPlace) {
  ScriptedServer quick(loop_, [](const std::string&) { return Answer{ok_reply("y")}; });
  origin_ = origin_of(quick);
  origin_->max_connections = 1;
  fetch(origin_);
  quick.close_all(Then::Close);
  auto waits = std::make_unique<Running>();
  Running first;
  for (Running* call : {&first, waits.get()}) {
    call->task.spawn(fetch_into(call->got, origin_, "{}", Until::forever(), Way::Next, call->done));
  }
  EXPECT_TRUE(ends(first));
  EXPECT_EQ(first.got.status, 200) << first.got.message;
  EXPECT_FALSE(first.got.trace.reused);
  EXPECT_TRUE(ends(*waits));
  EXPECT_EQ(waits->got.status, 200);
  EXPECT_EQ(quick.accepted, 2);
}

// A call is destroyed between being given a place and going on with it.
TEST_F(ConnectionLimit, APlaceThatNobodyTakesGoesToTheNext) {
  auto a = start(), b = start(), c = start(), d = start();
  a->task.clear();
  c->task.clear();
  settle();
  EXPECT_EQ(d->got.body, "x");
  EXPECT_EQ(client_.open_connections(), 2u);
  EXPECT_EQ(client_.waiting_calls(), 0u);
  for (Running* call : {b.get(), d.get()}) call->task.clear();
  EXPECT_EQ(client_.open_connections(), 0u);
}

TEST_F(ConnectionLimit, AKeptConnectionThatNobodyTakesGoesToTheNext) {
  ScriptedServer quick(loop_, [](const std::string&) { return Answer{ok_reply("y")}; });
  origin_ = origin_of(quick);
  origin_->max_connections = 1;
  Running first, second, third;
  // The first gives its connection back and, in the same breath, the second is destroyed.
  first.task.spawn(then_clear(
      fetch_into(first.got, origin_, "{}", Until::forever(), Way::Next, first.done), second.task));
  for (Running* call : {&second, &third}) {
    call->task.spawn(fetch_into(call->got, origin_, "{}", Until::forever(), Way::Next, call->done));
  }
  EXPECT_TRUE(ends(third));
  EXPECT_FALSE(second.done);
  EXPECT_EQ(third.got.body, "y");
  EXPECT_TRUE(third.got.trace.reused);
  EXPECT_EQ(quick.requests.size(), 2u);
  EXPECT_EQ(client_.open_connections(), 1u);
}

TEST_F(ConnectionLimit, AnIdleConnectionThatEndsFreesItsPlace) {
  ScriptedServer quick(loop_, [](const std::string&) { return Answer{ok_reply("y")}; });
  origin_ = origin_of(quick);
  origin_->max_connections = 1;
  fetch(origin_);
  EXPECT_EQ(client_.open_connections(), 1u);
  quick.close_all(Then::Close);
  settle();
  EXPECT_EQ(client_.open_connections(), 0u);
  EXPECT_EQ(fetch(origin_).status, 200);
}

TEST_F(ConnectionLimit, OriginsDoNotShareTheirLimit) {
  const auto a = start(), b = start();
  origin_ = origin_of(server_);
  const auto c = start();
  EXPECT_EQ(c->got.body, "x");
}

}  // namespace
}  // namespace sluice::net
