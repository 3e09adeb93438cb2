#include "gateway/attempt.h"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "gateway/body.h"
#include "gateway/limit_headers.h"
#include "gateway/relay.h"
#include "gateway/translation.h"
#include "providers/reply_headers.h"

namespace sluice::gateway {
namespace {

// An error reply longer than this is not read to its end.
constexpr uint64_t kLongestErrorBody = 1 << 20;

Result<void> append_request_head(Exchange& exchange, const Way& way, std::string& head) {
  head.reserve(512);
  const std::array<providers::Fact, 2> facts{
      providers::Fact{"request_id", exchange.record.request_id},
      providers::Fact{"_user", exchange.record.user}};
  const bool has_user = !exchange.record.user.empty();
  const StoredRequest* const stored = exchange.stored.get();
  const providers::Attempt attempt{
      .call = way.call,
      .method = stored != nullptr ? stored->call.method : "POST",
      .below = stored != nullptr ? std::string_view(stored->below) : std::string_view(),
      .key = way.key,
      .wall_micros = exchange.shared.loop.wall_micros(),
      .stream = exchange.request.stream,
      .model = way.target.model,
      .trace_id = exchange.record.trace_id,
      .facts = std::span<const providers::Fact>(facts.data(), has_user ? 2 : 1),
      .timeout = way.timeouts.first_byte};
  if (Result<void> written = way.upstream.append_head(head, attempt, exchange.http.head().headers);
      !written) {
    return written;
  }
  exchange.append_traceparent(head);
  net::append_header(head, "x-request-id", exchange.record.request_id);
  return {};
}

bool is_event_stream(const net::Headers& headers) {
  const auto type = headers.find("content-type");
  return type && net::begins_with_name(*type, "text/event-stream");
}

// Clients know a prompt that is too long by one code, or by these words (RET-3).
bool tells_overflow(bool anthropic, const providers::UpstreamFailure& refusal) {
  if (!anthropic) return refusal.code == "context_length_exceeded";
  return refusal.message.find("prompt is too long") != std::string::npos ||
         refusal.message.find("exceed context limit") != std::string::npos;
}

// The upstream's envelope is one that this client's dialect has, and its words are the dialect's.
bool fits(chat::Endpoint endpoint, const providers::UpstreamFailure& refusal) {
  const bool anthropic =
      endpoint == chat::Endpoint::Messages || endpoint == chat::Endpoint::CountTokens;
  const auto own = anthropic ? providers::ErrorShape::Anthropic : providers::ErrorShape::OpenAi;
  return refusal.shape == own && (!refusal.overflow || tells_overflow(anthropic, refusal));
}

// A prompt that is too long is told in the words clients look for, with the numbers (RET-3).
std::string overflow_words(const providers::Overflow& overflow) {
  if (!overflow.limit) return "prompt is too long";
  if (!overflow.tokens) return fmt::format("prompt is too long: over {} tokens", *overflow.limit);
  return fmt::format("prompt is too long: {} tokens > {} maximum", *overflow.tokens,
                     *overflow.limit);
}

Answered failure_of(Exchange& exchange, const Way& way, int status, const net::Headers& headers,
                    std::string_view text) {
  const providers::Upstream& upstream = way.upstream;
  providers::UpstreamFailure refusal =
      upstream.classify(status, headers, text, exchange.shared.loop.wall_micros());
  std::string message = "provider '" + upstream.name() + "' ";
  if (refusal.outcome == Outcome::UpstreamAuth) {
    message += upstream.has_key() ? "refused the key it was given" : "wants a key, and has none";
    message += " (status " + std::to_string(status) + ")";
  } else if (refusal.overflow) {
    message = overflow_words(*refusal.overflow);
    if (!refusal.overflow->limit && !refusal.message.empty()) message += ": " + refusal.message;
  } else {
    message += "answered with status " + std::to_string(status);
    if (status < 300) message += " and an error";
    if (!refusal.message.empty()) message += ": " + refusal.message;
  }
  Answered failure = failed({.outcome = refusal.outcome,
                             .retry_after = refusal.retry_after,
                             .lasting = refusal.lasting,
                             .status = status},
                            std::move(message));
  failure->other_key =
      refusal.blames_key || (refusal.outcome == Outcome::UpstreamRateLimit && !refusal.lasting);
  exchange.note_key(way, upstream.note_failure(way.key, refusal, exchange.now()));
  failure->wanted = refusal.wanted;
  if (fits(exchange.request.endpoint, refusal) && status >= 300) {
    failure->body = upstream.scrub(std::string(text));
  } else if (exchange.stored != nullptr && status == 404) {
    failure->failure.outcome = Outcome::NotFound;  // it does not say so in the client's dialect
  }
  providers::append_passed_headers(failure->headers, upstream.kind(), headers,
                                   pass_limits(exchange));
  return failure;
}

Task<Answered> read_refusal(Exchange& exchange, const Way& way, net::CallReply reply) {
  const int status = reply.head().status;
  Result<std::string_view> body = co_await reply.read_all(kLongestErrorBody, exchange.until());
  std::string storage;
  std::string_view text;
  if (body) {
    const Result<std::string_view> plain = plain_body(
        reply.head().headers, *body, kLongestErrorBody, Outcome::UpstreamBadReply, storage);
    if (plain) text = *plain;
  }
  co_return failure_of(exchange, way, status, reply.head().headers, text);
}

void note_reply(Exchange& exchange, const Way& way, chat::Reply& reply) {
  exchange.record.answered_model = reply.model.substr(0, 128);
  if (exchange.request.endpoint == chat::Endpoint::CountTokens) return;  // it is free
  if (reply.usage) {
    exchange.record.usage = *reply.usage;
    exchange.record.usage_source = chat::UsageSource::Reported;
  } else if (exchange.request.endpoint != chat::Endpoint::Embeddings || reply.has_content) {
    exchange.record.usage = chat::estimate_usage(exchange.request.prompt_bytes, reply.output_bytes,
                                                 exchange.request.max_output_tokens);
    exchange.record.usage_source = chat::UsageSource::Estimated;
  }
  exchange.remember_response(way, reply.response_id, reply.item_ids);
}

// What was read again was counted when it was made.
void note_stored(const Exchange& exchange) {
  if (exchange.stored->call.deletes) exchange.snapshot->pins->forget(exchange.stored->id);
}

// The reply's bytes go on as they came, in their content coding if the client can read it.
Task<Answered> answer_buffered(Exchange& exchange, const Way& way, routing::AttemptPlan& plan,
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
  Decoded decoded;
  if (Result<void> read = decode(exchange, way, *plain, decoded); !read) {
    co_return failed(read.error());
  }
  if (decoded.facts.is_error) {
    co_return failure_of(exchange, way, head.status, head.headers, *plain);
  }
  plan.succeeded(exchange.now());
  exchange.key_accepted(way);
  if (exchange.stored != nullptr) {
    note_stored(exchange);
  } else {
    note_reply(exchange, way, decoded.facts);
  }

  std::string headers = exchange.reply_headers(&way);
  net::append_header(headers, "content-type", "application/json");
  providers::append_passed_headers(headers, way.upstream.kind(), head.headers,
                                   pass_limits(exchange));
  std::string_view bytes = decoded.bytes;
  const auto coding = head.headers.find("content-encoding");
  const bool untouched = bytes.data() == plain->data() && plain->data() != body->data();
  // What is kept is to be readable.
  if (coding && untouched && exchange.copy == nullptr) {
    const auto accepted = exchange.http.head().headers.find("accept-encoding");
    if (accepts_coding(accepted.value_or(""), *coding)) {
      net::append_header(headers, "content-encoding", *coding);
      bytes = *body;
    }
  }
  const int status = exchange.stored != nullptr ? head.status : 200;
  exchange.end(Outcome::Ok, status);
  exchange.append_cost(headers);
  co_await exchange.reply(status, std::move(headers), bytes);
  co_return nullptr;
}

// A streamed reply was asked for and something else came.
Task<Answered> read_unstreamed(Exchange& exchange, const Way& way, net::CallReply reply) {
  Result<std::string_view> body = co_await reply.read_all(kLongestErrorBody, exchange.until());
  if (!body) co_return failed(body.error());
  Decoded decoded;
  if (Result<void> read = decode(exchange, way, *body, decoded); !read) {
    co_return failed(read.error());
  }
  if (decoded.facts.is_error) {
    co_return failure_of(exchange, way, reply.head().status, reply.head().headers, *body);
  }
  co_return failed({.outcome = Outcome::UpstreamBadReply, .retry_after = std::nullopt},
                   "the upstream answered a request for a stream without one");
}

}  // namespace

Task<Result<net::CallReply>> call(Exchange& exchange, const Way& way, Nanos began) {
  std::string head;
  if (Result<void> written = append_request_head(exchange, way, head); !written) {
    co_return std::move(written).error();
  }
  Encoded body;
  if (Result<void> encoded = encode(exchange, way, body); !encoded) {
    co_return std::move(encoded).error();
  }
  if (Result<void> accepted = exchange.accept_losses(way, std::move(body.dropped)); !accepted) {
    co_return std::move(accepted).error();
  }
  const net::CallRequest request{.head = head, .body = body.pieces.slices(), .head_only = false};
  const Deadline deadline = exchange.shared.loop.after(way.total);
  net::CallTrace trace;
  Result<net::CallReply> called = co_await exchange.shared.client.call(
      way.upstream.origin(), request, way.timeouts, exchange.until().earlier(deadline), trace);
  const Nanos heard = trace.first_byte_at != 0 ? trace.first_byte_at : exchange.now();
  exchange.add_upstream_time(heard - (trace.sent_at != 0 ? trace.sent_at : began));
  exchange.set_unsent(!called && !trace.request_sent);
  co_return called;
}

Answered call_failure(Exchange& exchange, const Way& way, const Error& error, Nanos began) {
  Answered failure = failed(error);
  failure->failure.outcome = exchange.blame(error.outcome(), began, false);
  failure->failure.unsent = exchange.unsent();
  // The provider's own limit is over, the exchange's is not: another target still has time.
  const bool time_left = !exchange.until().deadline().passed(exchange.now());
  const bool total = error.outcome() == Outcome::TotalTimeout;
  if (total && (time_left || exchange.client_gave_up())) {
    failure->failure.outcome = Outcome::FirstByteTimeout;
  }
  failure->message = "provider '" + way.upstream.name() + "': " + failure->message;
  return failure;
}

Task<Answered> answer(Exchange& exchange, const Way& way, routing::AttemptPlan& plan, Heart& heart,
                      net::CallReply reply, Nanos began) {
  const int status = reply.head().status;
  exchange.note_intermediary(way, reply.head().headers);
  if (status < 200 || status > 299) return read_refusal(exchange, way, std::move(reply));
  const bool comes_as_stream = is_event_stream(reply.head().headers);
  // A stored response is streamed where its provider does that.
  const bool streams = exchange.stored != nullptr ? comes_as_stream : exchange.request.stream;
  if (!streams) return answer_buffered(exchange, way, plan, std::move(reply));
  if (comes_as_stream) {
    return relay(exchange, way, plan, heart, std::move(reply), began);
  }
  return read_unstreamed(exchange, way, std::move(reply));
}

}  // namespace sluice::gateway
