// The lab: a fake provider of several dialects (lab_face.h), fast and deterministic, with every
// fault a provider can show on demand (lab_faults.h) and a meter of its own (lab_meter.h). Every
// reply says in its system_fingerprint that no model was asked. docs/lab.md is its manual.
//
// A Lab is the Handler of one loop; several may share a LabState, from several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <simdjson.h>
#include <string>
#include <string_view>

#include "net/server.h"
#include "providers/lab_esc.h"
#include "providers/lab_face.h"
#include "providers/lab_memory.h"
#include "providers/lab_meter.h"
#include "providers/lab_options.h"
#include "providers/lab_prompt_cache.h"
#include "providers/lab_request_log.h"
#include "providers/lab_responses.h"
#include "providers/lab_sql.h"

namespace sluice::providers {

struct LabState {
  LabOptions options;
  LabMeter meter;
  LabMemory memory;
  LabPromptCache prompts;
  LabResponses responses;
  LabRequestLog log;
  LabEsc esc;
  LabSql sql;
  std::atomic<uint64_t> requests{0};
};

class Lab final : public net::Handler {
 public:
  // `state` must outlive the lab. The same seed gives the same replies.
  explicit Lab(LabState& state, uint64_t seed = 0) : state_(state), seed_(seed) {}

  Task<void> handle(net::ServerExchange& exchange) override;
  std::string refuse(Outcome outcome, std::string_view reason) override;

 private:
  // The lab's own pages; empty type: `path` is none.
  struct Page {
    std::string_view type;
    std::string body;
  };
  Page page(std::string_view path, std::string_view query) const;
  Task<void> stored(net::ServerExchange& exchange, const LabRoute& route);
  Task<void> esc(net::ServerExchange& exchange);
  // Snowflake's SQL API; `handle`: behind the path, or empty.
  Task<void> sql(net::ServerExchange& exchange, std::string_view handle);
  Task<void> get(net::ServerExchange& exchange, const LabRoute& route);
  Task<void> reply_error(net::ServerExchange& exchange, const LabFace& face,
                         std::string_view headers, LabError error);

  LabState& state_;
  const uint64_t seed_;
  simdjson::dom::parser parser_;
};

}  // namespace sluice::providers
