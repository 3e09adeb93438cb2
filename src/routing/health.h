// The breakers of all targets, by name, so that what is known of a target survives a reload of the
// configuration; and the choice among the targets of a route.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "routing/breaker.h"
#include "routing/router.h"

namespace sluice::routing {

// Thread-safe; not for the path of a request: a snapshot keeps the breakers it needs.
class HealthTable {
 public:
  explicit HealthTable(uint64_t seed) : seed_(seed) {}
  HealthTable(const HealthTable&) = delete;
  HealthTable& operator=(const HealthTable&) = delete;

  // The breaker of this name, with these options from now on; a new one if there was none.
  std::shared_ptr<Breaker> breaker(std::string_view name, const BreakerOptions& options);
  // Retires and forgets all others (after a reload, RET-12).
  void keep_only(std::span<const std::string> names);

  struct Row {
    std::string name;
    Breaker::Status status;
  };
  // In the order of names: for /readyz, metrics and the admin API.
  std::vector<Row> rows(Nanos now) const;

 private:
  mutable std::mutex lock_;
  uint64_t seed_;
  std::map<std::string, std::shared_ptr<Breaker>, std::less<>> breakers_;
};

// Some of the targets of a chain: bit i stands for target i.
using TargetSet = uint64_t;
inline constexpr size_t kMaxTargets = 64;

// What is worth saying about a choice, for the ledger's reason: clauses with "; " between them.
// Empty, and without cost, as long as nothing is out of the ordinary.
class SkipNotes {
 public:
  static constexpr size_t kMaxLength = 1000;  // what would go beyond is left out
  // Each target of a chain once.
  void skipped(size_t target, std::string_view name, std::string_view why);
  void add(std::string_view clause);
  // Another chain begins.
  void forget_targets() { told_ = 0; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  TargetSet told_ = 0;
};

// What the choice is made from.
struct Candidates {
  std::span<const Target> chain;
  std::span<const std::shared_ptr<Breaker>> breakers;  // by Target::slot; empty: all are admitted
  TargetSet among;
  size_t start = 0;  // where the ring begins

  // Null: none is kept for it.
  Breaker* breaker(size_t i) const;
};

struct Chosen {
  Chosen(size_t the_target, Breaker::Ticket the_ticket, Breaker::Admission::Kind the_kind)
      : target(the_target), ticket(std::move(the_ticket)), kind(the_kind) {}
  size_t target;
  Breaker::Ticket ticket;
  Breaker::Admission::Kind kind;
};

// The first that its breaker admits. What was passed over, and why, goes to `notes`.
std::optional<Chosen> first_admitted(const Candidates& candidates, Nanos now, SkipNotes& notes);
// For when none was: the one whose pause ends first and that takes a call all the same. Nothing if
// all of them are held, crowded or retired.
std::optional<Chosen> first_anyway(const Candidates& candidates, Nanos now);

}  // namespace sluice::routing
