// What one exchange leaves behind: the source of its ledger row, its metrics and its access log
// line, so that the three can never disagree. Filled by the gateway while the exchange runs, handed
// to the Ledger once, at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/outcome.h"
#include "base/time.h"
#include "wire/chat.h"

namespace sluice::telemetry {

struct Price;        // price.h
class TargetMeters;  // meters.h: the metric cells of one (provider, model, alias)

// What an attempt that failed is paid for all the same.
struct Spent {
  chat::UsageSource source = chat::UsageSource::None;  // none: nobody knows what it used
  int64_t input = 0;                                   // tokens
  int64_t output = 0;
  std::optional<int64_t> cost;  // nano-dollars; nothing: nobody knows
};

// One call, or one try to call, an upstream.
struct Attempt {
  std::string target;  // "openai/gpt-5-mini"
  Outcome outcome = Outcome::Ok;
  int status = 0;  // HTTP status of the upstream; 0 if none came
  int64_t duration_micros = 0;
  // Absent: what it used is the record's own usage, or it failed and nothing is due.
  std::optional<Spent> spent = std::nullopt;
};

// Whose key asked: what is charged. Names as the configuration has them; no key: nobody in
// particular.
struct Caller {
  std::string organisation;
  std::string team;
  std::string key;
  std::string environment;
};

// What the request was for, as the caller says it: for cost by conversation or workflow. Bounded
// texts.
struct Attribution {
  std::string conversation;
  std::string session;
  std::string workflow;
  std::string execution;
  std::string mcp_server;
  std::string metadata;  // a JSON object of strings; empty: none

  bool empty() const {
    return conversation.empty() && session.empty() && workflow.empty() && execution.empty() &&
           mcp_server.empty() && metadata.empty();
  }
};

struct Record {
  uint64_t key = 0;        // primary key of the row; base/id.h
  std::string request_id;  // what the client sees as x-request-id
  std::string
      client_request_id;  // what the client sent as x-client-request-id or x-request-id, bounded
  std::string trace_id;   // 32 hex digits, from traceparent or made here
  int64_t started_micros = 0;  // wall clock, since 1970 UTC
  std::string
      endpoint;  // "chat", "completions", "embeddings", "responses.retrieve", ... or "other"
  std::string asked_model;  // as the client wrote it, bounded to 128 bytes
  std::string alias;        // tier or alias that was resolved; empty for a direct name
  std::string task;         // that was asked for or found; empty: none
  // Why these targets, in words: "task chat (x-sluice-task) -> tier2, in order". A common one is
  // one of few, written once.
  std::string reason;
  bool common_reason = false;
  std::string provider;        // of the attempt that answered, or the last one tried
  std::string model;           // likewise, as configured
  std::string answered_model;  // as the upstream's reply names it
  std::string user;
  Caller caller;
  bool counts_user = false;  // the end user has a budget or limits: what it spends is summed
  Attribution attribution;
  Outcome outcome = Outcome::Ok;
  int status = 0;  // HTTP status sent to the client; 499 if nobody was there
  bool stream = false;

  bool generates = true;  // false: the request asks for nothing that is charged by tokens
  // Of the last attempt, if it gave the client content. What others spent stands with them.
  chat::Usage usage;
  chat::UsageSource usage_source = chat::UsageSource::None;
  bool delivered = false;  // the last attempt gave the client content of a stream
  // What the caller's budgets hold for this request: what they are charged where nobody knows the
  // cost. 0: nothing is held.
  NanoDollars reserved = 0;
  // For models without a price, what their tokens count as against budgets; null: as reserved.
  const Price* ceiling = nullptr;

  // Durations in microseconds. ttft: until the first content reached us; absent if none did.
  int64_t duration_micros = 0;
  std::optional<int64_t> ttft_micros;
  int64_t upstream_micros = 0;  // spent waiting for upstreams
  int64_t overhead_micros =
      0;  // the gateway's own share: until the upstream had the request, plus replying
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t events = 0;  // SSE events forwarded

  std::vector<Attempt> attempts;
  std::string error;  // message for a person; never a secret

  const TargetMeters* meters =
      nullptr;  // of the answering target; null: unknown model, counted under "other"
};

}  // namespace sluice::telemetry
