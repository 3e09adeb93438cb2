// GET /v1/usage: what the caller's own key, its team and its organisation may use, and have used.
//
//   {"object": "usage", "key": "ci", "team": "build", "organisation": "default",
//    "environment": "staging",
//    "spend": {"day_usd": 0.25, "month_usd": 3.5, "total_usd": 12},
//    "limits": [{"level": "key", "name": "ci", "in_flight": 1,
//                "requests": {"limit": 60, "remaining": 59, "reset_seconds": 60},
//                "tokens": null}],
//    "budgets": [{"level": "key", "name": "ci", "budget": "monthly", "per": "month",
//                 "limit_usd": 25, "spent_usd": 3.5, "reserved_usd": 0.01, "used_percent": 14,
//                 "step": "none", "hard": true, "resets_at": "2026-12-01T00:00:00.000Z"}]}
//
// Days and months of `spend` are those of UTC; `resets_at` is null for a budget that never does. A
// caller without a key, where none is asked for, has empty lists and null in place of names.
#pragma once

#include "gateway/exchange.h"
#include "net/server.h"

namespace sluice::api {

Task<void> show_usage(gateway::Shared& shared, net::ServerExchange& http);

}  // namespace sluice::api
