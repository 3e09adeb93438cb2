#include "providers/lab_sink.h"

#include <fmt/format.h>

namespace sluice::providers {
namespace {

constexpr std::string_view kStreamType =
    "Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n";

std::string fault_headers(const LabPlan& plan) {
  std::string out;
  if (plan.big_headers) {
    for (int i = 0; i < 100; ++i) {
      out += fmt::format("x-lab-big-{}: {}\r\n", i, std::string(1000, 'h'));
    }
  }
  for (int i = 0; plan.many_headers && i < 10'000; ++i)
    out += fmt::format("x-lab-{}: {}\r\n", i, i);
  const std::string_view coding = lab_coding_name(plan.coding);
  if (!coding.empty()) out += fmt::format("Content-Encoding: {}\r\n", coding);
  return out;
}

}  // namespace

LabSink::LabSink(net::ServerExchange& exchange, const LabPlan& plan)
    : exchange_(exchange),
      plan_(plan),
      raw_(plan.below_http()),
      coder_(make_lab_coder(plan.coding)) {}

Task<bool> LabSink::pause(int64_t ms) {
  if (ms <= 0) co_return !exchange_.cancel().cancelled();
  net::Loop& loop = exchange_.loop();
  const Until end(loop.after(ms * kMillisecond), &exchange_.cancel());
  const net::Wake why = co_await net::Sleep(loop, end);
  co_return why != net::Wake::Cancelled;
}

Task<bool> LabSink::write(std::string bytes, int64_t ms_between) {
  net::Stream& stream = exchange_.raw();
  if (ms_between <= 0) {
    const net::IoResult whole = co_await stream.write_all(bytes, until());
    co_return whole.ok();
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    const std::string_view one = std::string_view(bytes).substr(at, 1);
    const net::IoResult written = co_await stream.write_all(one, until());
    if (!written.ok()) co_return false;
    const bool here = co_await pause(ms_between);
    if (!here) co_return false;
  }
  co_return true;
}

Task<bool> LabSink::write_head(std::string head) {
  head_sent_ = true;
  head += "\r\n";
  return write(std::move(head), plan_.slow_head_ms);
}

Task<bool> LabSink::reply(int status, std::string headers, std::string body, int64_t cut) {
  headers += fault_headers(plan_);
  if (coder_) body = coder_->encode(body, true);
  if (raw_ || cut >= 0) {
    const bool sent = co_await reply_raw(status, headers, body, cut);
    co_return sent;
  }
  const Result<void> sent = co_await exchange_.reply(status, headers, body);
  co_return sent.has_value();
}

Task<bool> LabSink::reply_raw(int status, std::string_view headers, std::string_view body,
                              int64_t cut) {
  const bool chunked = plan_.split_at >= 0 || plan_.single_bytes;
  std::string head;
  net::append_status_line(head, status);
  head += headers;
  head += plan_.idle_close_ms >= 0 ? "Connection: keep-alive\r\n" : "";
  if (chunked) {
    net::append_header(head, "Transfer-Encoding", "chunked");
  } else {
    const int64_t told = static_cast<int64_t>(body.size()) + plan_.length_error;
    net::append_header(head, "Content-Length", static_cast<uint64_t>(std::max<int64_t>(0, told)));
  }
  bool sent = co_await write_head(std::move(head));
  if (!sent) co_return false;
  if (chunked) {
    sent = co_await write_pieces(body);
    if (sent) sent = co_await write(std::string(net::kLastChunk), 0);
  } else {
    const size_t most = cut >= 0 ? static_cast<size_t>(cut) : body.size();
    sent = co_await write(std::string(body.substr(0, most)), plan_.slow_body_ms);
  }
  if (sent && plan_.idle_close_ms >= 0) sent = co_await pause(plan_.idle_close_ms);
  co_return sent;
}

void LabSink::begin(std::string headers) {
  headers += kStreamType;
  headers += fault_headers(plan_);
  if (raw_) {
    net::append_status_line(stream_headers_, plan_.good_status);
    stream_headers_ += headers;
    net::append_header(stream_headers_, "Transfer-Encoding", "chunked");
  } else {
    exchange_.start_stream(plan_.good_status, headers);
  }
}

// Cuts where the plan wants it, each piece a chunk and a write of its own.
Task<bool> LabSink::write_pieces(std::string_view data) {
  while (!data.empty()) {
    size_t length = data.size();
    const int64_t to_split = plan_.split_at - sent_;
    if (plan_.split_at >= 0 && to_split > 0 && to_split < static_cast<int64_t>(length)) {
      length = static_cast<size_t>(to_split);
    }
    if (plan_.single_bytes) length = 1;
    std::string chunk;
    net::append_chunk(chunk, data.substr(0, length));
    data.remove_prefix(length);
    sent_ += static_cast<int64_t>(length);
    bool here = co_await write(std::move(chunk), plan_.slow_body_ms);
    // A turn of the loop between the two, or the kernel would hand them over as one.
    if (here && plan_.split_at == sent_) here = co_await pause(1);
    if (!here) co_return false;
  }
  co_return true;
}

Task<bool> LabSink::send(std::string_view events) {
  std::string coded;
  if (coder_) {
    coded = coder_->encode(events, false);
    events = coded;
  }
  if (!raw_) {
    const Result<void> sent = co_await exchange_.send_chunk(events);
    co_return sent.has_value();
  }
  if (!head_sent_) {
    const bool here = co_await write_head(std::move(stream_headers_));
    if (!here) co_return false;
  }
  const bool written = co_await write_pieces(events);
  co_return written;
}

Task<bool> LabSink::end() {
  if (coder_) {
    const std::string tail = coder_->encode("", true);
    coder_.reset();
    const bool sent = tail.empty() || co_await send(tail);
    if (!sent) co_return false;
  }
  if (!raw_) {
    const Result<void> ended = co_await exchange_.end_stream();
    co_return ended.has_value();
  }
  if (!head_sent_) {
    const bool here = co_await write_head(std::move(stream_headers_));
    if (!here) co_return false;
  }
  bool here = co_await write(std::string(net::kLastChunk), 0);
  if (here && plan_.idle_close_ms >= 0) here = co_await pause(plan_.idle_close_ms);
  co_return here;
}

Task<bool> LabSink::head_only() {
  return write_head(std::move(stream_headers_));
}

Task<bool> LabSink::literal(std::string_view bytes) {
  return write(std::string(bytes), 0);
}

}  // namespace sluice::providers
