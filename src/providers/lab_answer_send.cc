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

std::string LabAnswer::headers(bool failed) const {
  LabReplyFacts facts{.request = request_, .request_id = request_id_};
  facts.spent_ms = (exchange_.loop().now() - began_at_) / kMillisecond;
  facts.wall_seconds = exchange_.loop().clock().wall_micros() / 1'000'000;
  facts.prompt_tokens = request_.prompt_tokens;
  facts.failed = failed;
  return face_.headers(facts);
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

Task<void> LabAnswer::send_error(LabError error, bool as_200) {
  const bool own = error.body.empty();
  if (face_.last_word != nullptr) face_.last_word(request_, error);
  const std::string body = error.body.empty() ? face_.error_body(error, request_id_) : error.body;
  const std::string lines = (own ? headers(true) : "") + error.headers + retry_headers();
  LabSink sink(exchange_, plan_);
  const bool sent =
      co_await sink.reply(as_200 ? 200 : error.status, lines + std::string(kJson), body);
  if (!sent) end_ = LabEnd::Cancelled;
}

int64_t LabAnswer::reply_wait() const {
  if (request_.background) return 0;
  return encoder_ && !request_.stream ? answer_time() : plan_.first_token_ms;
}

int64_t LabAnswer::answer_time() const {
  const int64_t tokens = encoder_->completion().usage.completion;
  return plan_.first_token_ms + plan_.interval_ms.value_or(model_->interval_ms) * tokens;
}

bool LabAnswer::outlasts_patience() const {
  if (!request_.portkey.timeout_ms) return false;
  using Opening = LabPlan::Opening;
  if (plan_.opening == Opening::Silent || plan_.opening == Opening::HeadOnly) return true;
  return plan_.opening == Opening::Normal && reply_wait() > *request_.portkey.timeout_ms;
}

Task<void> LabAnswer::lose_patience() {
  end_ = LabEnd::Faulted;
  const int64_t patience = *request_.portkey.timeout_ms;
  const bool here = co_await pause(patience);
  if (!here) {
    end_ = LabEnd::Cancelled;
    co_return;
  }
  co_await send_error(lab_portkey_timeout(patience));
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
      LabError error = face_.reword(plan_.error);
      if (plan_.echo_key) {
        error.message = fmt::format("Incorrect API key provided: {}.", request_.credential);
      }
      co_await send_error(std::move(error), plan_.as_200);
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
                         : plan_.broken == Break::Overloaded ? face_.overloaded
                                                             : 500;
      delivered_.usage = LabUsage();
      co_await send_error(face_.reword(lab_error_of_status(status)));
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
  if (encoder_) {
    delivered_.usage = prompt_usage();
  }
  const bool waited = co_await pause(reply_wait());
  if (!waited) co_return;
  LabSink sink(exchange_, plan_);
  if (encoder_) delivered_.usage = encoder_->completion().usage;
  if (plan_.broken != LabPlan::Break::None) {
    co_await send_broken(sink);
    co_return;
  }
  if (!plan_.first_members.empty()) body_.insert(1, plan_.first_members);
  const bool sent =
      co_await sink.reply(plan_.good_status, headers() + std::string(kJson), std::move(body_));
  if (sent) end_ = LabEnd::Completed;
}

LabUsage LabAnswer::prompt_usage() const {
  LabUsage usage = encoder_->completion().usage;
  usage.completion = 0;
  usage.reasoning = 0;
  return usage;
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
  // What is thought unseen is thought before the first event.
  const LabCompletion& whole = encoder_->completion();
  const int64_t unseen = whole.usage.reasoning - whole.shown_reasoning;
  delivered_.tokens += step.tokens;
  if (step.part == LabStep::Part::Thinking) thought_ += step.tokens;
  ++delivered_.events;
  delivered_.usage = prompt_usage();
  delivered_.usage.reasoning = unseen + thought_;
  delivered_.usage.completion = unseen + delivered_.tokens;
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
    // A step may have no event of its own in this dialect.
    if (plan_.one_write || events.empty()) continue;
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
