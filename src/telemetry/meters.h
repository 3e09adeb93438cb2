// The metrics of exchanges. Labels come from the configuration and from closed lists, never from
// what a client sent (acceptance OBS-2).
//
// Cells are resolved when a configuration is loaded, not when a request ends; they live as long as
// the process.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "telemetry/price.h"
#include "telemetry/record.h"

namespace sluice::telemetry {

// How a request ended for the client: the label `outcome` of the request metrics.
enum class RequestResult : uint8_t {
  Ok,
  FallbackOk,  // answered by another target than the first one tried
  Error,
  Cancelled,  // the client went away
  Blocked,    // refused by a rule: who asks, or what they may
};
inline constexpr int kRequestResults = 5;
std::string_view name_of(RequestResult result);
RequestResult result_of(const Record& record);

// Why an attempt failed, coarsely: the label `cause`.
enum class Cause : uint8_t {
  RateLimit,
  Overloaded,
  Timeout,
  ServerError,
  Network,
  Auth,
  Rejected,
  BadReply,
  Cancelled,
};
inline constexpr int kCauses = 9;
std::string_view name_of(Cause cause);
Cause cause_of(Outcome outcome);

// The types of llm_tokens_total: no token is in two of them.
struct TokenCounts {
  int64_t input = 0;
  int64_t cached = 0;
  int64_t output = 0;
  int64_t reasoning = 0;
};
TokenCounts count_tokens(const chat::Usage& usage);

// The cells of one (provider, model, alias).
class TargetMeters {
 public:
  const std::string& provider() const { return provider_; }
  const std::string& model() const { return model_; }
  const std::string& alias() const { return alias_; }

  // Requests an upstream is working on. Call both on the lane's thread.
  void enter(unsigned lane) const { in_flight_.add(lane, 1); }
  void leave(unsigned lane) const { in_flight_.add(lane, -1); }

 private:
  friend class Meters;
  friend class Ledger;

  std::string provider_;
  std::string model_;
  std::string alias_;
  std::string vendor_;
  std::array<std::array<Counter, 2>, kRequestResults> requests_;
  std::array<Histogram, kRequestResults> duration_;
  std::array<Histogram, kRequestResults> first_token_;
  std::array<Histogram, kRequestResults> token_gap_;
  // [first, later][ok, error, cancelled]
  std::array<std::array<Histogram, 3>, 2> upstream_;
  Histogram cost_per_request_;
  Counter cost_;
  Counter unpriced_;
  Counter drift_;
  std::array<Counter, 4> tokens_;
  Counter attempts_;
  std::array<Counter, kCauses> errors_;
  std::array<Counter, kCauses> retries_;
  Gauge in_flight_;

  // Set by the ledger when prices change.
  mutable std::atomic<const Price*> price_ = nullptr;
  mutable std::atomic<uint32_t> price_notes_ = 0;
  mutable std::atomic<Terms> terms_ = Terms{};
  // Hash of the model last logged for having no price; 0: none.
  mutable std::atomic<uint64_t> unpriced_logged_ = 0;
  // Likewise for a price that the provider no longer keeps to.
  mutable std::atomic<uint64_t> drift_logged_ = 0;
  // Hash of the last answered model that has no price either; 0: none.
  mutable std::atomic<uint64_t> unpriced_answer_ = 0;
};

// What counters start from: the sums of earlier runs.
struct UsageBase {
  std::string provider;
  std::string model;
  std::string alias;
  RequestResult result = RequestResult::Ok;
  bool stream = false;
  int64_t requests = 0;
  int64_t unpriced = 0;
  TokenCounts tokens;
  NanoDollars cost = 0;
};

class Meters {
 public:
  explicit Meters(Registry& registry);

  // The same for the same four; made at the first call. A model "*" (any model of a provider)
  // has the label "other". Thread-safe, not for the hot path.
  const TargetMeters& target(std::string_view provider, std::string_view model,
                             std::string_view alias, std::string_view vendor = {});
  // Of requests that reached no configured target.
  const TargetMeters& other() const { return *other_; }
  template <class Visit>
  void for_each(Visit&& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& target : targets_) visit(*target);
  }

  // Before any exchange is counted.
  void start_from(const UsageBase& base);

  // Requires: called on the lane's own thread.
  void count(unsigned lane, const Record& record, const TargetMeters& meters,
             const Charge& charge) const;

 private:
  void resolve(TargetMeters& target);
  void count_stream(unsigned lane, const Record& record, const TargetMeters& meters,
                    RequestResult result) const;
  void count_attempts(unsigned lane, const Record& record, const TargetMeters& meters) const;
  const TargetMeters& named(std::string_view target) const;

  Registry& registry_;
  Histogram overhead_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<TargetMeters>> targets_;
  std::unordered_map<std::string, TargetMeters*> by_key_;
  std::unordered_map<std::string, TargetMeters*> by_name_;  // "provider/model", any alias
  const TargetMeters* other_ = nullptr;
};

}  // namespace sluice::telemetry
