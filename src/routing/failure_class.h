// What each way of failing means for what is tried next, for the health of the target, and for what
// the client is told: one table, which everybody asks.
#pragma once

#include <cstdint>
#include <optional>

#include "base/outcome.h"
#include "base/time.h"

namespace sluice::routing {

// How one attempt failed.
struct Failure {
  Outcome outcome;
  std::optional<Nanos> retry_after;  // what the upstream asked for, from now
  bool lasting = false;  // will not pass by itself within this exchange: quota used up, key refused
  // Proven that no program of the provider has read the request, whatever the outcome's own class
  // says (a kept-alive connection that was dead).
  bool unsent = false;
  int status = 0;  // of the upstream's reply; 0: there was none
};

// Who may be asked next.
enum class Onward : uint8_t {
  Stop,          // nobody: the fault is the client's, the request's or our own
  Elsewhere,     // any other target of the route
  OverflowRule,  // the targets the route names for prompts that do not fit (RET-3)
  PolicyRule,    // the targets the route names for what a content policy forbids (RET-4)
};

// What it says about the target.
enum class HealthMark : uint8_t {
  Nothing,  // the target had no part in it
  Well,     // it answered as it should, though not to the client's liking
  Failed,   // one failure among those that a breaker counts
  Broken,   // no request can succeed until a person has mended something
};

struct FailureClass {
  Outcome outcome;
  Onward onward;
  bool same_target;  // the same target may answer when asked again
  bool never_sent;   // state N: the provider has seen nothing, so going elsewhere is free
  // It did not say that it failed, and may have done work that it asks money for.
  bool may_have_worked;
  HealthMark mark;
  // How much the client learns from it. Of several failures the heaviest is reported (RET-9).
  uint8_t weight;
};

const FailureClass& class_of(Outcome outcome);

// Whether the same target may answer when asked again.
bool may_pass(const Failure& failure);
// Whether going elsewhere costs the retry budget nothing.
bool is_free(const Failure& failure);
// Whether the provider may ask money for it: it had the request, and did not say that it failed.
bool may_be_charged(const Failure& failure);
// Whether it was the way to the model that failed, so that a stand-in for this provider can help:
// the network, or an intermediary; not the model behind it.
bool is_sick_way(const Failure& failure);
// Which of two failures of one exchange the client shall see (RET-9); the later one if they weigh
// the same.
bool is_more_useful(Outcome later, Outcome earlier);

}  // namespace sluice::routing
