#include "app/directory_builder.h"

#include <algorithm>
#include <fmt/format.h>

#include "app/config_budget.h"
#include "app/config_names.h"
#include "net/redis_url.h"
#include "wire/chat.h"

namespace sluice::app {
namespace {

constexpr size_t kShortestPepper = 32;

class GovernanceChecker {
 public:
  explicit GovernanceChecker(Reader& reader) : reader_(reader), settings_(reader.settings) {}

  void run() {
    for (const auto& item : settings_.organisations)
      check_budgets(item.limits.budgets, "organisations." + item.name);
    for (const auto& item : settings_.teams) check_team(item);
    for (const auto& item : settings_.keys) check_key(item);
    check_budgets(settings_.end_users.budgets, "end_users");
    check_redis();
    const Secret& pepper = settings_.governance.pepper;
    if (!pepper.empty() && pepper.reveal().size() < kShortestPepper)
      complain(Rule::OutOfRange, "governance.pepper",
               fmt::format("`governance.pepper` needs {} characters at least", kShortestPepper));
    if (settings_.governance.ceiling_output.known && !settings_.governance.ceiling_input.known)
      complain(Rule::MissingKey, "governance.ceiling_output",
               "`governance.ceiling_output` needs `governance.ceiling_input`");
  }

 private:
  void complain(Rule rule, const std::string& path, std::string message, std::string hint = "") {
    const bool of_key = rule == Rule::UnknownKey;
    Place place =
        of_key ? reader_.provenance.place_of_key(path) : reader_.provenance.place_of(path);
    reader_.complain(rule, std::move(place), path, std::move(message), std::move(hint));
  }

  void check_redis() {
    if (settings_.redis.url.empty()) return;
    const auto url = net::parse_redis_url(settings_.redis.url.reveal());
    if (url) return;
    complain(Rule::WrongShape, "redis.url", fmt::format("`redis.url`: {}", url.error().message()));
  }

  void check_budgets(const Subtree& budgets, const std::string& owner) {
    for (const BudgetFault& fault : read_budgets(budgets.json, owner + ".budgets").faults)
      complain(fault.rule, fault.path, fault.message, fault.hint);
  }

  void check_team(const TeamSettings& team) {
    const std::string path = "teams." + team.name;
    check_budgets(team.limits.budgets, path);
    if (team.organisation == governance::kDefaultOrganisation) return;
    std::vector<std::string_view> names;
    for (const auto& item : settings_.organisations) names.push_back(item.name);
    check_known("organisation", team.organisation, names, path + ".organisation");
  }

  void check_known(std::string_view kind, const std::string& name,
                   const std::vector<std::string_view>& names, const std::string& path) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    complain(Rule::UnknownProvider, path, fmt::format("there is no {} `{}`", kind, name),
             did_you_mean(name, names));
  }

  void check_key(const KeySettings& key) {
    const std::string path = "keys." + key.name;
    check_budgets(key.limits.budgets, path);
    if (!key.team.empty()) {
      std::vector<std::string_view> names;
      for (const auto& item : settings_.teams) names.push_back(item.name);
      check_known("team", key.team, names, path + ".team");
    }
    if (!key.text_is_stored && key.key.empty() == key.digest.empty())
      complain(Rule::MissingKey, path, fmt::format("`{}` needs either `key` or `digest`", path),
               "`sluice keys digest` makes a digest");
    if (!key.previous.empty() && key.key.empty())
      complain(Rule::NeedsOther, path + ".previous",
               fmt::format("`{0}.previous` needs `{0}.key`", path));
    if (!key.digest.empty() && !governance::digest_of_hex(key.digest))
      complain(Rule::WrongShape, path + ".digest",
               fmt::format("`{}.digest` must be a SHA-256 in 64 hex digits", path));
    if (!key.expires.empty() && !governance::moment_of(key.expires))
      complain(Rule::WrongShape, path + ".expires",
               fmt::format("`{}.expires`: expected a date such as 2027-01-31, or a time such as "
                           "2027-01-31T12:00:00Z",
                           path));
    for (const std::string& address : key.rights.addresses) {
      const auto range = governance::AddressRange::parse(address);
      if (!range)
        complain(Rule::WrongShape, path + ".addresses",
                 fmt::format("`{}.addresses`: {}", path, range.error().message()));
    }
    check_names(key, path);
  }

  // Names that stand for nothing would forbid everything, or nothing.
  void check_names(const KeySettings& key, const std::string& path) {
    std::vector<std::string_view> endpoints;
    for (size_t i = 0; i < chat::kEndpointCount; ++i)
      endpoints.push_back(chat::name_of(static_cast<chat::Endpoint>(i)));
    for (const std::string& name : key.rights.endpoints)
      check_known("endpoint", name, endpoints, path + ".endpoints");
    const auto plain = [](const std::string& name) { return name.find('*') == std::string::npos; };
    std::vector<std::string_view> providers;
    for (const auto& item : settings_.providers) providers.push_back(item.name);
    for (const std::string& name : key.rights.providers)
      if (plain(name)) check_known("provider", name, providers, path + ".providers");
    std::vector<std::string_view> tasks;
    for (const auto& item : settings_.tasks) tasks.push_back(item.name);
    for (const std::string& name : key.rights.tasks)
      if (plain(name)) check_known("task", name, tasks, path + ".tasks");
    std::vector<std::string_view> tiers;
    for (const auto* list : {&settings_.tiers, &settings_.aliases})
      for (const auto& item : *list) tiers.push_back(item.name);
    for (const auto& item : settings_.routes) tiers.push_back(item.name);
    for (const std::string& name : key.rights.tiers)
      if (plain(name)) check_known("tier, alias or route", name, tiers, path + ".tiers");
  }

  Reader& reader_;
  const Settings& settings_;
};

std::optional<int64_t> limit(int64_t setting) {
  return setting == 0 ? std::nullopt : std::optional(setting);
}

governance::Policy policy_of(const LimitSettings& settings) {
  governance::Policy policy;
  policy.limits = {.requests_per_minute = limit(settings.requests_per_minute),
                   .tokens_per_minute = limit(settings.tokens_per_minute),
                   .parallel = limit(settings.parallel),
                   .shadow = settings.shadow};
  policy.budgets = read_budgets(settings.budgets.json, "").rules;
  return policy;
}

governance::Key key_of(const KeySettings& settings, const governance::KeyDigester& digester) {
  governance::Key key;
  key.name = settings.name;
  key.team = settings.team;
  key.environment = settings.environment;
  if (!settings.key.empty()) {
    key.shown = governance::shown_key(settings.key.reveal());
    key.digests.push_back({.digest = digester.of(settings.key.reveal())});
    const Secret& previous = settings.previous;
    if (!previous.empty() && !previous.equals(settings.key.reveal()))
      key.digests.push_back({.digest = digester.of(previous.reveal())});
  } else if (const auto digest = governance::digest_of_hex(settings.digest)) {
    key.digests.push_back({.digest = *digest, .peppered = false});
  }
  for (governance::KeyDigest& kept : key.digests)
    kept.shared = shared_digest(settings).value_or(kept.digest);
  if (!settings.expires.empty())
    key.expires_micros = governance::moment_of(settings.expires).value_or(0);
  key.revoked = settings.revoked;
  key.restricted = settings.restricted;
  key.keeps_bodies = settings.keep_bodies;
  const RightsSettings& rights = settings.rights;
  key.rights = {.models = rights.models,
                .providers = rights.providers,
                .tiers = rights.tiers,
                .tasks = rights.tasks,
                .endpoints = rights.endpoints,
                .addresses = rights.addresses};
  key.policy = policy_of(settings.limits);
  key.metadata = settings.metadata;
  return key;
}

}  // namespace

std::optional<governance::Digest> shared_digest(const KeySettings& key) {
  if (!key.key.empty()) return governance::sha256_of(key.key.reveal());
  return governance::digest_of_hex(key.digest);
}

void check_governance(Reader& reader) {
  GovernanceChecker(reader).run();
}

governance::DirectoryParts directory_parts(const Settings& settings,
                                           const governance::KeyDigester& digester) {
  governance::DirectoryParts parts;
  for (const auto& item : settings.organisations)
    parts.organisations.push_back({.name = item.name, .policy = policy_of(item.limits)});
  for (const auto& item : settings.teams)
    parts.teams.push_back({.name = item.name,
                           .organisation = item.organisation,
                           .policy = policy_of(item.limits),
                           .metadata = item.metadata});
  for (const auto& item : settings.keys) parts.keys.push_back(key_of(item, digester));
  parts.end_users = policy_of(settings.end_users);
  return parts;
}

}  // namespace sluice::app
