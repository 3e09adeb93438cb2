#include "providers/lab_answer.h"

#include <algorithm>
#include <charconv>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "providers/lab.h"
#include "providers/lab_embeddings.h"

namespace sluice::providers {
namespace {

constexpr int64_t kLongestPause = 3'600'000;
constexpr std::string_view kJson = "Content-Type: application/json\r\n";

// Adds what the name of a model asks for. Gives the model of the list it names; null for none.
// `stranger` is set to the first part that is neither a model nor a fault.
const LabModel* read_model_name(std::string_view name, LabPlan& plan, std::string_view& stranger) {
  const LabModel* model = nullptr;
  name = lab_short_name(name);
  if (name.empty()) stranger = "(empty)";
  while (!name.empty()) {
    const size_t end = name.find('+');
    const std::string_view part = name.substr(0, end);
    name.remove_prefix(end == std::string_view::npos ? name.size() : end + 1);
    const LabModel* const found = lab_model(part);
    if (found != nullptr) {
      model = found;
    } else if (!apply_lab_fault(part, plan) && stranger.empty()) {
      stranger = part;
    }
  }
  return model;
}

bool is_reasoning(std::string_view name) {
  LabPlan plan;
  std::string_view stranger;
  const LabModel* const model = read_model_name(name, plan, stranger);
  return model != nullptr && model->reasoning > 0;
}

std::string http_date(int64_t seconds) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                     fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace

LabAnswer::LabAnswer(net::ServerExchange& exchange, LabState& state, simdjson::dom::parser& parser,
                     uint64_t seed, chat::Endpoint endpoint)
    : exchange_(exchange),
      state_(state),
      parser_(parser),
      seed_(seed),
      began_at_(exchange.loop().now()),
      request_id_(fmt::format("req_lab_{:012x}", ++state.requests)) {
  request_.endpoint = endpoint;
}

LabAnswer::~LabAnswer() {
  // A request that never arrived whole is nobody's.
  if (counted_) state_.meter.ended(model_name_, request_id_, end_, delivered_);
}

void LabAnswer::count() {
  counted_ = true;
  state_.meter.began(model_name_);
}

std::optional<LabError> LabAnswer::read_header_knobs() {
  const net::Headers& sent = exchange_.head().headers;
  const auto number = [&sent](std::string_view name, std::optional<int64_t> otherwise) {
    const auto text = sent.find(name);
    int64_t value = 0;
    if (!text) return otherwise;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    return error == std::errc() && value >= 0 ? std::optional(value) : otherwise;
  };
  plan_.tokens = number("x-lab-tokens", plan_.tokens);
  plan_.interval_ms = number("x-lab-token-interval-ms", plan_.interval_ms);
  plan_.cached = number("x-lab-cached-tokens", plan_.cached);
  key_ = sent.find("x-lab-key").value_or("");
  const std::string_view faults = sent.find("x-lab-fault").value_or("");
  if (const auto stranger = apply_lab_faults(faults, ',', plan_)) {
    LabError error;
    error.code = "unknown_fault";
    error.message =
        fmt::format("x-lab-fault: the lab knows no '{}'. GET / lists the faults.", *stranger);
    return error;
  }
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = sent.find("authorization").value_or("");
  LabError error = lab_error_of_status(401);
  if (!authorization.starts_with(kBearer) || authorization.size() == kBearer.size()) {
    error.code.clear();
    error.message =
        "You didn't provide an API key. You need to provide your API key in an Authorization "
        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
    return error;
  }
  credential_ = authorization.substr(kBearer.size());
  if (credential_.starts_with("invalid")) return error;
  return std::nullopt;
}

std::optional<LabError> LabAnswer::find_model() {
  std::string_view stranger;
  model_ = read_model_name(request_.model, plan_, stranger);
  const bool embeds = request_.endpoint == chat::Endpoint::Embeddings;
  if (!stranger.empty()) {
    LabError error = lab_error_of_status(404);
    error.message = fmt::format(
        "The model '{}' does not exist or you do not have access to it. (The lab knows no '{}'; "
        "GET / lists its models and faults.)",
        request_.model, stranger);
    return error;
  }
  if (model_ == nullptr) model_ = lab_model(embeds ? "embed" : "chat");
  if (embeds != (model_->dimensions > 0)) {
    LabError error = lab_error_of_status(404);
    error.message = fmt::format("The model '{}' does not serve this endpoint.", request_.model);
    return error;
  }
  return std::nullopt;
}

std::optional<LabError> LabAnswer::check_fit() const {
  const bool embeds = request_.endpoint == chat::Endpoint::Embeddings;
  int64_t longest = request_.prompt_tokens + (embeds ? 0 : request_.max_tokens.value_or(0));
  if (embeds) {
    longest = 0;
    for (const LabRequest::Part& part : request_.parts) longest = std::max(longest, part.tokens);
  }
  if (longest > model_->context) {
    LabError error;
    error.code = "context_length_exceeded";
    error.param = embeds ? "input" : "messages";
    error.message = fmt::format(
        "This model's maximum context length is {} tokens. However, you requested {} tokens.",
        model_->context, longest);
    return error;
  }
  if (request_.dimensions > model_->dimensions) {
    LabError error;
    error.code = "invalid_value";
    error.param = "dimensions";
    error.message = fmt::format("Invalid value for 'dimensions': at most {}.", model_->dimensions);
    return error;
  }
  return std::nullopt;
}

// fail-first-N: the fault, or 503 where none was named, for the first N calls; then none.
void LabAnswer::settle_failures() {
  if (plan_.fail_first < 0) return;
  const bool none =
      plan_.opening == LabPlan::Opening::Normal && plan_.broken == LabPlan::Break::None;
  if (none) {
    plan_.opening = LabPlan::Opening::Error;
    plan_.error = lab_error_of_status(503);
  }
  const std::string& who = key_.empty() ? request_.user : key_;
  if (state_.memory.earlier_calls(request_.model + '\n' + who) < plan_.fail_first) return;
  plan_.opening = LabPlan::Opening::Normal;
  plan_.broken = LabPlan::Break::None;
}

void LabAnswer::prepare() {
  delivered_.price = model_->price;
  if (plan_.endless)
    plan_.interval_ms = std::max<int64_t>(1, plan_.interval_ms.value_or(model_->interval_ms));
  if (request_.endpoint == chat::Endpoint::Embeddings) {
    body_ = lab_embeddings_body(request_, *model_, seed_);
    delivered_.usage.prompt = request_.prompt_tokens;
    return;
  }
  const int64_t cached = plan_.prompt_cache ? state_.memory.seen_tokens(request_.parts) : 0;
  LabCompletion completion = complete_lab_request(request_, *model_, plan_, seed_, cached);
  if (request_.stream) steps_ = lab_steps(request_, completion, plan_);
  encoder_.emplace(request_, std::move(completion), plan_, model_->price);
  if (!request_.stream) body_ = encoder_->buffered();
}

std::optional<LabError> LabAnswer::read(std::string_view body) {
  state_.memory.keep_last(exchange_.head(), body);
  if (auto error = read_header_knobs()) return error;
  const auto wrong = read_lab_request(parser_, body, is_reasoning, request_);
  if (!request_.model.empty()) {
    if (auto error = find_model()) return error;
    model_name_ = lab_short_name(request_.model);
  }
  if (wrong) return wrong;
  if (auto error = check_fit()) return error;
  settle_failures();
  prepare();
  return std::nullopt;
}

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

Task<void> LabAnswer::run() {
  const Result<std::string_view> body = co_await exchange_.body();
  if (!body) {
    if (body.error().outcome() == Outcome::ClientClosed) co_return;
    count();
    end_ = LabEnd::Refused;
    LabError error = lab_error_of_status(http_status_of(body.error().outcome()));
    error.message = body.error().message();
    co_await send_error(std::move(error));
    co_return;
  }
  std::optional<LabError> error = read(*body);
  count();
  exchange_.release_request();
  if (error) {
    end_ = LabEnd::Refused;
    co_await send_error(std::move(*error));
  } else if (plan_.opening != LabPlan::Opening::Normal) {
    co_await open_wrongly();
  } else if (request_.stream) {
    co_await send_stream();
  } else {
    co_await send_buffered();
  }
}

}  // namespace sluice::providers
