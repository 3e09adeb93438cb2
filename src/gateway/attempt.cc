#include "gateway/attempt.h"

#include <utility>

#include "gateway/body.h"
#include "gateway/relay.h"
#include "providers/failure.h"
#include "wire/openai.h"

namespace sluice::gateway {
namespace {

// An error reply longer than this is not read to its end.
constexpr uint64_t kLongestErrorBody = 1 << 20;

std::string request_head(Exchange& exchange, const providers::Upstream& upstream) {
  std::string head;
  head.reserve(512);
  upstream.append_head(head, exchange.request.endpoint, exchange.http.head().headers);
  exchange.append_traceparent(head);
  net::append_header(head, "x-request-id", exchange.record.request_id);
  if (exchange.request.stream) net::append_header(head, "accept", "text/event-stream");
  return head;
}

bool is_event_stream(const net::Headers& headers) {
  const auto type = headers.find("content-type");
  return type && net::begins_with_name(*type, "text/event-stream");
}

Task<Answered> read_refusal(Exchange& exchange, const routing::Target& target,
                            net::CallReply reply) {
  const providers::Upstream& upstream = *exchange.snapshot->upstreams[target.provider];
  const int status = reply.head().status;
  Result<std::string_view> body = co_await reply.read_all(kLongestErrorBody, exchange.until());
  std::string storage;
  std::string_view text;
  if (body) {
    const Result<std::string_view> plain = plain_body(
        reply.head().headers, *body, kLongestErrorBody, Outcome::UpstreamBadReply, storage);
    if (plain) text = *plain;
  }
  const int64_t wall = exchange.shared.loop.wall_micros();
  providers::UpstreamFailure refusal =
      providers::classify(status, reply.head().headers, text, wall);
  std::string message = "provider '" + upstream.name() + "' ";
  if (refusal.outcome == Outcome::UpstreamAuth) {
    message += upstream.has_key() ? "refused the key it was given" : "wants a key, and has none";
    message += " (status " + std::to_string(status) + ")";
  } else {
    message += "answered with status " + std::to_string(status);
    if (!refusal.message.empty()) message += ": " + upstream.scrub(std::move(refusal.message));
  }
  Answered failure =
      failed({refusal.outcome, refusal.retry_after, refusal.lasting}, std::move(message));
  failure->status = status;
  if (refusal.has_error_object) failure->body = upstream.scrub(std::string(text));
  append_passed_headers(failure->headers, reply.head().headers);
  co_return failure;
}

void note_reply(Exchange& exchange, chat::Reply& reply) {
  exchange.record.answered_model = reply.model.substr(0, 128);
  if (reply.usage) {
    exchange.record.usage = *reply.usage;
    exchange.record.usage_source = chat::UsageSource::Reported;
  } else if (exchange.request.endpoint != chat::Endpoint::Embeddings || reply.has_content) {
    exchange.record.usage = openai::estimate_usage(
        exchange.request.prompt_bytes, reply.output_bytes, exchange.request.max_output_tokens);
    exchange.record.usage_source = chat::UsageSource::Estimated;
  }
}

// The reply's bytes go on as they came, in their content coding if the client can read it.
Task<Answered> answer_buffered(Exchange& exchange, const routing::Target& target,
                               net::CallReply reply) {
  const uint64_t limit = exchange.snapshot->max_reply;
  std::optional<Result<std::string_view>> whole = reply.try_read_all(limit);
  if (!whole) {
    const Nanos asked = exchange.now();
    whole = co_await reply.read_all(limit, exchange.until());
    exchange.add_upstream_time(exchange.now() - asked);
  }
  const Result<std::string_view>& body = *whole;
  if (!body) co_return failed(body.error());
  std::string storage;
  const net::ResponseHead& head = reply.head();
  Result<std::string_view> plain =
      plain_body(head.headers, *body, limit, Outcome::UpstreamBadReply, storage);
  if (!plain) co_return failed(plain.error());
  Result<chat::Reply> meaning = openai::decode_reply(exchange.request.endpoint, *plain);
  if (!meaning) co_return failed(meaning.error());
  if (meaning->is_error) {
    co_return failed({openai::outcome_of_error(meaning->error_code, ""), std::nullopt, false},
                     "the upstream answered 200 with an error: " + meaning->error_message);
  }
  note_reply(exchange, *meaning);

  std::string headers = exchange.reply_headers(&target);
  net::append_header(headers, "content-type", "application/json");
  append_passed_headers(headers, head.headers);
  std::string_view bytes = *plain;
  const auto coding = head.headers.find("content-encoding");
  if (coding && bytes.data() != body->data()) {
    const auto accepted = exchange.http.head().headers.find("accept-encoding");
    if (accepts_coding(accepted.value_or(""), *coding)) {
      net::append_header(headers, "content-encoding", *coding);
      bytes = *body;
    }
  }
  exchange.end(Outcome::Ok, head.status);
  co_await exchange.reply(head.status, std::move(headers), bytes);
  co_return nullptr;
}

// A streamed reply was asked for and something else came.
Task<Answered> read_unstreamed(Exchange& exchange, net::CallReply reply) {
  Result<std::string_view> body = co_await reply.read_all(kLongestErrorBody, exchange.until());
  if (!body) co_return failed(body.error());
  Result<chat::Reply> meaning = openai::decode_reply(exchange.request.endpoint, *body);
  if (!meaning) co_return failed(meaning.error());
  if (!meaning->is_error) {
    co_return failed({Outcome::UpstreamBadReply, std::nullopt, false},
                     "the upstream answered a request for a stream without one");
  }
  co_return failed({openai::outcome_of_error(meaning->error_code, ""), std::nullopt, false},
                   "the upstream answered 200 with an error: " + meaning->error_message);
}

}  // namespace

Task<Result<net::CallReply>> call(Exchange& exchange, const routing::Target& target, Nanos began) {
  const providers::Upstream& upstream = *exchange.snapshot->upstreams[target.provider];
  const std::string head = request_head(exchange, upstream);
  const openai::EncodeOptions options{.model = target.model, .ask_usage = exchange.request.stream};
  const openai::Pieces body = openai::encode_request(exchange.request, options);
  const net::CallRequest request{.head = head, .body = body.slices(), .head_only = false};

  const Deadline deadline = exchange.shared.loop.after(upstream.total_timeout());
  net::CallTrace trace;
  Result<net::CallReply> called = co_await exchange.shared.client.call(
      upstream.origin(), request, upstream.timeouts(), exchange.until().earlier(deadline), trace);
  const Nanos heard = trace.first_byte_at != 0 ? trace.first_byte_at : exchange.now();
  exchange.add_upstream_time(heard - (trace.sent_at != 0 ? trace.sent_at : began));
  co_return called;
}

void append_passed_headers(std::string& out, const net::Headers& upstream) {
  for (const net::Header& header : upstream) {
    if (net::begins_with_name(header.name, "x-ratelimit-") ||
        net::begins_with_name(header.name, "openai-") ||
        net::begins_with_name(header.name, "retry-after")) {
      net::append_header(out, header.name, header.value);
    } else if (net::same_name(header.name, "x-request-id")) {
      net::append_header(out, "x-sluice-upstream-request-id", header.value);
    }
  }
}

Answered call_failure(Exchange& exchange, const routing::Target& target, const Error& error,
                      Nanos began) {
  const std::string& provider = exchange.snapshot->upstreams[target.provider]->name();
  Answered failure = failed(error);
  failure->failure.outcome = exchange.blame(error.outcome(), began, false);
  // The provider's own limit is over, the exchange's is not: another target still has time.
  const bool time_left = !exchange.until().deadline().passed(exchange.now());
  if (error.outcome() == Outcome::TotalTimeout && time_left) {
    failure->failure.outcome = Outcome::FirstByteTimeout;
  }
  failure->message = "provider '" + provider + "': " + failure->message;
  return failure;
}

Task<Answered> answer(Exchange& exchange, const routing::Target& target, Heart& heart,
                      net::CallReply reply) {
  const int status = reply.head().status;
  if (status < 200 || status > 299) return read_refusal(exchange, target, std::move(reply));
  if (!exchange.request.stream) return answer_buffered(exchange, target, std::move(reply));
  if (is_event_stream(reply.head().headers)) {
    return relay(exchange, target, heart, std::move(reply));
  }
  return read_unstreamed(exchange, std::move(reply));
}

}  // namespace sluice::gateway
