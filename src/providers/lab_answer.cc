#include "providers/lab_answer.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "providers/lab.h"
#include "providers/lab_embeddings.h"

namespace sluice::providers {
namespace {

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
