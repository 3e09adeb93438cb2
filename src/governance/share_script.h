// What instances tell and ask a Redis that they share, as scripts: each runs as one step, by
// Redis' own clock.
//
// A limit on what is spent or held is a hash: instance -> "spent ceiling version", where the
// version is also the end of the lease, in milliseconds. What an instance has spent is told as a
// whole and never added, so telling it twice, or anew to a Redis that has forgotten it, changes
// nothing (acceptance BUD-4, BUD-5). A limit per minute is a hash: second -> what was taken.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "governance/lease.h"
#include "net/redis_reply.h"

namespace sluice::governance {

// Of one account, in one call.
struct Claims {
  std::vector<CeilingClaim> ceilings;
  std::vector<BatchClaim> batches;
  bool empty() const { return ceilings.empty() && batches.empty(); }
};
struct Grants {
  std::vector<CeilingGrant> ceilings;
  std::vector<BatchGrant> batches;
};

// Takes ceilings and batches of one subject; answers five integers for each.
extern const std::string_view kShareScript;
// KEYS: who is there; ARGV: instance, lease in milliseconds. Answers how many are, and
// whether this one was known to be.
extern const std::string_view kPresenceScript;

std::vector<std::string> share_arguments(const Claims& claims, std::string_view instance,
                                         Nanos lease);
// Nothing: not an answer to these claims.
std::optional<Grants> read_grants(const net::RedisReply& reply, const Claims& claims);

}  // namespace sluice::governance
