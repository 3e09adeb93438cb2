#include "gateway/relay.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "wire/coding.h"
#include "wire/openai.h"
#include "wire/openai_stream.h"
#include "wire/sse.h"

namespace sluice::gateway {
namespace {

using Kind = openai::StreamEvent::Kind;

// After the terminal event only the end of the body is missing. An upstream that takes longer over
// it loses its connection, not our time.
constexpr Nanos kTailTime = 100 * kMillisecond;

// An upstream and a client that are always ready must not keep the loop from everybody else.
constexpr size_t kMostAtOnce = 256 * 1024;

openai::StreamOptions reader_options(const Exchange& exchange, const routing::Target& target) {
  return {.endpoint = exchange.request.endpoint,
          .asked_usage = exchange.request.asked_usage,
          .id = exchange.record.request_id,
          .model = target.model,
          .created = exchange.record.started_micros / 1'000'000};
}

class Relay {
 public:
  // What a piece of the upstream's body led to.
  enum class Progress : uint8_t { More, Done, Failed };
  using Piece = std::optional<Result<std::string_view>>;

  Relay(Exchange& exchange, const routing::Target& target, Heart& heart, net::CallReply reply);

  Result<void> prepare();
  // The next piece of the body; nothing: await read() and give what it says to take().
  Piece try_read();
  net::ReadSome read();
  Piece take(const net::IoResult& got);
  // Gives the client what the piece brings.
  Progress pass(const Result<std::string_view>& piece);
  // The client is slower than the upstream, or it is somebody else's turn: nothing more is read
  // until pause() is through.
  bool must_pause() const { return behind_ || at_once_ > kMostAtOnce; }
  Task<Progress> pause();

  bool committed() const { return committed_; }
  const Error& error() const { return *error_; }
  void settle_usage();
  Task<void> finish();

 private:
  // Both put what the client gets into exchange_.shared.out.
  Progress digest(std::string_view bytes);
  Progress digest_end();
  Progress take(const sse::Event& event);
  Progress fail(Outcome outcome, std::string message);
  void commit();

  Exchange& exchange_;
  const routing::Target& target_;
  Heart& heart_;
  net::CallReply reply_;
  sse::Parser parser_;
  openai::StreamReader reader_;
  std::unique_ptr<coding::Decoder> decoder_;  // of the reply's content coding, if it has one
  std::string passed_headers_;                // until the reply to the client has begun
  std::string held_;                          // events before the first content
  std::optional<Error> error_;
  Nanos heard_at_;  // when the upstream last sent anything
  Nanos asked_at_ = 0;
  size_t at_once_ = 0;  // bytes since we last waited for anything
  bool committed_ = false;
  bool head_released_ = false;
  bool behind_ = false;
};

Relay::Relay(Exchange& exchange, const routing::Target& target, Heart& heart, net::CallReply reply)
    : exchange_(exchange),
      target_(target),
      heart_(heart),
      reply_(std::move(reply)),
      parser_(exchange.snapshot->stream.max_event),
      reader_(reader_options(exchange, target)),
      heard_at_(exchange.shared.loop.now()) {}

// What relay() calls is not inlined: its locals would become a part of the frame, and so of every
// open stream.
[[gnu::noinline]] Result<void> Relay::prepare() {
  const net::Headers& headers = reply_.head().headers;
  if (const auto coding = headers.find("content-encoding")) {
    coding::Limits limits;
    limits.max_output = SIZE_MAX;  // a stream has no size of its own; each of its events is bounded
    Result<std::unique_ptr<coding::Decoder>> decoder = coding::make_decoder(*coding, limits);
    if (!decoder) return std::move(decoder).error();
    decoder_ = *std::move(decoder);
  }
  append_passed_headers(passed_headers_, headers);
  return {};
}

Relay::Piece Relay::try_read() {
  // Not in commit(): the bytes that made us commit may stand in the reply's own buffer.
  if (committed_ && !std::exchange(head_released_, true)) reply_.release_head();
  return reply_.try_next();
}

net::ReadSome Relay::read() {
  asked_at_ = exchange_.shared.loop.now();
  at_once_ = 0;
  return reply_.read(exchange_.until());
}

Relay::Piece Relay::take(const net::IoResult& got) {
  exchange_.add_upstream_time(exchange_.shared.loop.now() - asked_at_);
  return reply_.take(got, exchange_.until());
}

[[gnu::noinline]] Relay::Progress Relay::pass(const Result<std::string_view>& piece) {
  std::string& out = exchange_.shared.out;
  out.clear();
  Progress progress;
  if (!piece) {
    const Error& error = piece.error();
    progress = fail(exchange_.blame(error.outcome(), heard_at_, committed_), error.message());
  } else {
    heard_at_ = exchange_.shared.loop.now();
    at_once_ += piece->size();
    progress = piece->empty() ? digest_end() : digest(*piece);
  }
  if (committed_ && !out.empty()) {
    heart_.sent();
    behind_ = !exchange_.http.push_chunk(out);
  }
  return progress;
}

[[gnu::noinline]] Task<Relay::Progress> Relay::pause() {
  at_once_ = 0;
  if (!std::exchange(behind_, false)) {
    net::Yield yield(exchange_.shared.loop);
    co_await yield;
    co_return Progress::More;
  }
  heart_.pause();
  const Nanos began = exchange_.now();
  const Result<void> sent = co_await exchange_.http.flush();
  exchange_.add_client_time(exchange_.now() - began);
  heart_.resume();
  if (!sent) co_return fail(sent.error().outcome(), sent.error().message());
  co_return Progress::More;
}

Relay::Progress Relay::digest(std::string_view bytes) {
  std::string decoded;
  if (decoder_ != nullptr) {
    if (Result<void> fed = decoder_->feed(bytes, decoded); !fed) {
      return fail(Outcome::UpstreamBadReply, fed.error().message());
    }
    bytes = decoded;
  }
  sse::Event event;
  parser_.feed(bytes);
  for (;;) {
    const sse::Step step = parser_.next(&event);
    if (step == sse::Step::NeedMore) return Progress::More;
    if (step == sse::Step::TooLarge) {
      return fail(Outcome::UpstreamBadReply, "an event of the upstream's stream is too large");
    }
    const Progress progress = take(event);
    if (progress != Progress::More) return progress;
  }
}

Relay::Progress Relay::take(const sse::Event& event) {
  const openai::StreamEvent meaning = reader_.take(event, exchange_.shared.scratch);
  if (meaning.kind == Kind::Error) {
    return fail(reader_.error()->outcome, reader_.error()->message);
  }
  if (!committed_ && (meaning.content || meaning.kind == Kind::Finish)) commit();
  if (!committed_ && meaning.kind == Kind::Done) {
    return fail(Outcome::UpstreamBadReply, "the upstream's stream ended without an answer");
  }
  if (!meaning.bytes.empty()) {
    ++exchange_.record.events;
    if (!committed_ && held_.size() > exchange_.snapshot->stream.max_event) {
      return fail(Outcome::UpstreamBadReply, "the upstream's stream goes on and says nothing");
    }
    (committed_ ? exchange_.shared.out : held_).append(meaning.bytes);
  }
  return meaning.kind == Kind::Done ? Progress::Done : Progress::More;
}

Relay::Progress Relay::digest_end() {
  const openai::StreamReader::End end = reader_.finish(exchange_.shared.scratch);
  if (!end.complete) {
    return fail(reader_.saw_content() ? Outcome::Truncated : Outcome::UpstreamBadReply,
                "the upstream's stream ended before the answer did");
  }
  if (!committed_) commit();
  exchange_.shared.out.append(end.bytes);
  return Progress::Done;
}

Relay::Progress Relay::fail(Outcome outcome, std::string message) {
  error_.emplace(outcome, std::move(message));
  return Progress::Failed;
}

// From here on there is no other target. What was only needed to turn to one is freed: a stream may
// stay open for long.
void Relay::commit() {
  committed_ = true;
  exchange_.record.ttft_micros = (exchange_.now() - exchange_.started()) / kMicrosecond;
  exchange_.record.answered_model = reader_.model().substr(0, 128);
  if (!exchange_.http.streaming()) {
    std::string headers = stream_headers(exchange_.reply_headers(&target_));
    headers += passed_headers_;
    exchange_.http.start_stream(200, headers);
  }
  if (exchange_.snapshot->stream.heartbeat_mode == HeartbeatMode::Chunk) {
    std::string event = reader_.empty_event();
    if (!event.empty()) heart_.set_chunk(std::move(event));
  }
  exchange_.shared.out.append(held_);
  std::string().swap(held_);
  std::string().swap(passed_headers_);
  exchange_.release_request();
}

[[gnu::noinline]] Task<void> Relay::finish() {
  exchange_.end(Outcome::Ok, 200);
  const Result<void> ended = co_await exchange_.http.end_stream();
  if (!ended) {
    exchange_.end(ended.error().outcome(), http_status_of(ended.error().outcome()),
                  ended.error().message());
    co_return;
  }
  const Until tail(exchange_.shared.loop.after(kTailTime));
  [[maybe_unused]] const Result<std::string_view> rest = co_await reply_.next(tail);
}

void Relay::settle_usage() {
  telemetry::Record& record = exchange_.record;
  if (reader_.usage()) {
    record.usage = *reader_.usage();
    record.usage_source = chat::UsageSource::Reported;
  } else if (reader_.saw_content()) {
    record.usage = openai::estimate_usage(exchange_.request.prompt_bytes, reader_.output_bytes(),
                                          exchange_.request.max_output_tokens);
    record.usage_source = chat::UsageSource::Estimated;
  }
}

}  // namespace

Task<Answered> relay(Exchange& exchange, const routing::Target& target, Heart& heart,
                     net::CallReply reply) {
  using Progress = Relay::Progress;
  Relay stream(exchange, target, heart, std::move(reply));
  if (Result<void> ready = stream.prepare(); !ready) co_return failed(ready.error());
  Progress progress = Progress::More;
  while (progress == Progress::More) {
    Relay::Piece piece = stream.try_read();
    while (!piece) {
      const net::IoResult got = co_await stream.read();
      piece = stream.take(got);
    }
    progress = stream.pass(*piece);
    if (progress != Progress::More || !stream.must_pause()) continue;
    progress = co_await stream.pause();
  }
  if (progress == Progress::Failed && !stream.committed()) co_return failed(stream.error());
  stream.settle_usage();
  if (progress == Progress::Failed) {
    co_await exchange.fail(stream.error());
  } else {
    co_await stream.finish();
  }
  co_return nullptr;
}

}  // namespace sluice::gateway
