#include "providers/lab_answer.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "providers/lab.h"
#include "providers/lab_embeddings.h"
#include "providers/lab_name.h"
#include "providers/lab_text.h"

namespace sluice::providers {
LabAnswer::LabAnswer(net::ServerExchange& exchange, LabState& state, simdjson::dom::parser& parser,
                     uint64_t seed, const LabFace& face, chat::Endpoint endpoint)
    : exchange_(exchange),
      state_(state),
      parser_(parser),
      seed_(seed),
      face_(face),
      began_at_(exchange.loop().now()),
      number_(++state.requests),
      request_id_(fmt::format("req_lab_{:012x}", number_)) {
  request_.endpoint = endpoint;
  // Now: the head is gone when the reply is over.
  caller_id_ = exchange.head().headers.find("x-request-id").value_or("");
  request_.arrival.options = &state.options;
  request_.arrival.request_id = request_id_;
  request_.arrival.wall_seconds = exchange.loop().clock().wall_micros() / 1'000'000;
}

LabAnswer::~LabAnswer() {
  // A request that never arrived whole is nobody's.
  if (!counted_) return;
  state_.meter.ended(model_name_, request_id_, end_, delivered_);
  LabRecord record;
  record.face = face_.name;
  record.caller_id = caller_id_;
  record.request_id = request_id_;
  record.model = model_name_;
  record.end = end_;
  record.usage = delivered_.usage;
  record.cost_nanos = lab_cost(delivered_.usage, delivered_.price);
  state_.log.add(std::move(record));
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
  // Known to be good since the start.
  apply_lab_faults(draw_lab_faults(state_.options.chances, seed_, number_), '+', plan_);
  const std::string_view faults = sent.find("x-lab-fault").value_or("");
  if (const auto stranger = apply_lab_faults(faults, ',', plan_)) {
    LabError error;
    error.code = "unknown_fault";
    error.message =
        fmt::format("x-lab-fault: the lab knows no '{}'. GET / lists the faults.", *stranger);
    return error;
  }
  return std::nullopt;
}

std::optional<LabError> LabAnswer::find_model() {
  LabNamed named = read_lab_name(face_, request_.endpoint, request_.model, plan_);
  const bool embeds = request_.endpoint == chat::Endpoint::Embeddings;
  if (!named.stranger.empty()) {
    const std::string hint =
        fmt::format("The lab knows no '{}'; GET / lists its models and faults.", named.stranger);
    return face_.no_model(request_.model, hint);
  }
  plan_ = std::move(named.plan);
  model_ = named.model ? *named.model : *lab_model(embeds ? "embed" : face_.usual_model);
  model_->price = model_->price.times(state_.options.price_factor);
  if (embeds != (model_->dimensions > 0)) {
    return face_.no_model(request_.model, "It does not serve this endpoint.");
  }
  return std::nullopt;
}

// The model asked for, or the first of the others that would answer.
std::optional<LabError> LabAnswer::choose_model() {
  const LabPlan asked = plan_;
  std::optional<LabError> error = find_model();
  for (const std::string& next : request_.fallback_models) {
    if (!error && plan_.opening == LabPlan::Opening::Normal) break;
    plan_ = asked;
    request_.model = next;
    error = find_model();
  }
  return error;
}

std::optional<LabError> LabAnswer::check_fit() const {
  const bool embeds = request_.endpoint == chat::Endpoint::Embeddings;
  int64_t longest = request_.prompt_tokens + (embeds ? 0 : request_.max_tokens.value_or(0));
  if (embeds) {
    longest = 0;
    for (const LabRequest::Part& part : request_.parts) longest = std::max(longest, part.tokens);
  }
  if (longest > model_->context) return face_.too_long(request_, *model_, longest);
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
    const auto body = face_.embeddings != nullptr ? face_.embeddings : lab_embeddings_body;
    body_ = body(request_, *model_, seed_);
    delivered_.usage.prompt = request_.prompt_tokens;
    delivered_.texts = static_cast<int64_t>(request_.parts.size());
    return;
  }
  if (request_.endpoint == chat::Endpoint::CountTokens) {
    body_ = face_.count(request_.prompt_tokens);
    return;
  }
  LabCacheUse cache =
      state_.prompts.use(request_.parts, lab_hash(request_.credential, 0), began_at_);
  if (plan_.prompt_cache) cache.read = state_.memory.seen_tokens(request_.parts);
  LabCompletion completion = complete_lab_request(request_, *model_, plan_, seed_, cache);
  request_.reply_id = completion.id;
  if (request_.stream) steps_ = lab_steps(request_, completion, plan_);
  encoder_ = face_.encoder(request_, std::move(completion), plan_, model_->price);
  if (!request_.stream || request_.store) body_ = encoder_->buffered();
  if (request_.store) keep_response();
}

void LabAnswer::keep_response() {
  LabResponses::Made made;
  made.body = body_;
  if (request_.background) {
    made.running = encoder_->unfinished("in_progress");
    made.cancelled = encoder_->unfinished("cancelled");
    made.done_at = began_at_ + answer_time() * kMillisecond;
    if (request_.stream) {
      const auto teller = face_.encoder(request_, encoder_->completion(), plan_, model_->price);
      for (const LabStep& step : steps_) {
        if (step.is_event()) teller->append_event(made.events, step);
      }
    } else {
      body_ = encoder_->unfinished("queued");
    }
  }
  state_.responses.keep(request_, encoder_->completion(), std::move(made));
}

std::optional<LabError> LabAnswer::read(std::string_view body) {
  state_.memory.keep_last(exchange_.head(), body);
  if (auto error = read_header_knobs()) return error;
  request_.arrival.head = &exchange_.head();
  if (auto error = face_.check_head(exchange_.head(), request_)) {
    state_.memory.note_last(request_.refusal_reason);
    return error;
  }
  const auto wrong = read_lab_request(parser_, body, face_, request_);
  if (wrong && !wrong->body.empty()) return wrong;
  if (!wrong || !request_.model.empty()) {
    if (auto error = choose_model()) return error;
    model_name_ = lab_short_name(request_.model);
  }
  if (wrong) return wrong;
  if (auto error = state_.responses.join(request_)) return error;
  if (auto error = check_fit()) return error;
  settle_failures();
  if (face_.habits != nullptr) face_.habits(request_, plan_);
  prepare();
  return std::nullopt;
}

Task<void> LabAnswer::run() {
  const Result<std::string_view> body = co_await exchange_.body();
  if (!body) {
    if (body.error().outcome() == Outcome::ClientClosed) co_return;
    count();
    end_ = LabEnd::Refused;
    LabError error = lab_error_of_status(http_status_of(body.error().outcome()));
    error.message = body.error().message();
    error = face_.reword(std::move(error));
    co_await send_error(std::move(error));
    co_return;
  }
  std::optional<LabError> error = read(*body);
  count();
  exchange_.release_request();
  if (error) {
    end_ = LabEnd::Refused;
    co_await send_error(std::move(*error));
  } else if (outlasts_patience()) {
    co_await lose_patience();
  } else if (plan_.opening != LabPlan::Opening::Normal) {
    co_await open_wrongly();
  } else if (request_.stream) {
    co_await send_stream();
  } else {
    co_await send_buffered();
  }
}

}  // namespace sluice::providers
