// A Stream in memory, for tests: what the peer sends, takes and breaks is in the test's hands.
//
//   auto peer = std::make_shared<MemoryPeer>(loop);
//   server.serve(peer->stream(), "peer");
//   peer->send("GET / ...");
//   EXPECT_EQ(peer->received(), "HTTP/1.1 200 OK...");
#pragma once

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/stream.h"

namespace sluice::test {

class MemoryPeer : public std::enable_shared_from_this<MemoryPeer> {
 public:
  explicit MemoryPeer(net::Loop& loop) : loop_(loop) {}

  // The other end; once.
  std::unique_ptr<net::Stream> stream() { return std::make_unique<End>(loop_, shared_from_this()); }

  void send(std::string_view bytes) {
    to_stream_.append(bytes);
    notify(net::Readiness::kIn);
  }
  // FIN, as after close() or shutdown().
  void finish() {
    finished_ = true;
    hang_up();
  }
  // RST: every later read and write fails.
  void reset(int error = ECONNRESET) {
    error_ = error;
    hang_up();
  }
  // As a reset of which nobody has told yet.
  void fail_writes(int error) { error_ = error; }
  // How many more bytes the stream's writes may take before they must wait.
  void set_room(size_t bytes) {
    room_ = bytes;
    if (room_ > 0) notify(net::Readiness::kOut);
  }
  // The most that one read, one write, gives or takes.
  void chop_reads(size_t bytes) { read_chop_ = bytes; }
  void chop_writes(size_t bytes) { write_chop_ = bytes; }

  const std::string& received() const { return from_stream_; }
  std::string take_received() { return std::exchange(from_stream_, {}); }
  size_t unread() const { return to_stream_.size(); }
  int reads() const { return reads_; }    // that were not refused for lack of news
  int writes() const { return writes_; }  // likewise
  bool closed() const { return end_ == nullptr; }
  bool stream_finished() const { return stream_finished_; }
  bool aborted() const { return aborted_; }

 private:
  class End final : public net::Stream {
   public:
    End(net::Loop& loop, std::shared_ptr<MemoryPeer> peer)
        : readiness_(loop), peer_(std::move(peer)) {
      readiness_.set_ready(net::Readiness::kIn | net::Readiness::kOut);
      peer_->end_ = this;
    }
    ~End() override { peer_->end_ = nullptr; }

    net::IoResult try_read(std::span<char> into) override {
      if (!readiness_.ready(net::Readiness::kIn)) return {.status = net::IoStatus::Again};
      return peer_->read(into, readiness_);
    }
    net::IoResult try_write(std::span<const iovec> from) override {
      if (!readiness_.ready(net::Readiness::kOut)) return {.status = net::IoStatus::Again};
      return peer_->write(from, readiness_);
    }
    void finish() override { peer_->stream_finished_ = true; }
    void abort_on_close() override { peer_->aborted_ = true; }
    net::Readiness& readiness() override { return readiness_; }

   private:
    net::Readiness readiness_;
    std::shared_ptr<MemoryPeer> peer_;
  };

  net::IoResult read(std::span<char> into, net::Readiness& readiness) {
    ++reads_;
    if (error_ != 0) return {.status = net::IoStatus::Failed, .error = error_};
    if (to_stream_.empty()) {
      if (finished_) return {.status = net::IoStatus::Eof};
      readiness.clear_ready(net::Readiness::kIn);
      return {.status = net::IoStatus::Again};
    }
    const size_t count = std::min({into.size(), to_stream_.size(), read_chop_});
    to_stream_.copy(into.data(), count);
    to_stream_.erase(0, count);
    // As a Socket does it: a short read is as good as Again.
    if (to_stream_.empty() && count < into.size() && !readiness.hung_up()) {
      readiness.clear_ready(net::Readiness::kIn);
    }
    return {.status = net::IoStatus::Ok, .error = 0, .bytes = count};
  }

  net::IoResult write(std::span<const iovec> from, net::Readiness& readiness) {
    ++writes_;
    if (error_ != 0) return {.status = net::IoStatus::Failed, .error = EPIPE};
    size_t left = std::min(room_, write_chop_);
    size_t taken = 0;
    for (const iovec& part : from) {
      const size_t count = std::min(left, part.iov_len);
      from_stream_.append(static_cast<const char*>(part.iov_base), count);
      left -= count;
      taken += count;
    }
    if (room_ != kUnlimited) room_ -= taken;
    if (taken > 0) return {.status = net::IoStatus::Ok, .error = 0, .bytes = taken};
    readiness.clear_ready(net::Readiness::kOut);
    return {.status = net::IoStatus::Again};
  }

  // What a stream is told, it is told in a turn of the loop.
  void notify(uint8_t what) {
    if (end_ != nullptr) end_->readiness().notify(what);
    settle();
  }
  void hang_up() {
    tell_hang_up();
    settle();
  }
  void settle() {
    do {
      loop_.turn(0);
    } while (loop_.has_deferred());
  }
  // As a Socket does it.
  void tell_hang_up() {
    if (end_ == nullptr) return;
    net::Readiness& readiness = end_->readiness();
    const uint8_t both = net::Readiness::kIn | net::Readiness::kOut;
    if (readiness.watched_for_hang_up()) {
      readiness.set_ready(both);
      readiness.notify_hang_up();
      return;
    }
    readiness.notify_hang_up();
    readiness.notify(both);
  }

  static constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

  net::Loop& loop_;
  End* end_ = nullptr;
  std::string to_stream_;
  std::string from_stream_;
  size_t room_ = kUnlimited;
  size_t read_chop_ = kUnlimited;
  size_t write_chop_ = kUnlimited;
  int reads_ = 0;
  int writes_ = 0;
  int error_ = 0;
  bool finished_ = false;
  bool stream_finished_ = false;
  bool aborted_ = false;
};

}  // namespace sluice::test
