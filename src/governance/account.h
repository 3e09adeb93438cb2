// The live side of one subject - an organisation, a team, a key or an end user: what it has spent,
// what requests in flight may still cost it, and what it took in the last minute.
//
// A request takes before it is sent and settles when it has ended, so that requests which run side
// by side cannot together pass a limit that each alone would keep (acceptance BUD-1, RL-2). Any
// thread; nothing is done under the lock but arithmetic.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "governance/lease.h"
#include "governance/policy.h"
#include "governance/share_script.h"
#include "governance/sliding_minute.h"
#include "governance/spend.h"

namespace sluice::governance {

// One moment on both clocks.
struct Moment {
  Nanos monotonic = 0;
  int64_t wall_micros = 0;
  int64_t second() const { return monotonic / kSecond; }
};

// What a request may come to, at worst.
struct Ask {
  NanoDollars cost = 0;
  int64_t tokens = 0;
};

// What it did come to.
struct Used {
  NanoDollars cost = 0;
  int64_t tokens = 0;
  int64_t ended_micros = 0;  // wall clock: whose day and month it counts for
};

enum class LimitKind : uint8_t { Requests, Tokens, Parallel, Budget };
// "requests", "tokens", "parallel", "budget".
std::string_view name_of(LimitKind kind);

// Which limit stands in the way, and since it does: when to come again.
struct Refusal {
  LimitKind kind = LimitKind::Requests;
  Level level = Level::Key;
  std::string subject;
  std::string budget;  // name of the rule
  Period period = Period::Month;
  Step step = Step::Block;  // of a budget: Block or CacheOnly
  int64_t limit = 0;        // nano-dollars, requests or tokens
  int64_t used = 0;         // likewise; of a budget with what is reserved
  // Until it may pass; nothing: not by waiting.
  std::optional<int64_t> retry_seconds;
  int64_t resets_micros = 0;  // of a budget: the end of its period; INT64_MAX: never
  bool shadow = false;
  // No refusal yet: this instance's part is used up, the others may have left some.
  bool ask_others = false;
};

// What waits for a larger part of an account's limits.
struct Waiting {
  Ask sum;
  int64_t requests = 0;
  int64_t most_tokens = 0;  // of one
};

// How near its limits a subject is: what headers tell. Of a limit in shadow, nothing.
struct Allowance {
  std::optional<int64_t> limit;
  int64_t remaining = 0;
  int64_t reset_seconds = 0;  // until all of it is there again
};

struct Allowances {
  Allowance requests;
  Allowance tokens;
};

// How far a budget is used, and what that means for this request.
struct BudgetState {
  std::string name;
  Level level = Level::Key;
  std::string subject;
  Period period = Period::Month;
  NanoDollars limit = 0;
  NanoDollars spent = 0;
  NanoDollars reserved = 0;  // by requests in flight
  int64_t resets_micros = 0;
  Step step = Step::None;
  bool hard = true;
  std::string cheaper;
  int64_t output_limit = 0;
  // Of 1000, rounded down; over 1000 where more was spent than the limit.
  int64_t used_permille() const;
};

// What a subject wants to know of a request before it lets it in.
struct Demands {
  bool tokens = false;      // a limit counts them
  bool cost = false;        // a budget counts it
  bool known_cost = false;  // one that refuses: not by a guess
  bool told = false;        // callers are told what is left of a minute
  friend bool operator==(const Demands&, const Demands&) = default;
};

// A budget that has just passed an alert mark of its period for the first time (acceptance OBS-7).
struct Crossing {
  BudgetState state;
  int32_t permille = 0;  // 500, 800 or 1000
};

class Account : public std::enable_shared_from_this<Account> {
 public:
  // `subject`: the name people know it by. `peers`: of the instances that share its limits, which
  // outlive it; null: there are none.
  Account(Level level, std::string subject, Peers* peers = nullptr)
      : level_(level), subject_(std::move(subject)), peers_(peers) {}

  Level level() const { return level_; }
  const std::string& subject() const { return subject_; }

  // What the ledger says it has spent. Before its first request.
  void seed(std::span<const QuarterSpend> quarters, NanoDollars total);
  // Takes the place of the policy before it; what was spent and taken stays.
  // Requires: the rules' time zones are known.
  void use(const Policy& policy, int64_t wall_micros);

  // All or nothing. On a refusal nothing is held; in shadow nothing is refused, and `would_refuse`
  // gets what would have been. Refusal::ask_others: after asking them it is worth trying again.
  std::optional<Refusal> take(const Ask& ask, Moment now, std::vector<Refusal>* would_refuse);
  // Another part of the cost of a request that was taken: held with it from now on.
  std::optional<Refusal> hold_more(NanoDollars cost, Moment now);
  void hold_less(NanoDollars cost);
  // Undoes take(): the request was never sent.
  void give_back(const Ask& ask, Moment taken);
  // Ends what take() began. `crossings` gets the marks that this passes.
  void settle(const Ask& ask, Moment taken, const Used& used, Moment now,
              std::vector<Crossing>* crossings);
  // Money spent that no take() announced: repriced rows.
  void add_spend(NanoDollars amount, int64_t wall_micros);

  // Whether so much is left of every limit that a rough count of tokens will do: if this request,
  // and all others that are held, came to `times` as much, none would be overrun.
  bool is_ample(const Ask& ask, int64_t times, Moment now) const;
  Demands demands() const { return demands_.load(std::memory_order_relaxed); }
  // In a window of a Period of which no more than Spend::kKeptQuarters have passed.
  NanoDollars spent(const Window& window) const;
  std::vector<BudgetState> budgets(int64_t wall_micros) const;
  // The hardest step of its budgets for a request that comes now; the state it comes from.
  std::optional<BudgetState> step(int64_t wall_micros) const;
  Allowances allowances(Moment now) const;
  int64_t in_flight() const;
  NanoDollars reserved() const;

  // For SharedLimits: what to tell the others and to ask of them. `busy`: more than waits is worth
  // having. The next claims only after their answer.
  Claims claims(const Waiting& waiting, Moment now, bool busy);
  // `sent`: when the claims were made. `crossings` gets the marks that what the others have spent
  // passes.
  void take_grants(const Claims& claims, const Grants& grants, Moment sent,
                   std::vector<Crossing>* crossings);
  // No answer came; the claims may have been heard.
  void doubt(const Claims& claims);
  // Whether there is anything to tell the others.
  bool has_news(Moment now, bool busy) const;
  // True if nothing is in use and nothing to be told; the next take() enrolls it anew.
  bool retire();
  // Has the store hear of what was spent, if anything.
  void enroll_spent(int64_t wall_micros);

 private:
  struct Budget {
    BudgetRule rule;
    TimeZone zone;
    Window window;
    NanoDollars spent = 0;
    uint8_t marks = 0;  // one bit per alert mark that was passed in this window
    Ceiling ceiling{};
  };
  // Of what is limited by the minute.
  struct Rate {
    LimitKind kind;
    std::optional<int64_t> Limits::*limit;
    SlidingMinute minute = {};
    Batch batch = {};
  };

  // Under the lock.
  void turn(Budget& budget, int64_t wall_micros) const;
  BudgetState state_of(const Budget& budget, int64_t wall_micros) const;
  std::optional<Refusal> over_budget(const Ask& ask, Moment now,
                                     std::vector<Refusal>* would_refuse);
  std::optional<Refusal> over_parallel(Moment now) const;
  std::optional<Refusal> over_rate(Rate& rate, int64_t amount, Moment now);
  std::optional<Refusal> over_limits(const Ask& ask, Moment now);
  void pass_marks(Budget& budget, int64_t wall_micros, std::vector<Crossing>* crossings) const;
  Refusal refusal(LimitKind kind) const;
  Allowance allowance(Rate& rate, Moment now) const;
  Demands demands_now() const;
  void enroll();
  CeilingClaim claim_of(const Budget& budget, NanoDollars waiting, int64_t wall_micros,
                        bool busy) const;
  CeilingClaim parallel_claim(int64_t waiting, bool busy) const;
  template <class Visit>
  void each_ceiling(const Claims& claims, Visit visit);

  const Level level_;
  const std::string subject_;
  Peers* const peers_;

  mutable std::mutex mutex_;
  Limits limits_;
  mutable std::vector<Budget> budgets_;
  Spend spend_;
  NanoDollars reserved_ = 0;
  int64_t in_flight_ = 0;
  mutable Rate requests_{LimitKind::Requests, &Limits::requests_per_minute};
  mutable Rate tokens_{LimitKind::Tokens, &Limits::tokens_per_minute};
  Ceiling parallel_{Ceiling::Kind::Held};
  bool enrolled_ = false;
  std::atomic<Demands> demands_{};
};

// What a rule allows at this moment, increases included.
NanoDollars limit_of(const BudgetRule& rule, int64_t wall_micros);

}  // namespace sluice::governance
