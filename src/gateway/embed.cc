#include "gateway/embed.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/body.h"
#include "wire/cortex_embed.h"
#include "wire/openai_write_embeddings.h"

namespace sluice::gateway {

namespace {

// One caller of a batch. Lives in the caller's coroutine, or is gone.
struct Member {
  std::vector<std::string> inputs;
  int64_t estimated_tokens = 0;
  net::Bell bell;
  // Its part of the answer, or why there is none.
  std::optional<cortex::EmbedReply> part;
  std::unique_ptr<AttemptFailure> failure;
};

}  // namespace

struct EmbedBatch {
  Shared& shared;
  std::shared_ptr<const Snapshot> snapshot;  // keeps the upstream
  const providers::Upstream& upstream;
  size_t key;
  net::CallTimeouts timeouts;
  Nanos total;
  std::string model;
  std::vector<std::shared_ptr<Member>> members;  // those that left: only this holds them
  size_t texts = 0;
  net::Bell full;
  std::string storage;  // of the reply's body: the parts point into it
};

namespace {

bool left(const std::shared_ptr<Member>& member) {
  return member.use_count() == 1;
}

void fail_all(EmbedBatch& batch, const AttemptFailure& failure) {
  for (const std::shared_ptr<Member>& member : batch.members) {
    member->failure = std::make_unique<AttemptFailure>(failure.failure, failure.message);
    member->bell.ring();
  }
}

void share_out(EmbedBatch& batch, const cortex::EmbedReply& whole) {
  std::vector<cortex::EmbedShare> shares;
  for (const std::shared_ptr<Member>& member : batch.members) {
    shares.push_back(
        {.inputs = member->inputs.size(), .estimated_tokens = member->estimated_tokens});
  }
  std::vector<cortex::EmbedReply> parts = cortex::split_embed_reply(whole, shares);
  for (size_t i = 0; i < parts.size(); ++i) {
    batch.members[i]->part = std::move(parts[i]);
    batch.members[i]->bell.ring();
  }
}

AttemptFailure refusal_of(const EmbedBatch& batch, int status, const net::Headers& headers,
                          std::string_view body) {
  const providers::Upstream& upstream = batch.upstream;
  const providers::UpstreamFailure refusal =
      upstream.classify(status, headers, body, batch.shared.loop.wall_micros());
  std::string message =
      "provider '" + upstream.name() + "' answered with status " + std::to_string(status);
  if (!refusal.message.empty()) message += ": " + refusal.message;
  return AttemptFailure({.outcome = refusal.outcome,
                         .retry_after = refusal.retry_after,
                         .lasting = refusal.lasting,
                         .status = status},
                        std::move(message));
}

// The texts of all callers in one body.
Result<std::string> request_head(const EmbedBatch& batch) {
  std::string head;
  const std::string request_id =
      batch.shared.ids.request_id(batch.shared.ids.next_key(batch.shared.loop.wall_micros()));
  const providers::Attempt attempt{.call = providers::Call::CortexEmbed,
                                   .key = batch.key,
                                   .wall_micros = batch.shared.loop.wall_micros(),
                                   .model = batch.model,
                                   .timeout = batch.timeouts.first_byte};
  const net::Headers nothing;
  if (Result<void> written = batch.upstream.append_head(head, attempt, nothing); !written) {
    return std::move(written).error();
  }
  net::append_header(head, "x-request-id", request_id);
  return head;
}

// Null: the parts have been given out.
Task<Answered> call_once(EmbedBatch& batch) {
  std::vector<std::string> inputs;
  for (const std::shared_ptr<Member>& member : batch.members) {
    inputs.insert(inputs.end(), member->inputs.begin(), member->inputs.end());
  }
  const Result<std::string> head = request_head(batch);
  if (!head) co_return failed(head.error());
  const std::string body = cortex::write_embed_request(inputs, batch.model);
  const std::array<std::string_view, 1> slices{body};
  const net::CallRequest request{.head = *head, .body = slices, .head_only = false};
  const Until until(batch.shared.loop.after(batch.total));
  net::CallTrace trace;
  Result<net::CallReply> called = co_await batch.shared.client.call(
      batch.upstream.origin(), request, batch.timeouts, until, trace);
  if (!called) {
    Answered failure = failed(called.error());
    failure->failure.unsent = !trace.request_sent;
    co_return failure;
  }
  const int status = called->head().status;
  Result<std::string_view> raw = co_await called->read_all(batch.snapshot->max_reply, until);
  if (!raw) co_return failed(raw.error());
  const net::Headers& headers = called->head().headers;
  Result<std::string_view> plain = plain_body(headers, *raw, batch.snapshot->max_reply,
                                              Outcome::UpstreamBadReply, batch.storage);
  if (!plain) co_return failed(plain.error());
  if (status < 200 || status > 299) {
    co_return std::make_unique<AttemptFailure>(refusal_of(batch, status, headers, *plain));
  }
  // The parts outlive the reply.
  if (plain->data() != batch.storage.data()) batch.storage = std::string(*plain);
  const Result<cortex::EmbedReply> whole = cortex::read_embed_reply(batch.storage, inputs.size());
  if (!whole) co_return failed(whole.error());
  share_out(batch, *whole);
  co_return nullptr;
}

Task<void> run(std::shared_ptr<EmbedBatch> batch, Nanos wait, std::string key) {
  if (wait > 0) {
    const Until company(batch->shared.loop.after(wait));
    [[maybe_unused]] const net::Wake woken =
        co_await batch->full.listen(batch->shared.loop, company);
  }
  auto& open = batch->shared.embeds->open;
  if (const auto own = open.find(key); own != open.end() && own->second == batch) open.erase(own);
  std::erase_if(batch->members, left);
  if (batch->members.empty()) co_return;
  const Answered failure = co_await call_once(*batch);
  if (failure) fail_all(*batch, *failure);
}

std::shared_ptr<EmbedBatch> join(Exchange& exchange, const Way& way,
                                 const std::shared_ptr<Member>& member) {
  Shared& shared = exchange.shared;
  if (shared.embeds == nullptr) shared.embeds = std::make_shared<EmbedBatches>();
  const std::string key = name_of(way) + "#" + std::to_string(way.key) + "@" +
                          std::to_string(exchange.snapshot->revision);
  auto& open = shared.embeds->open;
  const size_t most = static_cast<size_t>(way.upstream.embed_batch());
  auto found = open.find(key);
  if (found != open.end() && found->second->texts + member->inputs.size() > most) {
    found->second->full.ring();
    open.erase(found);
    found = open.end();
  }
  std::shared_ptr<EmbedBatch> batch;
  if (found != open.end()) {
    batch = found->second;
  } else {
    batch = std::make_shared<EmbedBatch>(EmbedBatch{.shared = shared,
                                                    .snapshot = exchange.snapshot,
                                                    .upstream = way.upstream,
                                                    .key = way.key,
                                                    .timeouts = way.timeouts,
                                                    .total = way.total,
                                                    .model = way.target.model,
                                                    .members = {},
                                                    .texts = 0,
                                                    .full = {},
                                                    .storage = {}});
    open.emplace(key, batch);
    const Nanos wait = most > 1 ? way.upstream.embed_wait() : 0;
    batch->members.push_back(member);
    batch->texts = member->inputs.size();
    shared.loop.tasks().spawn(run(batch, batch->texts < most ? wait : 0, key));
    return batch;
  }
  batch->members.push_back(member);
  batch->texts += member->inputs.size();
  if (batch->texts >= most) batch->full.ring();
  return batch;
}

void note_usage(Exchange& exchange, const cortex::EmbedReply& part) {
  telemetry::Record& record = exchange.record;
  record.answered_model = part.model.substr(0, 128);
  if (part.tokens) {
    record.usage = {};
    record.usage.plain_input = *part.tokens;
    record.usage_source = chat::UsageSource::Reported;
  } else {
    record.usage = chat::estimate_usage(exchange.request.prompt_bytes, 0, std::nullopt);
    record.usage_source = chat::UsageSource::Estimated;
  }
}

}  // namespace

Task<Answered> embed(Exchange& exchange, const Way& way, routing::AttemptPlan& plan) {
  Result<openai::EmbeddingsCall> asked = openai::read_embeddings(exchange.body);
  if (!asked) co_return failed(asked.error());
  if (Result<void> accepted = exchange.accept_losses(way, std::move(asked->unmapped)); !accepted) {
    co_return failed(accepted.error());
  }
  auto member = std::make_shared<Member>();
  for (const std::string& input : asked->inputs) {
    member->estimated_tokens += chat::estimate_tokens(static_cast<int64_t>(input.size()));
  }
  member->inputs = std::move(asked->inputs);
  const Nanos began = exchange.now();
  const std::shared_ptr<EmbedBatch> batch = join(exchange, way, member);
  const net::Wake woken = co_await member->bell.listen(exchange.shared.loop, exchange.until());
  exchange.add_upstream_time(exchange.now() - began);
  if (!member->part && !member->failure) {
    const Outcome why =
        woken == net::Wake::Cancelled ? exchange.http.cancel().why() : Outcome::TotalTimeout;
    co_return failed({.outcome = why, .retry_after = std::nullopt},
                     "no answer came while the client waited");
  }
  if (member->failure) co_return std::move(member->failure);
  plan.succeeded(exchange.now());
  exchange.key_accepted(way);
  note_usage(exchange, *member->part);
  const std::string reply = openai::write_embeddings(
      {.vectors = member->part->vectors, .model = way.target.model, .tokens = member->part->tokens},
      asked->base64);
  std::string headers = exchange.reply_headers(&way);
  net::append_header(headers, "content-type", "application/json");
  exchange.end(Outcome::Ok, 200);
  exchange.append_cost(headers);
  co_await exchange.reply(200, std::move(headers), reply);
  co_return nullptr;
}

}  // namespace sluice::gateway
