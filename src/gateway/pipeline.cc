#include "gateway/pipeline.h"

#include <algorithm>
#include <exception>

#include "gateway/admit.h"
#include "gateway/attribution.h"
#include "gateway/body.h"
#include "gateway/caller.h"
#include "gateway/dispatch.h"
#include "gateway/face.h"
#include "gateway/routing_facts.h"
#include "gateway/way.h"
#include "wire/anthropic.h"

namespace sluice::gateway {
namespace {

constexpr std::string_view kNoEndpoint = "other";

// Bytes of the request, out of their content coding.
Result<void> take_body(Exchange& exchange, std::string_view body) {
  Result<std::string_view> plain =
      plain_body(exchange.http.head().headers, body, exchange.snapshot->max_body,
                 Outcome::BadRequest, exchange.decoded_body);
  if (!plain) return std::move(plain).error();
  exchange.body = *plain;
  if (exchange.copy != nullptr) exchange.copy->asked(*plain);
  return {};
}

[[gnu::noinline]] Task<Result<void>> read_body(Exchange& exchange) {
  const Nanos began = exchange.now();
  Result<std::string_view> body = co_await exchange.http.body();
  exchange.add_client_time(exchange.now() - began);
  if (!body && body.error().outcome() == Outcome::TooLarge) {
    co_return Error(Outcome::TooLarge, body.error().message() + ": over " +
                                           std::to_string(exchange.snapshot->max_body) +
                                           " bytes (server.max_body)");
  }
  if (!body) co_return std::move(body).error();
  co_return take_body(exchange, *body);
}

Result<void> decode(Exchange& exchange) {
  if (exchange.stored != nullptr) return read_stored(exchange);
  Result<chat::Request> request = decode_request(exchange.request.endpoint, exchange.body);
  if (!request) return std::move(request).error();
  exchange.request = *std::move(request);
  exchange.record.asked_model = exchange.request.model.substr(0, 128);
  exchange.record.user = exchange.request.user.substr(0, 128);
  exchange.record.stream = exchange.request.stream;
  note_attribution(exchange);
  return {};
}

// The whole exchange's end: the longest that one of its targets may take, or what the client said.
void set_deadline(Exchange& exchange) {
  Nanos longest = 0;
  for (const routing::Target& target : exchange.route->targets) {
    longest = std::max(longest, exchange.snapshot->upstreams[target.provider]->total_timeout());
  }
  exchange.set_time_limit(std::min(longest, exchange.wishes().timeout.value_or(longest)));
}

// For targets that cannot count: a count of ours, which costs nothing (acceptance AG-2).
bool counts_itself(const Exchange& exchange) {
  const std::vector<routing::Target>& targets = exchange.route->targets;
  return exchange.request.endpoint != chat::Endpoint::CountTokens ||
         find_way(exchange, targets.front());
}

[[gnu::noinline]] Task<void> count_tokens(Exchange& exchange) {
  const Result<const chat::Conversation*> conversation = exchange.conversation();
  if (!conversation) {
    co_await exchange.fail(conversation.error());
    co_return;
  }
  const std::string& model = exchange.route->targets.front().model;
  const tokens::Count count = exchange.shared.tokens.prompt(model, **conversation);
  const std::string body = anthropic::encode_count(count.tokens);
  std::string headers = exchange.reply_headers(nullptr);
  net::append_header(headers, "content-type", "application/json");
  net::append_header(headers, "x-sluice-estimate", count.exact ? "false" : "true");
  exchange.end(Outcome::Ok, 200);
  co_await exchange.reply(200, std::move(headers), body);
}

Task<void> run_gates(Exchange& exchange) {
  // 1. Who asks: for strangers nothing is read.
  Result<void> passed = identify(exchange);
  if (passed) passed = check_endpoint(exchange);
  if (!passed) {
    co_await exchange.fail(passed.error());
    co_return;
  }
  // 2. What the client wants of us: a wish that is not understood is not to be guessed.
  if (!exchange.wished()) {
    const Error error(exchange.wished().error().outcome(), exchange.wished().error().message(),
                      exchange.wished().error().param());
    co_await exchange.fail(error);
    co_return;
  }
  // 3. The body, within its limits: nothing can be said about a request that is not here.
  if (exchange.http.body_arrived()) {
    passed = take_body(exchange, exchange.http.arrived_body());
  } else {
    passed = co_await read_body(exchange);
  }
  // 4. Its meaning: every later gate works on the middle form.
  if (passed) passed = decode(exchange);
  // 5. Its targets: an unknown model is refused before anything is spent on it. A body takes its
  // time to arrive; what the configuration named at its start may not be callable any more.
  if (passed) exchange.snapshot = exchange.shared.snapshot;
  if (passed) passed = exchange.stored ? find_maker(exchange) : find_route(exchange);
  // 6. What the key may use of them; and whether the caller's limits and budgets have room.
  std::string limits;
  if (passed) passed = check_route(exchange);
  if (passed) passed = admit(exchange, limits);
  if (passed && exchange.admission.lacks()) passed = co_await ask_others(exchange, limits);
  if (passed) set_deadline(exchange);
  if (!passed) {
    co_await exchange.fail(passed.error(), std::move(limits));
    co_return;
  }
  if (!counts_itself(exchange)) {
    co_await count_tokens(exchange);
    co_return;
  }
  // 7. The answer, from the first target that gives one.
  co_await dispatch(exchange);
}

[[gnu::noinline]] std::string words_of(const std::exception_ptr& bug) {
  try {
    std::rethrow_exception(bug);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of no known type";
  }
}

// The text of an exception may hold anything, so it goes to the ledger and not to the client.
[[gnu::noinline]] Task<void> note_bug(Exchange& exchange, std::exception_ptr bug) {
  const Error error(Outcome::Bug,
                    "the gateway failed to handle this request; it is noted under its id");
  co_await exchange.fail(error);
  exchange.end(Outcome::Bug, http_status_of(Outcome::Bug), words_of(bug));
}

// `stored` is null but for a request about a stored response.
Task<void> serve_one(Shared& shared, net::ServerExchange& http, chat::Endpoint endpoint,
                     const StoredCall* stored) {
  Exchange exchange(shared, http, endpoint);
  if (stored != nullptr) {
    exchange.stored = std::make_unique<StoredRequest>(*stored);
    exchange.record.endpoint = stored->name;
    exchange.record.generates = false;
  }
  std::exception_ptr bug;
  try {
    co_await run_gates(exchange);
  } catch (...) {
    bug = std::current_exception();
  }
  if (bug) co_await note_bug(exchange, std::move(bug));
}

}  // namespace

Task<void> serve(Shared& shared, net::ServerExchange& http, chat::Endpoint endpoint) {
  return serve_one(shared, http, endpoint, nullptr);
}

Task<void> serve_stored(Shared& shared, net::ServerExchange& http, const StoredCall& call) {
  return serve_one(shared, http, chat::Endpoint::Responses, &call);
}

Task<void> refuse(Shared& shared, net::ServerExchange& http, Error error, std::string headers) {
  const bool anthropic = http.head().headers.find("anthropic-version").has_value();
  Exchange exchange(shared, http, anthropic ? chat::Endpoint::Messages : chat::Endpoint::Chat);
  exchange.record.endpoint = kNoEndpoint;
  co_await exchange.fail(error, std::move(headers));
}

void book_refusal(Shared& shared, const Error& error) {
  telemetry::Record record;
  record.started_micros = shared.loop.wall_micros();
  record.key = shared.ids.next_key(record.started_micros);
  record.request_id = shared.ids.request_id(record.key);
  record.trace_id = shared.ids.trace_id();
  record.endpoint = kNoEndpoint;
  record.outcome = error.outcome();
  record.status = http_status_of(error.outcome());
  record.error = error.message();
  shared.ledger.finish(shared.lane, record);
}

}  // namespace sluice::gateway
