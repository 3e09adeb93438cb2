// `sluice keys` and `sluice admin-token`: callers of the admin API of a running gateway. A key's
// text goes to stdout once, alone, so that a script can take it; words for people go to stderr.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/admin_client.h"
#include "app/commands/check.h"

namespace sluice::app {

// What a key may be and do, as flags say it. Nothing: not said.
struct KeyFields {
  std::string team;
  std::string environment;
  std::string expires;
  std::vector<std::string> models;
  std::vector<std::string> providers;
  std::vector<std::string> tiers;
  std::vector<std::string> tasks;
  std::vector<std::string> endpoints;
  std::vector<std::string> addresses;
  std::optional<int64_t> requests_per_minute;
  std::optional<int64_t> tokens_per_minute;
  std::optional<int64_t> parallel;
  std::vector<std::string> budgets;   // "10/month", "daily=5/day"
  std::vector<std::string> metadata;  // "name=value"
  bool restricted = false;
  bool keep_bodies = false;
  std::vector<std::string> cleared;  // fields that go back to their default
};

struct KeysCommand {
  enum class Verb : uint8_t { Create, List, Show, Change, Rotate, Revoke, Delete };
  Verb verb = Verb::List;
  AdminAccess access;
  std::string name;
  KeyFields fields;   // of Create and Change
  std::string grace;  // of Rotate
  bool json = false;
};
CommandResult keys(const KeysCommand& command, const Surroundings& around);

// The SHA-256 of a key, for `keys.*.digest` of a configuration.
CommandResult key_digest(std::string text);

struct TokenCommand {
  enum class Verb : uint8_t { Create, List, Delete };
  Verb verb = Verb::List;
  AdminAccess access;
  std::string name;
  std::string role;
  bool json = false;
};
CommandResult admin_tokens(const TokenCommand& command, const Surroundings& around);

}  // namespace sluice::app
