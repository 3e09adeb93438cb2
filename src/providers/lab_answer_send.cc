// What an answer of the lab sends: replies, streams, and everything that can be wrong with them.
#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "providers/lab.h"
#include "providers/lab_answer.h"
#include "providers/lab_embeddings.h"

namespace sluice::providers {
namespace {

constexpr int64_t kLongestPause = 3'600'000;
constexpr std::string_view kJson = "Content-Type: application/json\r\n";

std::string http_date(int64_t seconds) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                     fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace

std::string LabAnswer::headers() const {
  const Nanos spent = exchange_.loop().now() - began_at_;
  return fmt::format(
      "x-request-id: {}\r\nopenai-processing-ms: {}\r\nopenai-version: 2020-10-01\r\n"
      "openai-organization: lab\r\nx-ratelimit-limit-requests: 10000\r\n"
      "x-ratelimit-limit-tokens: 2000000\r\nx-ratelimit-remaining-requests: 9999\r\n"
      "x-ratelimit-remaining-tokens: {}\r\nx-ratelimit-reset-requests: 6ms\r\n"
      "x-ratelimit-reset-tokens: 1s\r\n",
      request_id_, spent / kMillisecond, 2'000'000 - request_.prompt_tokens);
}

std::string LabAnswer::retry_headers() const {
  using RetryAfter = LabPlan::RetryAfter;
  const int64_t now = exchange_.loop().clock().wall_micros() / 1'000'000;
  switch (plan_.retry_after) {
    case RetryAfter::None:
      return "";
    case RetryAfter::Seconds:
      return fmt::format("Retry-After: {}\r\n", plan_.retry_value);
    case RetryAfter::Millis:
      return fmt::format("retry-after-ms: {}\r\n", plan_.retry_value);
    case RetryAfter::Date:
      return fmt::format("Retry-After: {}\r\n", http_date(now + plan_.retry_value));
    case RetryAfter::Past:
      return "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    case RetryAfter::Negative:
      return "Retry-After: -5\r\n";
    case RetryAfter::Garbage:
      return "Retry-After: soon\r\n";
  }
  return "";
}

void LabAnswer::cut() {
  exchange_.abort_stream();
  state_.meter.cut_connection();
}

Task<bool> LabAnswer::pause(int64_t ms) {
  net::Loop& loop = exchange_.loop();
  if (ms <= 0) co_return !exchange_.cancel().cancelled();
  const Until end(loop.after(std::min(ms, kLongestPause) * kMillisecond), &exchange_.cancel());
  const net::Wake why = co_await net::Sleep(loop, end);
  co_return why != net::Wake::Cancelled;
}

Task<void> LabAnswer::send_error(LabError error) {
  LabSink sink(exchange_, plan_);
  const bool sent = co_await sink.reply(
      error.status, headers() + retry_headers() + std::string(kJson), lab_error_body(error));
  if (!sent) end_ = LabEnd::Cancelled;
}

Task<void> LabAnswer::open_wrongly() {
  using Opening = LabPlan::Opening;
  LabSink sink(exchange_, plan_);
  end_ = LabEnd::Faulted;
  delivered_.usage = LabUsage();
  bool here = true;
  switch (plan_.opening) {
    case Opening::Normal:
      break;
    case Opening::Error: {
      LabError error = plan_.error;
      if (plan_.echo_key)
        error.message = fmt::format("Incorrect API key provided: {}.", credential_);
      co_await send_error(std::move(error));
      break;
    }
    case Opening::Reset:
      exchange_.raw();
      cut();
      break;
    case Opening::Silent:
      here = co_await pause(kLongestPause);
      break;
    case Opening::HeadOnly:
      sink.begin(headers());
      here = co_await sink.head_only();
      if (here) here = co_await pause(kLongestPause);
      break;
    case Opening::Body:
      here = co_await sink.reply(
          plan_.status,
          headers() + fmt::format("Content-Type: {}\r\n{}", plan_.content_type, plan_.headers),
          plan_.literal);
      break;
    case Opening::Literal:
      here = co_await sink.literal(plan_.literal);
      break;
  }
  if (!here) end_ = LabEnd::Cancelled;
}

// A buffered reply with a break meant for streams: the nearest thing a provider can do.
Task<void> LabAnswer::send_broken(LabSink& sink) {
  using Break = LabPlan::Break;
  end_ = LabEnd::Faulted;
  const auto half = static_cast<int64_t>(body_.size() / 2);
  std::string lines = headers() + std::string(kJson);
  bool here = true;
  switch (plan_.broken) {
    case Break::Error:
    case Break::ErrorEvent:
    case Break::RateLimit:
    case Break::Overloaded:
    case Break::OpenRouter: {
      const int status = plan_.broken == Break::RateLimit || plan_.broken == Break::OpenRouter ? 429
                         : plan_.broken == Break::Overloaded                                   ? 503
                                                             : 500;
      delivered_.usage = LabUsage();
      co_await send_error(lab_error_of_status(status));
      co_return;
    }
    case Break::BadJson:
    case Break::End:
      body_.resize(static_cast<size_t>(half));
      here = co_await sink.reply(200, std::move(lines), std::move(body_));
      break;
    case Break::Oversized:
      body_.insert(1, R"("padding":")" + std::string(20U << 20U, 'x') + R"(",)");
      here = co_await sink.reply(200, std::move(lines), std::move(body_));
      break;
    default:
      here = co_await sink.reply(200, std::move(lines), std::move(body_), half);
      if (here && plan_.broken == Break::Stall) here = co_await pause(kLongestPause);
      if (here && plan_.broken == Break::Reset) cut();
  }
  if (!here) end_ = LabEnd::Cancelled;
}

Task<void> LabAnswer::send_buffered() {
  int64_t wait = plan_.first_token_ms;
  if (encoder_) {
    delivered_.usage.prompt = encoder_->completion().usage.prompt;
    delivered_.usage.cached = encoder_->completion().usage.cached;
    wait +=
        plan_.interval_ms.value_or(model_->interval_ms) * encoder_->completion().usage.completion;
  }
  const bool waited = co_await pause(wait);
  if (!waited) co_return;
  LabSink sink(exchange_, plan_);
  if (encoder_) delivered_.usage = encoder_->completion().usage;
  if (plan_.broken != LabPlan::Break::None) {
    co_await send_broken(sink);
    co_return;
  }
  const bool sent = co_await sink.reply(200, headers() + std::string(kJson), std::move(body_));
  if (sent) end_ = LabEnd::Completed;
}

Task<bool> LabAnswer::wait_for_token(const LabStep& step) {
  if (step.tokens == 0) co_return !exchange_.cancel().cancelled();
  const int64_t ms =
      spoke_ ? plan_.interval_ms.value_or(model_->interval_ms) : plan_.first_token_ms;
  spoke_ = true;
  const bool here = co_await pause(ms);
  co_return here;
}

void LabAnswer::delivered(const LabStep& step) {
  const LabUsage& whole = encoder_->completion().usage;
  delivered_.usage.prompt = whole.prompt;
  delivered_.usage.cached = whole.cached;
  delivered_.usage.reasoning = whole.reasoning;
  delivered_.tokens += step.tokens;
  ++delivered_.events;
  delivered_.usage.completion = whole.reasoning + delivered_.tokens;
}

Task<bool> LabAnswer::act(LabSink& sink, LabStep::Kind kind) {
  end_ = LabEnd::Faulted;
  bool here = true;
  switch (kind) {
    case LabStep::Kind::Stall:
      here = co_await pause(kLongestPause);
      break;
    case LabStep::Kind::End:
      here = co_await sink.end();
      break;
    default:  // Close: by returning; Reset
      if (kind == LabStep::Kind::Reset) cut();
  }
  if (!here) end_ = LabEnd::Cancelled;
  co_return false;
}

Task<void> LabAnswer::send_stream() {
  LabSink sink(exchange_, plan_);
  sink.begin(headers());
  std::string events;
  const bool fails = std::ranges::any_of(steps_, [](const LabStep& step) {
    return step.kind >= LabStep::Kind::Error && step.kind <= LabStep::Kind::OverloadedError;
  });
  for (size_t at = 0; at < steps_.size(); ++at) {
    const LabStep& step = steps_[at];
    if (step.kind == LabStep::Kind::Repeat) {
      const auto first =
          std::ranges::find_if(steps_, [](const LabStep& one) { return one.tokens > 0; });
      if (first == steps_.end()) co_return;
      at = static_cast<size_t>(first - steps_.begin()) - 1;
      continue;
    }
    if (!step.is_event()) {
      if (!events.empty() && !co_await sink.send(events)) co_return;
      co_await act(sink, step.kind);
      co_return;
    }
    bool here = co_await wait_for_token(step);
    if (!here) co_return;
    encoder_->append_event(events, step);
    delivered(step);
    if (plan_.one_write) continue;
    here = co_await sink.send(events);
    if (!here) co_return;
    events.clear();
  }
  if (!events.empty() && !co_await sink.send(events)) co_return;
  const bool ended = co_await sink.end();
  if (!ended) co_return;
  end_ = fails ? LabEnd::Faulted : LabEnd::Completed;
  if (!fails) delivered_.usage = encoder_->completion().usage;
}

}  // namespace sluice::providers
