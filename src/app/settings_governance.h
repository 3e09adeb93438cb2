// What an operator may set about who calls: organisations, teams, keys and end users. See
// settings.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/settings_types.h"
#include "base/secret.h"

namespace sluice::app {

// 0: no limit.
struct LimitSettings {
  int64_t requests_per_minute = 0;
  int64_t tokens_per_minute = 0;
  int64_t parallel = 0;
  bool shadow = false;
  Subtree budgets;  // by name; read by config_budget.h
};

struct OrganisationSettings {
  std::string name;
  LimitSettings limits;
};

struct TeamSettings {
  std::string name;
  std::string organisation;
  LimitSettings limits;
  WordMap metadata;
};

struct RightsSettings {
  std::vector<std::string> models;
  std::vector<std::string> providers;
  std::vector<std::string> tiers;
  std::vector<std::string> tasks;
  std::vector<std::string> endpoints;
  std::vector<std::string> addresses;
};

struct KeySettings {
  std::string name;
  Secret key;                   // its text; or
  Secret previous;              // beside `key`: the text before, still good; empty: none
  std::string digest;           // the SHA-256 of it, in hex
  bool text_is_stored = false;  // neither: made by the admin API, its digest is in control.db
  std::string team;
  std::string environment;
  std::string expires;  // "2027-01-31" or "2027-01-31T12:00:00Z"; empty: never
  bool revoked = false;
  bool restricted = false;
  bool keep_bodies = false;
  RightsSettings rights;
  LimitSettings limits;
  WordMap metadata;
};

// What several instances share their limits through.
struct RedisSettings {
  Secret url;  // empty: this instance is alone
  Duration lease{};
  Duration deadline{};
  std::string prefix;
};

struct GovernanceSettings {
  Secret pepper;        // empty: one is made and kept in the data directory
  Price ceiling_input;  // what models without a price count as against budgets
  Price ceiling_output;
};

}  // namespace sluice::app
