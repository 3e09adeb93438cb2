// Keeps a stream that is silent from being cut by what stands between us and the client (acceptance
// KA-1..3).
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "gateway/exchange.h"
#include "net/timer.h"

namespace sluice::gateway {

// Beats whenever nothing was sent for the configured time, always between two complete events. Its
// first beat begins the stream if content has not: from then on the status is 200, whatever
// happens, and a failure is told as an event.
class Heart final : private net::Timer {
 public:
  Heart(Exchange& exchange, bool wanted);

  // Something was sent just now.
  void sent() { last_sent_ = exchange_.shared.loop.now(); }
  // What a beat is in HeartbeatMode::Chunk: an event of this stream with an empty delta. Until one
  // is known, a comment.
  void set_chunk(std::string event) { chunk_ = std::make_unique<std::string>(std::move(event)); }
  // While a send is waiting for a slow client there is nothing to keep alive.
  void pause() { paused_ = true; }
  void resume() {
    paused_ = false;
    sent();
  }

 private:
  void on_timer() override;
  void arm();

  Exchange& exchange_;
  std::unique_ptr<const std::string> chunk_;
  Nanos last_sent_;
  bool paused_ = false;
};

// The fields of a stream's reply, for which `headers` are the exchange's own.
std::string stream_headers(std::string headers);

}  // namespace sluice::gateway
