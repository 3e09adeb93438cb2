#include "net/stream.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"
#include "tests/support/memory_stream.h"

namespace sluice::net {
namespace {

class StreamTest : public testing::Test {
 protected:
  void pass(Nanos time) {
    clock.advance(time);
    loop.turn(0);
  }
  test::ManualClock clock;
  Loop loop{clock};
  std::shared_ptr<test::MemoryPeer> peer = std::make_shared<test::MemoryPeer>(loop);
  std::unique_ptr<Stream> stream = peer->stream();
  char bytes[64];
};

Task<void> read_into(Stream& stream, std::span<char> into, Until until, IoResult* out, int* done) {
  *out = co_await stream.read_some(into, until);
  ++*done;
}
Task<void> write_from(Stream& stream, std::vector<std::string_view> parts, Until until, Nanos stall,
                      IoResult* out, int* done) {
  std::vector<iovec> vectors;
  for (const std::string_view part : parts) {
    vectors.push_back(iovec{const_cast<char*>(part.data()), part.size()});
  }
  *out = co_await stream.write_all(vectors, until, stall);
  ++*done;
}
// Destroys the stream it waited on, as a connection that ends does.
Task<void> read_and_destroy(std::unique_ptr<Stream>* stream, std::span<char> into, Until until) {
  const IoResult got = co_await (*stream)->read_some(into, until);
  EXPECT_FALSE(got.ok());
  stream->reset();
}

TEST_F(StreamTest, AReadGivesWhatIsThereWithoutWaiting) {
  IoResult got;
  int done = 0;
  peer->send("abc");
  loop.tasks().spawn(read_into(*stream, bytes, Until::forever(), &got, &done));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(std::string_view(bytes, got.bytes), "abc");
}

TEST_F(StreamTest, AReadWaitsForBytesTheEndOrAFailure) {
  IoResult got;
  int done = 0;
  loop.tasks().spawn(read_into(*stream, bytes, Until::forever(), &got, &done));
  EXPECT_EQ(done, 0);
  peer->send("abc");
  EXPECT_EQ(done, 1);
  EXPECT_EQ(got.bytes, 3u);
  loop.tasks().spawn(read_into(*stream, bytes, Until::forever(), &got, &done));
  peer->finish();
  EXPECT_EQ(done, 2);
  EXPECT_EQ(got.status, IoStatus::Eof);
  peer->reset(ECONNRESET);
  loop.tasks().spawn(read_into(*stream, bytes, Until::forever(), &got, &done));
  EXPECT_EQ(got.status, IoStatus::Failed);
  EXPECT_EQ(got.error, ECONNRESET);
}

TEST_F(StreamTest, AReadGivesUpAtItsDeadlineOrWhenCancelled) {
  IoResult got;
  int done = 0;
  Cancel cancel;
  loop.tasks().spawn(read_into(*stream, bytes, Until(loop.after(kSecond), &cancel), &got, &done));
  pass(kSecond + kMillisecond);
  EXPECT_EQ(got.status, IoStatus::Timeout);
  loop.tasks().spawn(read_into(*stream, bytes, Until(Deadline::never(), &cancel), &got, &done));
  cancel.cancel(Outcome::Draining);
  EXPECT_EQ(got.status, IoStatus::Cancelled);
  EXPECT_EQ(done, 2);
  peer->send("late");
  EXPECT_EQ(done, 2);
}

TEST_F(StreamTest, WhatIsThereIsReadEvenAfterACancel) {
  IoResult got;
  int done = 0;
  Cancel cancel;
  cancel.cancel(Outcome::Draining);
  peer->send("abc");
  loop.tasks().spawn(read_into(*stream, bytes, Until(Deadline::never(), &cancel), &got, &done));
  EXPECT_EQ(got.bytes, 3u);
  EXPECT_TRUE(got.ok());
}

TEST_F(StreamTest, AWriteSendsAllPartsInAnyPieces) {
  const std::string expected = "headbodytail";
  for (size_t chop = 1; chop <= expected.size(); ++chop) {
    IoResult put;
    int done = 0;
    peer->take_received();
    peer->chop_writes(chop);
    loop.tasks().spawn(write_from(*stream, {"", "head", "", "body", "tail", ""}, Until::forever(),
                                  0, &put, &done));
    EXPECT_EQ(done, 1);
    EXPECT_EQ(put.bytes, expected.size());
    EXPECT_EQ(peer->received(), expected) << chop;
  }
}

TEST_F(StreamTest, AWriteOfNothingIsDone) {
  IoResult put;
  int done = 0;
  peer->set_room(0);
  loop.tasks().spawn(write_from(*stream, {"", ""}, Until::forever(), 0, &put, &done));
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(put.ok());
  EXPECT_EQ(put.bytes, 0u);
}

TEST_F(StreamTest, AWriteWaitsForRoomAndTellsHowMuchWent) {
  IoResult put;
  int done = 0;
  peer->set_room(5);
  loop.tasks().spawn(
      write_from(*stream, {"0123456789"}, Until(loop.after(kSecond)), 0, &put, &done));
  EXPECT_EQ(done, 0);
  peer->set_room(2);
  EXPECT_EQ(peer->received(), "0123456");
  pass(kSecond + kMillisecond);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(put.status, IoStatus::Timeout);
  EXPECT_EQ(put.bytes, 7u);
}

TEST_F(StreamTest, ProgressMovesAStallDeadline) {
  IoResult put;
  int done = 0;
  peer->set_room(1);
  loop.tasks().spawn(
      write_from(*stream, {"0123456789"}, Until(loop.after(kSecond)), kSecond, &put, &done));
  for (int i = 0; i < 5; ++i) {
    pass(900 * kMillisecond);
    peer->set_room(1);
  }
  EXPECT_EQ(done, 0);
  pass(kSecond + kMillisecond);
  EXPECT_EQ(put.status, IoStatus::Timeout);
  EXPECT_EQ(put.bytes, 6u);
}

TEST_F(StreamTest, NewsOfTheOtherDirectionDoesNotEndAWait) {
  IoResult put;
  int done = 0;
  peer->set_room(0);
  loop.tasks().spawn(write_from(*stream, {"abc"}, Until::forever(), 0, &put, &done));
  peer->send("question");
  EXPECT_EQ(done, 0);
  peer->set_room(10);
  EXPECT_EQ(done, 1);
}

TEST_F(StreamTest, AHangUpCancelsWhoeverAsked) {
  Cancel cancel;
  stream->cancel_on_hang_up(&cancel);
  peer->send("bytes");
  EXPECT_FALSE(cancel.cancelled());
  peer->finish();
  EXPECT_TRUE(cancel.cancelled());
  EXPECT_EQ(cancel.why(), Outcome::ClientClosed);
}

TEST_F(StreamTest, AHangUpThatHasHappenedCancelsAtOnce) {
  Cancel cancel;
  peer->finish();
  stream->cancel_on_hang_up(nullptr);
  EXPECT_FALSE(cancel.cancelled());
  stream->cancel_on_hang_up(&cancel);
  EXPECT_TRUE(cancel.cancelled());
}

TEST_F(StreamTest, NobodyIsCancelledAfterAskingNoMore) {
  Cancel cancel;
  stream->cancel_on_hang_up(&cancel);
  stream->cancel_on_hang_up(nullptr);
  peer->finish();
  EXPECT_FALSE(cancel.cancelled());
}

TEST_F(StreamTest, AWaiterMayDestroyItsStreamWhenWoken) {
  loop.tasks().spawn(read_and_destroy(&stream, bytes, Until::forever()));
  peer->finish();
  EXPECT_EQ(stream, nullptr);
  EXPECT_TRUE(peer->closed());
}

TEST_F(StreamTest, AWaiterMayDestroyItsStreamWhenTheHangUpCancelsIt) {
  Cancel cancel;
  stream->cancel_on_hang_up(&cancel);
  loop.tasks().spawn(read_and_destroy(&stream, bytes, Until(Deadline::never(), &cancel)));
  peer->finish();
  EXPECT_EQ(stream, nullptr);
}

TEST_F(StreamTest, ADestroyedWaitIsForgotten) {
  IoResult got;
  int done = 0;
  loop.tasks().spawn(read_into(*stream, bytes, Until(loop.after(kSecond)), &got, &done));
  loop.tasks().clear();
  peer->send("abc");
  pass(2 * kSecond);
  EXPECT_EQ(done, 0);
  EXPECT_EQ(loop.timers().size(), 0u);
}

}  // namespace
}  // namespace sluice::net
