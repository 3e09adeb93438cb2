#include "gateway/exchange.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text_out.h"
#include "gateway/admit.h"
#include "gateway/caller.h"
#include "gateway/face.h"
#include "gateway/limit_headers.h"
#include "gateway/way.h"
#include "wire/anthropic_conversation.h"
#include "wire/openai_conversation.h"
#include "wire/responses.h"

namespace sluice::gateway {
namespace {

// What callers send as names is kept for the ledger, but not in any length.
constexpr size_t kLongestNote = 128;
constexpr int kNanosAsDollars = 9;

// Silence of an upstream that explains why its client left.
constexpr Nanos kStallSilence = 10 * kSecond;

std::string bounded(std::optional<std::string_view> text) {
  return std::string(text.value_or("").substr(0, kLongestNote));
}

}  // namespace

Exchange::Exchange(Shared& the_shared, net::ServerExchange& the_http, chat::Endpoint endpoint)
    : shared(the_shared), http(the_http), snapshot(the_shared.snapshot), started_(now()) {
  record.started_micros = shared.loop.wall_micros();
  record.key = shared.ids.next_key(record.started_micros);
  record.request_id = shared.ids.request_id(record.key);
  record.endpoint = chat::name_of(endpoint);
  record.generates = endpoint != chat::Endpoint::CountTokens;
  request.endpoint = endpoint;
  read_client_headers();
}

Exchange::~Exchange() {
  if (!ended_) {
    const Outcome why = http.cancel().cancelled() ? http.cancel().why() : Outcome::ClientClosed;
    end(why, http_status_of(why));
  }
  // The reply says at which tier it was billed; where it does not, the request's word counts.
  if (record.usage.tier == chat::ServiceTier::Unsaid) record.usage.tier = request.tier;
  record.duration_micros = ((ended_at_ != 0 ? ended_at_ : now()) - started_) / kMicrosecond;
  record.upstream_micros = upstream_time_ / kMicrosecond;
  record.overhead_micros =
      record.duration_micros - record.upstream_micros - client_time_ / kMicrosecond;
  record.bytes_in = http.bytes_in();
  record.bytes_out = http.bytes_out();
  settle(*this, shared.ledger.finish(shared.lane, record));
  if (copy == nullptr) return;
  http.tap(nullptr);
  copy->hand_over(record);
}

void Exchange::keep_bodies() {
  copy = std::make_unique<BodyCopy>(*shared.bodies);
  http.tap(copy.get());
}

void Exchange::read_client_headers() {
  std::optional<std::string_view> client_id;
  std::optional<TraceParent> parent;
  for (const net::Header& header : http.head().headers) {
    if (wished_ && (header.name.front() | 0x20) == 'x') wished_ = read_wish(header, wishes_);
    switch (header.name.size()) {
      case 7:
        if (net::same_name(header.name, "baggage")) {
          wishes_.baggage = header.value;
          wishes_.attributes = true;
        }
        break;
      case 11:
        if (net::same_name(header.name, "traceparent")) parent = parse_traceparent(header.value);
        break;
      case 12:
        if (!client_id && net::same_name(header.name, "x-request-id")) client_id = header.value;
        break;
      case 19:
        if (net::same_name(header.name, "x-client-request-id")) client_id = header.value;
        if (net::same_name(header.name, "x-stainless-timeout")) note_client_timeout(header.value);
        break;
      default:
        break;
    }
  }
  record.client_request_id = bounded(client_id);
  if (parent) {
    record.trace_id = std::move(parent->trace_id);
    trace_flags_ = parent->flags;
  } else {
    record.trace_id = shared.ids.trace_id();
  }
}

void Exchange::note_client_timeout(std::string_view seconds) {
  double value = 0;
  const auto [end, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  const bool sane =
      error == std::errc() && end == seconds.data() + seconds.size() && value > 0 && value < 1e6;
  if (sane) client_timeout_ = static_cast<Nanos>(value * kSecond);
}

Outcome Exchange::blame(Outcome outcome, Nanos heard_at, bool content) const {
  if (outcome != Outcome::ClientClosed) return outcome;
  const Nanos silence = now() - heard_at;
  // The client's clock started a little before ours.
  const bool timed_out = client_timeout_ && now() - started_ >= *client_timeout_ / 100 * 95;
  const bool stalled = silence >= kStallSilence || (timed_out && silence >= *client_timeout_ / 2);
  if (!stalled) return outcome;
  return content ? Outcome::IdleTimeout : Outcome::FirstByteTimeout;
}

void Exchange::allow_continuation() {
  const bool wanted = route->continues || snapshot->stream.continues;
  const bool text = request.endpoint == chat::Endpoint::Chat ||
                    request.endpoint == chat::Endpoint::Messages ||
                    request.endpoint == chat::Endpoint::Responses;
  if (!wanted || !text || stored != nullptr || !request.stream || request.choices != 1 ||
      !wishes_.fallback)
    return;
  continuation_ = std::make_unique<chat::Continuation>();
}

void Exchange::add_reason(std::string_view clause) {
  if (clause.empty()) return;
  if (!record.reason.empty()) record.reason += "; ";
  record.reason += clause;
  record.common_reason = false;
}

void Exchange::set_time_limit(Nanos limit) {
  time_limit_ = limit;
  deadline_ = Deadline::at(started_ + std::min(limit, client_timeout_.value_or(limit)));
}

bool Exchange::client_gave_up() const {
  return client_timeout_ && *client_timeout_ < time_limit_ &&
         now() - started_ >= *client_timeout_ / 100 * 95;
}

void Exchange::release_request() {
  http.release_request();
  body = {};
  std::string().swap(decoded_body);
  request.body = {};
  wishes_.task = {};
  conversation_.reset();
  response_echo_.reset();
}

void Exchange::own_route(std::shared_ptr<const routing::Route> the_route) {
  own_route_ = std::move(the_route);
  route = own_route_.get();
}

Result<const chat::Conversation*> Exchange::conversation() {
  if (conversation_ != nullptr) return conversation_.get();
  const bool anthropic = request.endpoint == chat::Endpoint::Messages ||
                         request.endpoint == chat::Endpoint::CountTokens;
  Result<chat::Conversation> read = anthropic ? anthropic::read_conversation(body)
                                    : request.endpoint == chat::Endpoint::Responses
                                        ? responses::read_conversation(body)
                                        : openai::read_conversation(body);
  if (!read) return std::move(read).error();
  conversation_ = std::make_unique<chat::Conversation>(*std::move(read));
  return conversation_.get();
}

void Exchange::replace_body(std::string other) {
  decoded_body = std::move(other);
  body = decoded_body;
  conversation_.reset();
  response_echo_.reset();
}

const std::string& Exchange::response_echo() {
  if (response_echo_ == nullptr) {
    response_echo_ = std::make_unique<std::string>(responses::read_echo(body));
  }
  return *response_echo_;
}

void Exchange::prefer_key(const providers::Upstream& upstream, std::string_view label) {
  const providers::KeyRing& keys = upstream.keys();
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys.label(i) == label) preferred_key_ = static_cast<uint8_t>(i);
  }
}

void Exchange::append_traceparent(std::string& head) {
  head.append("traceparent: ");
  sluice::append_traceparent(head, record.trace_id, shared.ids.random() | 1, trace_flags_);
  head.append("\r\n");
}

// "openai/gpt-5 upstream_rate_limit 12ms, ...": the attempts that came to nothing (FB-9).
std::string Exchange::failed_attempts() const {
  std::string out;
  for (const telemetry::Attempt& attempt : record.attempts) {
    if (!out.empty()) out += ", ";
    out += attempt.target;
    out += ' ';
    out += sluice::name_of(attempt.outcome);
    out += ' ';
    out += std::to_string(attempt.duration_micros / 1000);
    out += "ms";
  }
  return out;
}

std::string Exchange::reply_headers(const Way* way) const {
  std::string headers;
  headers.reserve(256);
  net::append_header(headers, "x-request-id", record.request_id);
  if (way != nullptr) {
    append_target(headers, *way);
    headers += intermediary_;
    if (!dropped_.empty()) append_dropped(headers);
  }
  if (!record.task.empty()) net::append_header(headers, "x-sluice-task", record.task);
  if (!record.attempts.empty()) {
    net::append_header(headers, "x-sluice-attempts",
                       record.attempts.size() + (way != nullptr ? 1 : 0));
    const std::string failed = failed_attempts();
    if (net::is_header_value(failed)) net::append_header(headers, "x-sluice-fallback", failed);
  }
  append_limits(*this, headers);
  net::append_header(headers, "x-sluice-overhead-us",
                     static_cast<uint64_t>(overhead() / kMicrosecond));
  return headers;
}

void Exchange::append_target(std::string& headers, const Way& way) const {
  net::append_header(headers, "x-sluice-provider", way.upstream.name());
  if (net::is_header_value(way.target.model))
    net::append_header(headers, "x-sluice-model", way.target.model);
}

void Exchange::append_dropped(std::string& headers) const {
  std::string names;
  for (const std::string& name : dropped_) names.append(names.empty() ? "" : ", ").append(name);
  if (net::is_header_value(names)) net::append_header(headers, "x-sluice-dropped", names);
}

void Exchange::append_cost(std::string& headers) const {
  if (!wishes_.cost) return;
  const telemetry::Charge charge = shared.ledger.charge_of(record);
  std::array<char, 32> text;
  const char* end = text.data();
  if (charge.cost) end = put_decimal(text.data(), *charge.cost, kNanosAsDollars);
  const std::string_view cost(text.data(), static_cast<size_t>(end - text.data()));
  net::append_header(headers, "x-sluice-cost-usd", charge.cost ? cost : "unknown");
}

std::string Exchange::cost_trailer() const {
  std::string trailer;
  append_cost(trailer);
  return trailer;
}

Result<void> Exchange::accept_losses(const Way& way, std::vector<std::string> dropped) {
  dropped_ = std::move(dropped);
  if (dropped_.empty() || snapshot->unsupported == Unsupported::Drop) return {};
  const Outcome outcome =
      snapshot->unsupported == Unsupported::Refuse ? Outcome::BadRequest : Outcome::Unsupported;
  return Error(outcome,
               "'" + gateway::name_of(way) + "' has no place for `" + dropped_.front() + "`",
               dropped_.front());
}

void Exchange::note_intermediary(const Way& way, const net::Headers& headers) {
  intermediary_.clear();
  if (way.upstream.kind() != providers::Kind::Portkey) return;
  const providers::PortkeyFacts facts = providers::read_portkey_facts(headers);
  if (!facts.provider.empty())
    net::append_header(intermediary_, "x-sluice-upstream-provider", facts.provider);
  if (facts.retries)
    net::append_header(intermediary_, "x-sluice-upstream-retries", std::to_string(*facts.retries));
  if (!facts.cache_status.empty())
    net::append_header(intermediary_, "x-sluice-upstream-cache", facts.cache_status);
  if (!facts.option_index.empty())
    net::append_header(intermediary_, "x-sluice-upstream-option", facts.option_index);
}

void Exchange::key_accepted(const Way& way) const {
  if (way.upstream.keys().size() > 0) note_key(way, way.upstream.keys().accepted(way.key));
}

void Exchange::note_key(const Way& way, providers::KeyRing::Event event) const {
  using Event = providers::KeyRing::Event;
  if (event == Event::None) return;
  const std::string_view what = event == Event::Back    ? "is accepted again"
                                : event == Event::Rests ? "met its limit and rests"
                                                        : "is refused and taken out";
  shared.ledger.note_key(way.upstream.name(), way.upstream.keys().label(way.key), what);
}

void Exchange::remember_response(const Way& way, const std::string& id,
                                 std::span<const std::string> items) const {
  if (request.endpoint != chat::Endpoint::Responses || snapshot->pins == nullptr) return;
  const providers::KeyRing& keys = way.upstream.keys();
  const Maker maker{.target = gateway::name_of(way),
                    .key = way.key < keys.size() ? keys.label(way.key) : std::string(),
                    .owner = owner_of(*this),
                    .kept = way.same_dialect(request.endpoint)};
  if (!id.empty()) snapshot->pins->remember(id, maker);
  for (const std::string& item : items) snapshot->pins->remember(item, maker);
}

void Exchange::answered_by(const routing::Target& target) {
  if (record.delivered) {
    record.attempts.back().spent =
        shared.ledger.spent_by(record, record.usage, record.usage_source);
    record.usage = {};
    record.usage_source = chat::UsageSource::None;
    record.delivered = false;
  }
  record.provider = snapshot->upstreams[target.provider]->name();
  record.model = target.model;
  record.answered_model.clear();
  record.meters = snapshot->meters[target.slot];
}

void Exchange::end(Outcome outcome, int status, std::string_view error) {
  ended_ = true;
  record.outcome = outcome;
  record.status = status;
  record.error = error;
}

Task<void> Exchange::reply(int status, std::string headers, std::string_view reply_body) {
  const Result<void> sent = co_await http.reply(status, headers, reply_body);
  if (!sent)
    end(sent.error().outcome(), http_status_of(sent.error().outcome()), sent.error().message());
}

[[gnu::noinline]] Task<void> Exchange::fail(const Error& error, std::string more) {
  const int status = status_for(request.endpoint, error.outcome());
  end(error.outcome(), status, error.message());
  if (http.cancel().cancelled() && http.cancel().why() == Outcome::ClientClosed) {
    record.status = http_status_of(Outcome::ClientClosed);
    if (http.streaming()) http.abort_stream();
    co_return;
  }
  if (http.streaming()) {
    record.status = 200;
    const std::string event = error_event(request.endpoint, error, record.request_id, sequence_);
    const Result<void> sent = co_await http.send_chunk(event);
    if (sent) {
      const Result<void> closed = co_await http.end_stream();
      if (closed) co_return;
    }
    http.abort_stream();
    co_return;
  }
  std::string headers = reply_headers(nullptr);
  net::append_header(headers, "content-type", "application/json");
  headers += more;
  // What we have tried and retried already is not to be multiplied by the client's own retries.
  const bool pointless =
      is_upstream_failure(error.outcome()) && error.outcome() != Outcome::UpstreamRateLimit;
  if (pointless) net::append_header(headers, "x-should-retry", "false");
  const std::string text = error_body(request.endpoint, error, record.request_id);
  const Result<void> sent = co_await http.reply(status, headers, text);
  if (!sent) record.error += "; and the client was gone before it could be told";
}

}  // namespace sluice::gateway
