#include "gateway/relay.h"

#include <utility>

#include "wire/openai.h"

namespace sluice::gateway {
namespace {

using Kind = openai::StreamEvent::Kind;

// After the terminal event only the end of the body is missing. An upstream that takes longer over
// it loses its connection, not our time.
constexpr Nanos kTailTime = 100 * kMillisecond;

openai::StreamOptions reader_options(const Exchange& exchange, const routing::Target& target) {
  return {.endpoint = exchange.request.endpoint,
          .asked_usage = exchange.request.asked_usage,
          .id = exchange.record.request_id,
          .model = target.model,
          .created = exchange.record.started_micros / 1'000'000};
}

}  // namespace

Relay::Relay(Exchange& exchange, const routing::Target& target, Heart& heart, net::CallReply reply)
    : exchange_(exchange),
      target_(target),
      heart_(heart),
      reply_(std::move(reply)),
      parser_(exchange.snapshot->stream.max_event),
      reader_(reader_options(exchange, target)),
      heard_at_(exchange.shared.loop.now()) {}

Task<std::optional<AttemptFailure>> Relay::run() {
  if (Result<void> ready = prepare(); !ready) co_return AttemptFailure(ready.error());
  Progress progress = Progress::More;
  while (progress == Progress::More) progress = co_await step();
  if (progress == Progress::Failed && !committed_) co_return AttemptFailure(*error_);
  settle_usage();
  if (progress == Progress::Failed) {
    co_await exchange_.fail(*error_);
  } else {
    co_await finish();
  }
  co_return std::nullopt;
}

Result<void> Relay::prepare() {
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

// Reads once, makes of it what it is, and sends that.
Task<Relay::Progress> Relay::step() {
  // Not in commit(): the bytes that made us commit may stand in the reply's own buffer.
  if (committed_ && !std::exchange(head_released_, true)) reply_.release_head();
  std::optional<Result<std::string_view>> bytes = reply_.try_next();
  if (!bytes) {
    const Nanos asked = exchange_.shared.loop.now();
    bytes = co_await reply_.next(exchange_.until());
    exchange_.add_upstream_time(exchange_.shared.loop.now() - asked);
  }
  Progress progress;
  exchange_.shared.out.clear();
  if (!*bytes) {
    const Error& error = bytes->error();
    progress = fail(exchange_.blame(error.outcome(), heard_at_, committed_), error.message());
  } else {
    heard_at_ = exchange_.shared.loop.now();
    progress = (*bytes)->empty() ? digest_end() : digest(**bytes);
  }
  if (!committed_ || exchange_.shared.out.empty()) co_return progress;

  heart_.sent();
  if (exchange_.http.push_chunk(exchange_.shared.out)) co_return progress;
  const Result<void> sent = co_await forward();
  if (!sent) co_return fail(sent.error().outcome(), sent.error().message());
  co_return progress;
}

// The client is slower than the upstream: wait for it, and read nothing more meanwhile.
Task<Result<void>> Relay::forward() {
  heart_.pause();
  Result<void> sent = co_await exchange_.http.flush();
  heart_.resume();
  co_return sent;
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
  const bool settles =
      meaning.content || meaning.kind == Kind::Finish || meaning.kind == Kind::Done;
  if (settles && !committed_) commit();
  if (!meaning.bytes.empty()) {
    ++exchange_.record.events;
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
    heart_.set_chunk(reader_.empty_event());
  }
  exchange_.shared.out.append(held_);
  std::string().swap(held_);
  std::string().swap(passed_headers_);
  exchange_.release_request();
}

Task<void> Relay::finish() {
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

}  // namespace sluice::gateway
