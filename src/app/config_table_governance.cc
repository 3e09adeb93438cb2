// Who calls: organisations, their teams, the keys given to those, and end users.
#include <array>

#include "app/config_table_rows.h"

namespace sluice::app {
namespace {

template <auto... Members>
auto& of_organisation(Settings& settings, std::string_view name) {
  return (organisation_of(settings, name).*....*Members);
}
template <auto... Members>
auto& of_team(Settings& settings, std::string_view name) {
  return (team_of(settings, name).*....*Members);
}
template <auto... Members>
auto& of_key(Settings& settings, std::string_view name) {
  return (key_of(settings, name).*....*Members);
}

using O = OrganisationSettings;
using T = TeamSettings;
using K = KeySettings;
using L = LimitSettings;
using R = RightsSettings;
using G = GovernanceSettings;

constexpr Limits kPerMinute{0, 1'000'000'000'000};
constexpr std::string_view kRequests =
    "Most requests in any minute, over all workers. 0: no limit.";
constexpr std::string_view kTokens =
    "Most tokens in any minute, input and output: estimated before a call, put right after it. 0: "
    "no limit.";
constexpr std::string_view kParallel = "Most requests at a time. 0: no limit.";
constexpr std::string_view kShadow =
    "Count who would have been refused by the limits above, and let them pass.";
constexpr std::string_view kBudgets =
    "Budgets by name; docs/keys-and-budgets.md shows how they are written.";

constexpr auto kRows = std::to_array<Property>({
    {.key = "governance", .slot = Group{}, .doc = "Of keys and budgets as a whole."},
    {.key = "governance.pepper",
     .slot = &at<&S::governance, &G::pepper>,
     .derived = "made at the first start and kept in server.data_dir",
     .doc = "What the digests of keys are made with, 32 characters at least. Instances that share "
            "keys need the same one.",
     .reload = Reload::Restart,
     .secret = true},
    {.key = "governance.ceiling_input",
     .slot = &at<&S::governance, &G::ceiling_input>,
     .derived = "models without a price are refused to whoever has a budget",
     .doc = "Dollars per million input tokens that a model without a price counts as against "
            "budgets. Its cost stays unknown."},
    {.key = "governance.ceiling_output",
     .slot = &at<&S::governance, &G::ceiling_output>,
     .derived = "as ceiling_input",
     .doc = "The same for output tokens."},
    {.key = "organisations",
     .slot = Each{},
     .doc = "Organisations by name. A team that names none belongs to `default`.",
     .word = Word::Name},
    {.key = "organisations.*", .slot = Group{}, .doc = "One organisation."},
    {.key = "organisations.*.requests_per_minute",
     .slot = &of_organisation<&O::limits, &L::requests_per_minute>,
     .fallback = "0",
     .doc = kRequests,
     .limits = kPerMinute},
    {.key = "organisations.*.tokens_per_minute",
     .slot = &of_organisation<&O::limits, &L::tokens_per_minute>,
     .fallback = "0",
     .doc = kTokens,
     .limits = kPerMinute},
    {.key = "organisations.*.parallel",
     .slot = &of_organisation<&O::limits, &L::parallel>,
     .fallback = "0",
     .doc = kParallel,
     .limits = kPerMinute},
    {.key = "organisations.*.shadow",
     .slot = &of_organisation<&O::limits, &L::shadow>,
     .fallback = "false",
     .doc = kShadow},
    {.key = "organisations.*.budgets",
     .slot = &of_organisation<&O::limits, &L::budgets>,
     .doc = kBudgets,
     .word = Word::Name},
    {.key = "teams", .slot = Each{}, .doc = "Teams by name.", .word = Word::Name},
    {.key = "teams.*", .slot = Group{}, .doc = "One team."},
    {.key = "teams.*.organisation",
     .slot = &of_team<&T::organisation>,
     .fallback = "default",
     .doc = "Whose team it is.",
     .word = Word::Name},
    {.key = "teams.*.requests_per_minute",
     .slot = &of_team<&T::limits, &L::requests_per_minute>,
     .fallback = "0",
     .doc = kRequests,
     .limits = kPerMinute},
    {.key = "teams.*.tokens_per_minute",
     .slot = &of_team<&T::limits, &L::tokens_per_minute>,
     .fallback = "0",
     .doc = kTokens,
     .limits = kPerMinute},
    {.key = "teams.*.parallel",
     .slot = &of_team<&T::limits, &L::parallel>,
     .fallback = "0",
     .doc = kParallel,
     .limits = kPerMinute},
    {.key = "teams.*.shadow",
     .slot = &of_team<&T::limits, &L::shadow>,
     .fallback = "false",
     .doc = kShadow},
    {.key = "teams.*.budgets",
     .slot = &of_team<&T::limits, &L::budgets>,
     .doc = kBudgets,
     .word = Word::Name},
    {.key = "teams.*.metadata",
     .slot = &of_team<&T::metadata>,
     .doc = "Goes on the ledger rows of its keys."},
    {.key = "keys",
     .slot = Each{},
     .doc = "Keys that callers show, by name. Without any key, here or made by `sluice keys`, the "
            "gateway serves its own machine only.",
     .word = Word::Name},
    {.key = "keys.*", .slot = Group{}, .doc = "One key."},
    {.key = "keys.*.key",
     .slot = &of_key<&K::key>,
     .doc = "Its text. Write ${NAME} or ${file:/path}, not the key itself; or give its digest.",
     .secret = true},
    {.key = "keys.*.previous",
     .slot = &of_key<&K::previous>,
     .derived = "none",
     .doc = "A second text that is good too, while callers change over to a new `key`.",
     .secret = true,
     .empty_is_none = true},
    {.key = "keys.*.digest",
     .slot = &of_key<&K::digest>,
     .doc = "In place of `key`: the SHA-256 of its text, 64 hex digits."},
    {.key = "keys.*.team",
     .slot = &of_key<&K::team>,
     .derived = "none",
     .doc = "Whose key it is.",
     .word = Word::Name},
    {.key = "keys.*.environment",
     .slot = &of_key<&K::environment>,
     .doc = "What it is for, such as `production`: a label on ledger rows.",
     .word = Word::Name},
    {.key = "keys.*.expires",
     .slot = &of_key<&K::expires>,
     .derived = "never",
     .doc = "When it ends: 2027-01-31, or 2027-01-31T12:00:00Z."},
    {.key = "keys.*.revoked",
     .slot = &of_key<&K::revoked>,
     .fallback = "false",
     .doc = "It opens nothing any more."},
    {.key = "keys.*.restricted",
     .slot = &of_key<&K::restricted>,
     .fallback = "false",
     .doc = "Its data must not leave: its requests go to providers marked `local` only."},
    {.key = "keys.*.keep_bodies",
     .slot = &of_key<&K::keep_bodies>,
     .fallback = "false",
     .doc = "What it asks and is answered is stored (`ledger.bodies`), for administrators to read. "
            "Tell those who use it."},
    {.key = "keys.*.models",
     .slot = &of_key<&K::rights, &R::models>,
     .derived = "all",
     .doc = "Models it may use, alone or behind their provider; `*` stands for any characters.",
     .word = Word::Any},
    {.key = "keys.*.providers",
     .slot = &of_key<&K::rights, &R::providers>,
     .derived = "all",
     .doc = "Providers it may use."},
    {.key = "keys.*.tiers",
     .slot = &of_key<&K::rights, &R::tiers>,
     .derived = "all",
     .doc = "Tiers, aliases and routes it may name."},
    {.key = "keys.*.tasks",
     .slot = &of_key<&K::rights, &R::tasks>,
     .derived = "all",
     .doc = "Tasks it may name."},
    {.key = "keys.*.endpoints",
     .slot = &of_key<&K::rights, &R::endpoints>,
     .derived = "all",
     .doc = "Endpoints it may call: `chat`, `completions`, `embeddings`, `responses`, `messages`, "
            "`count_tokens`."},
    {.key = "keys.*.addresses",
     .slot = &of_key<&K::rights, &R::addresses>,
     .derived = "any",
     .doc = "Where it may come from: addresses, or blocks such as 10.0.0.0/8."},
    {.key = "keys.*.requests_per_minute",
     .slot = &of_key<&K::limits, &L::requests_per_minute>,
     .fallback = "0",
     .doc = kRequests,
     .limits = kPerMinute},
    {.key = "keys.*.tokens_per_minute",
     .slot = &of_key<&K::limits, &L::tokens_per_minute>,
     .fallback = "0",
     .doc = kTokens,
     .limits = kPerMinute},
    {.key = "keys.*.parallel",
     .slot = &of_key<&K::limits, &L::parallel>,
     .fallback = "0",
     .doc = kParallel,
     .limits = kPerMinute},
    {.key = "keys.*.shadow",
     .slot = &of_key<&K::limits, &L::shadow>,
     .fallback = "false",
     .doc = kShadow},
    {.key = "keys.*.budgets",
     .slot = &of_key<&K::limits, &L::budgets>,
     .doc = kBudgets,
     .word = Word::Name},
    {.key = "keys.*.metadata",
     .slot = &of_key<&K::metadata>,
     .doc = "Goes on the ledger rows of its requests."},
    {.key = "end_users",
     .slot = Group{},
     .doc = "What each end user may spend, whom a request names as `user`. Without limits and "
            "budgets they are not counted apart."},
    {.key = "end_users.requests_per_minute",
     .slot = &at<&S::end_users, &L::requests_per_minute>,
     .fallback = "0",
     .doc = kRequests,
     .limits = kPerMinute},
    {.key = "end_users.tokens_per_minute",
     .slot = &at<&S::end_users, &L::tokens_per_minute>,
     .fallback = "0",
     .doc = kTokens,
     .limits = kPerMinute},
    {.key = "end_users.parallel",
     .slot = &at<&S::end_users, &L::parallel>,
     .fallback = "0",
     .doc = kParallel,
     .limits = kPerMinute},
    {.key = "end_users.shadow",
     .slot = &at<&S::end_users, &L::shadow>,
     .fallback = "false",
     .doc = kShadow},
    {.key = "end_users.budgets",
     .slot = &at<&S::end_users, &L::budgets>,
     .doc = kBudgets,
     .word = Word::Name},
});

}  // namespace

std::span<const Property> governance_rows() {
  return kRows;
}

}  // namespace sluice::app
