#include "gateway/heart.h"

namespace sluice::gateway {
namespace {

constexpr std::string_view kComment = ": keep-alive\n";
// Anthropic's dialect has a sign of life of its own (KA-2).
constexpr std::string_view kPing = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

}  // namespace

std::string stream_headers(std::string headers) {
  net::append_header(headers, "content-type", "text/event-stream; charset=utf-8");
  net::append_header(headers, "cache-control", "no-cache");
  net::append_header(headers, "x-accel-buffering", "no");
  return headers;
}

Heart::Heart(Exchange& exchange, bool wanted)
    : exchange_(exchange), last_sent_(exchange.shared.loop.now()) {
  const StreamOptions& options = exchange_.snapshot->stream;
  if (wanted && options.heartbeat > 0 && options.heartbeat_mode != HeartbeatMode::Off) arm();
}

void Heart::arm() {
  exchange_.shared.loop.timers().arm(*this, last_sent_ + exchange_.snapshot->stream.heartbeat);
}

void Heart::on_timer() {
  if (exchange_.http.replied()) return;  // at most its last bytes are on their way
  const StreamOptions& options = exchange_.snapshot->stream;
  const Nanos now = exchange_.shared.loop.now();
  // A stored response may come as a stream or whole; its provider decides.
  const bool may_begin = exchange_.stored == nullptr || exchange_.http.streaming();
  if (now - last_sent_ >= options.heartbeat && !paused_ && may_begin) {
    if (!exchange_.http.streaming()) {
      exchange_.http.start_stream(200, stream_headers(exchange_.reply_headers(nullptr)));
    }
    const bool as_chunk = options.heartbeat_mode == HeartbeatMode::Chunk && chunk_ != nullptr;
    const bool pings = exchange_.request.endpoint == chat::Endpoint::Messages;
    exchange_.http.push_chunk(pings ? kPing : as_chunk ? std::string_view(*chunk_) : kComment);
  }
  if (now - last_sent_ >= options.heartbeat) last_sent_ = now;
  arm();
}

}  // namespace sluice::gateway
