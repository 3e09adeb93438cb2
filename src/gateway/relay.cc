#include "gateway/relay.h"

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "gateway/limit_headers.h"
#include "gateway/translation.h"
#include "providers/reply_headers.h"
#include "wire/coding.h"
#include "wire/reply_stream.h"
#include "wire/sse.h"

namespace sluice::gateway {
namespace {

using Kind = chat::StreamEvent::Kind;

// After the terminal event only the end of the body is missing. An upstream that takes longer over
// it loses its connection, not our time.
constexpr Nanos kTailTime = 100 * kMillisecond;

// An upstream and a client that are always ready must not keep the loop from everybody else.
constexpr size_t kMostAtOnce = 256 * 1024;

// An estimate says that a count is of another moment only if it is more than this many times it.
constexpr int64_t kFarMore = 2;

class Relay {
 public:
  // What a piece of the upstream's body led to.
  enum class Progress : uint8_t { More, Done, Failed };
  using Piece = std::optional<Result<std::string_view>>;

  Relay(Exchange& exchange, const Way& way, routing::AttemptPlan& plan, Heart& heart,
        net::CallReply reply, Nanos began);

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
  // Of a stream that failed after it was committed.
  void note_break();
  // `whole`: the stream came to its end.
  void settle_usage(bool whole);
  // Of a stream that failed before any content.
  Answered give_up() const;
  // The client has left and the operator wants to know what the answer cost: read on, for nobody.
  bool drains() const {
    return committed_ && exchange_.stored == nullptr &&
           exchange_.snapshot->stream.disconnect == Disconnect::Drain;
  }
  bool wants_drain() const;
  // The next target may go on from the text the client has.
  bool may_continue() const;
  Task<void> drain();
  Task<void> finish();

 private:
  using Used = std::pair<chat::Usage, chat::UsageSource>;
  Used used(bool whole) const;
  // Both put what the client gets into exchange_.shared.out.
  Progress digest(std::string_view bytes);
  Progress digest_end();
  Progress take(const sse::Event& event);
  // Until when the upstream may be silent: before the first content its own limit holds too.
  Until patience() const {
    return committed_ ? exchange_.until()
                      : exchange_.until().earlier(Deadline::at(first_token_by_));
  }
  Progress fail(Outcome outcome, std::string message);
  void commit();

  Exchange& exchange_;
  const Way& way_;
  routing::AttemptPlan& plan_;
  Heart& heart_;
  net::CallReply reply_;
  sse::Parser parser_;
  std::unique_ptr<chat::ReplyStream> reader_;
  std::unique_ptr<coding::Decoder> decoder_;  // of the reply's content coding, if it has one
  std::string passed_headers_;                // until the reply to the client has begun
  std::string held_;                          // events before the first content
  std::optional<Error> error_;
  Nanos first_token_by_;
  Nanos heard_at_;  // when the upstream last sent anything
  Nanos asked_at_ = 0;
  size_t at_once_ = 0;  // bytes since we last waited for anything
  bool committed_ = false;
  bool head_released_ = false;
  bool behind_ = false;
};

Relay::Relay(Exchange& exchange, const Way& way, routing::AttemptPlan& plan, Heart& heart,
             net::CallReply reply, Nanos began)
    : exchange_(exchange),
      way_(way),
      plan_(plan),
      heart_(heart),
      reply_(std::move(reply)),
      parser_(exchange.snapshot->stream.max_event),
      reader_(make_stream(exchange, way)),
      first_token_by_(began + way.timeouts.first_byte),
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
  providers::append_passed_headers(passed_headers_, way_.upstream.kind(), headers,
                                   pass_limits(exchange_));
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
  return reply_.read(patience());
}

Relay::Piece Relay::take(const net::IoResult& got) {
  exchange_.add_upstream_time(exchange_.shared.loop.now() - asked_at_);
  // The reply is to be read on, so it must not hear of this.
  if (got.status == net::IoStatus::Cancelled && drains() &&
      exchange_.http.cancel().why() == Outcome::ClientClosed) {
    return Result<std::string_view>(
        Error(Outcome::ClientClosed, "the client closed the connection"));
  }
  return reply_.take(got, patience());
}

[[gnu::noinline]] Relay::Progress Relay::pass(const Result<std::string_view>& piece) {
  std::string& out = exchange_.shared.out;
  out.clear();
  Progress progress;
  if (!piece) {
    const Error& error = piece.error();
    const bool time_left = !exchange_.until().deadline().passed(exchange_.now());
    const bool its_own_limit = error.outcome() == Outcome::TotalTimeout && !committed_ &&
                               (time_left || exchange_.client_gave_up());
    const Outcome outcome = its_own_limit ? Outcome::FirstByteTimeout : error.outcome();
    progress = fail(exchange_.blame(outcome, heard_at_, committed_), error.message());
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
  const chat::StreamEvent meaning = reader_->take(event, exchange_.shared.scratch);
  if (meaning.kind == Kind::Error) {
    return fail(reader_->error()->outcome, reader_->error()->message);
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
  const chat::ReplyStream::End end = reader_->finish(exchange_.shared.scratch);
  if (!end.complete) {
    return fail(reader_->saw_content() ? Outcome::Truncated : Outcome::UpstreamBadReply,
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
  exchange_.record.delivered = true;
  plan_.succeeded(exchange_.now());
  exchange_.stream_began();
  exchange_.key_accepted(way_);
  // Now: it may be cancelled, by its id, while it streams.
  exchange_.remember_response(way_, reader_->response_id(), {});
  if (!exchange_.record.ttft_micros) {
    exchange_.record.ttft_micros = (exchange_.now() - exchange_.started()) / kMicrosecond;
  }
  exchange_.record.answered_model = reader_->model().substr(0, 128);
  if (!exchange_.http.streaming()) {
    std::string headers = stream_headers(exchange_.reply_headers(&way_));
    headers += passed_headers_;
    if (exchange_.continuation() != nullptr) net::append_header(headers, "x-sluice-continue", "on");
    if (exchange_.wishes().cost) net::append_header(headers, "trailer", "x-sluice-cost-usd");
    exchange_.http.start_stream(200, headers);
  }
  if (exchange_.snapshot->stream.heartbeat_mode == HeartbeatMode::Chunk) {
    std::string event = reader_->empty_event();
    if (!event.empty()) heart_.set_chunk(std::move(event));
  }
  exchange_.shared.out.append(held_);
  std::string().swap(held_);
  std::string().swap(passed_headers_);
  if (exchange_.continuation() == nullptr) exchange_.release_request();
}

[[gnu::noinline]] Task<void> Relay::finish() {
  exchange_.end(Outcome::Ok, 200);
  const std::string trailers = exchange_.cost_trailer();
  const Result<void> ended = co_await exchange_.http.end_stream(trailers);
  if (!ended) {
    exchange_.end(ended.error().outcome(), http_status_of(ended.error().outcome()),
                  ended.error().message());
    co_return;
  }
  const Until tail(exchange_.shared.loop.after(kTailTime));
  [[maybe_unused]] const Result<std::string_view> rest = co_await reply_.next(tail);
}

bool Relay::may_continue() const {
  const chat::Continuation* const answer = exchange_.continuation();
  return answer != nullptr && answer->possible() && committed_ &&
         is_upstream_failure(error_->outcome()) && !exchange_.http.cancel().cancelled();
}

bool Relay::wants_drain() const {
  return drains() && error_->outcome() == Outcome::ClientClosed;
}

[[gnu::noinline]] Task<void> Relay::drain() {
  const Until limit(exchange_.shared.loop.after(exchange_.snapshot->stream.drain_limit));
  Error why = *std::exchange(error_, std::nullopt);
  Progress progress = Progress::More;
  while (progress == Progress::More) {
    const Result<std::string_view> piece = co_await reply_.next(limit);
    exchange_.shared.out.clear();
    if (!piece || piece->empty()) break;
    progress = digest(*piece);
  }
  exchange_.shared.out.clear();
  error_.emplace(std::move(why));
}

void Relay::note_break() {
  plan_.broke({.outcome = error_->outcome(), .retry_after = std::nullopt}, exchange_.now());
  exchange_.set_sequence(reader_->next_sequence());
}

Relay::Used Relay::used(bool whole) const {
  const std::optional<chat::Usage>& reported = reader_->usage();
  if (!reported && !reader_->saw_content()) return {{}, chat::UsageSource::None};
  const chat::Usage estimated = chat::estimate_usage(
      exchange_.request.prompt_bytes, reader_->output_bytes(), exchange_.request.max_output_tokens);
  // What is reported as a stream begins counts the prompt and hardly anything of the answer: where
  // the stream broke, far more came than that.
  if (reported && (whole || estimated.output() <= kFarMore * reported->output())) {
    return {*reported, chat::UsageSource::Reported};
  }
  chat::Usage usage = reported ? *reported : estimated;
  usage.visible_output = estimated.visible_output;
  return {usage, chat::UsageSource::Estimated};
}

[[gnu::noinline]] void Relay::settle_usage(bool whole) {
  exchange_.remember_response(way_, reader_->response_id(), reader_->item_ids());
  std::tie(exchange_.record.usage, exchange_.record.usage_source) = used(whole);
}

Answered Relay::give_up() const {
  Answered failure = failed(*error_);
  std::tie(failure->usage, failure->usage_source) = used(false);
  return failure;
}

}  // namespace

Task<Answered> relay(Exchange& exchange, const Way& way, routing::AttemptPlan& plan, Heart& heart,
                     net::CallReply reply, Nanos began) {
  using Progress = Relay::Progress;
  Relay stream(exchange, way, plan, heart, std::move(reply), began);
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
  if (progress == Progress::Failed && !stream.committed()) co_return stream.give_up();
  if (progress == Progress::Failed && stream.wants_drain()) co_await stream.drain();
  stream.settle_usage(progress != Progress::Failed);
  if (progress == Progress::Failed && stream.may_continue()) {
    exchange.add_reason("broke off after " + std::to_string(exchange.continuation()->text.size()) +
                        " bytes of text, which the next target is to go on from");
    co_return failed(stream.error());
  }
  if (progress == Progress::Failed) {
    stream.note_break();
    co_await exchange.fail(stream.error());
  } else {
    co_await stream.finish();
  }
  co_return nullptr;
}

}  // namespace sluice::gateway
