#include "gateway/exchange.h"

#include <charconv>
#include <utility>

#include "wire/openai.h"

namespace sluice::gateway {
namespace {

// What callers send as names is kept for the ledger, but not in any length.
constexpr size_t kLongestNote = 128;

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
  request.endpoint = endpoint;
  read_client_headers();
}

Exchange::~Exchange() {
  if (!ended_) {
    const Outcome why = http.cancel().cancelled() ? http.cancel().why() : Outcome::ClientClosed;
    end(why, http_status_of(why));
  }
  record.duration_micros = ((ended_at_ != 0 ? ended_at_ : now()) - started_) / kMicrosecond;
  record.upstream_micros = upstream_time_ / kMicrosecond;
  record.overhead_micros =
      record.duration_micros - record.upstream_micros - client_time_ / kMicrosecond;
  record.bytes_in = http.bytes_in();
  record.bytes_out = http.bytes_out();
  shared.ledger.finish(shared.lane, std::move(record));
}

void Exchange::read_client_headers() {
  std::optional<std::string_view> client_id;
  std::optional<TraceParent> parent;
  for (const net::Header& header : http.head().headers) {
    switch (header.name.size()) {
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

void Exchange::release_request() {
  http.release_request();
  body = {};
  std::string().swap(decoded_body);
  request.body = {};
}

void Exchange::own_route(routing::Route the_route) {
  own_route_ = std::move(the_route);
  route = &own_route_;
}

void Exchange::append_traceparent(std::string& head) {
  head.append("traceparent: ");
  sluice::append_traceparent(head, record.trace_id, shared.ids.random() | 1, trace_flags_);
  head.append("\r\n");
}

void Exchange::answered_by(const routing::Target& target) {
  record.provider = snapshot->upstreams[target.provider]->name();
  record.model = target.model;
  record.meters = snapshot->meters[target.slot];
}

std::string Exchange::reply_headers(const routing::Target* target) const {
  std::string headers;
  headers.reserve(256);
  net::append_header(headers, "x-request-id", record.request_id);
  if (target != nullptr) {
    net::append_header(headers, "x-sluice-provider", snapshot->upstreams[target->provider]->name());
    if (net::is_header_value(target->model))
      net::append_header(headers, "x-sluice-model", target->model);
  }
  net::append_header(headers, "x-sluice-overhead-us",
                     static_cast<uint64_t>(overhead() / kMicrosecond));
  return headers;
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
  const int status = http_status_of(error.outcome());
  end(error.outcome(), status, error.message());
  if (http.cancel().cancelled() && http.cancel().why() == Outcome::ClientClosed) {
    record.status = http_status_of(Outcome::ClientClosed);
    if (http.streaming()) http.abort_stream();
    co_return;
  }
  if (http.streaming()) {
    record.status = 200;
    const std::string event = openai::encode_error_event(error);
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
  const std::string text = openai::encode_error(error);
  const Result<void> sent = co_await http.reply(status, headers, text);
  if (!sent) record.error += "; and the client was gone before it could be told";
}

}  // namespace sluice::gateway
