#include "api/usage_api.h"

#include <array>
#include <limits>
#include <string>

#include "api/reply.h"
#include "base/money.h"
#include "base/text_out.h"
#include "gateway/caller.h"
#include "gateway/pipeline.h"

namespace sluice::api {
namespace {

using governance::Account;
using governance::Allowance;
using governance::BudgetState;
using governance::Period;
using Accounts = std::array<const Account*, 3>;

// An object or a list, member by member.
class Writer {
 public:
  explicit Writer(char opening) { text_ += opening; }

  void begin(std::string_view name) {
    if (text_.size() > 1) text_ += ',';
    if (name.empty()) return;
    append_json(text_, name);
    text_ += ':';
  }
  void add(std::string_view name, std::string_view value) {
    begin(name);
    append_json(text_, value);
  }
  // Names of the configuration are never empty: an empty one stands for none.
  void add_name(std::string_view name, std::string_view value) {
    value.empty() ? add_plain(name, "null") : add(name, value);
  }
  void add_dollars(std::string_view name, NanoDollars amount) {
    begin(name);
    append_decimal(text_, amount, kMoneyDecimals);
  }
  void add_number(std::string_view name, int64_t value, int decimals = 0) {
    begin(name);
    append_decimal(text_, value, decimals);
  }
  void add_plain(std::string_view name, std::string_view json) {
    begin(name);
    text_ += json;
  }
  std::string end(char closing) {
    text_ += closing;
    return std::move(text_);
  }

 private:
  std::string text_;
};

std::string json_of(const Allowance& allowance) {
  if (!allowance.limit) return "null";
  Writer out('{');
  out.add_number("limit", *allowance.limit);
  out.add_number("remaining", allowance.remaining);
  out.add_number("reset_seconds", allowance.reset_seconds);
  return out.end('}');
}

std::string json_of(const Account& account, governance::Moment now) {
  Writer out('{');
  out.add("level", governance::name_of(account.level()));
  out.add("name", account.subject());
  out.add_number("in_flight", account.in_flight());
  const governance::Allowances left = account.allowances(now);
  out.add_plain("requests", json_of(left.requests));
  out.add_plain("tokens", json_of(left.tokens));
  return out.end('}');
}

std::string json_of(const BudgetState& budget) {
  Writer out('{');
  out.add("level", governance::name_of(budget.level));
  out.add("name", budget.subject);
  out.add("budget", budget.name);
  out.add("per", governance::name_of(budget.period));
  out.add_dollars("limit_usd", budget.limit);
  out.add_dollars("spent_usd", budget.spent);
  out.add_dollars("reserved_usd", budget.reserved);
  out.add_number("used_percent", budget.used_permille(), 1);
  out.add("step", governance::name_of(budget.step));
  out.add_plain("hard", budget.hard ? "true" : "false");
  if (budget.resets_micros == std::numeric_limits<int64_t>::max()) {
    out.add_plain("resets_at", "null");
  } else {
    std::array<char, kTimestampBound> text;
    const char* end = put_timestamp(text.data(), budget.resets_micros);
    out.add("resets_at", {text.data(), static_cast<size_t>(end - text.data())});
  }
  return out.end('}');
}

std::string spend_of(const Account& account, int64_t wall_micros) {
  const governance::TimeZone utc = governance::TimeZone::utc();
  Writer out('{');
  out.add_dollars("day_usd", account.spent(utc.window(Period::Day, wall_micros)));
  out.add_dollars("month_usd", account.spent(utc.window(Period::Month, wall_micros)));
  out.add_dollars("total_usd", account.spent(governance::kAllTime));
  return out.end('}');
}

std::string usage_of(const gateway::Visitor& visitor, governance::Moment now) {
  const governance::Directory::Entry* caller = visitor.caller;
  Accounts accounts{};
  if (caller != nullptr)
    accounts = {caller->account.get(), caller->team.get(), caller->organisation_account.get()};
  Writer limits('[');
  Writer budgets('[');
  for (const Account* account : accounts) {
    if (account == nullptr) continue;
    limits.add_plain("", json_of(*account, now));
    for (const BudgetState& budget : account->budgets(now.wall_micros))
      budgets.add_plain("", json_of(budget));
  }
  const governance::Directory::Entry nobody;
  const governance::Directory::Entry& entry = caller == nullptr ? nobody : *caller;
  Writer out('{');
  out.add("object", "usage");
  out.add_name("key", entry.key.name);
  out.add_name("team", entry.key.team);
  out.add_name("organisation", entry.organisation);
  out.add_name("environment", entry.key.environment);
  out.add_plain("spend", caller == nullptr ? "null" : spend_of(*caller->account, now.wall_micros));
  out.add_plain("limits", limits.end(']'));
  out.add_plain("budgets", budgets.end(']'));
  return out.end('}');
}

}  // namespace

Task<void> show_usage(gateway::Shared& shared, net::ServerExchange& http) {
  Result<gateway::Visitor> visitor = gateway::visitor_of(shared, http);
  if (!visitor) return gateway::refuse(shared, http, std::move(visitor).error());
  const governance::Moment now{.monotonic = shared.loop.read_clock(),
                               .wall_micros = shared.loop.wall_micros()};
  return send_text(http, 200, kJson, usage_of(*visitor, now) + '\n');
}

}  // namespace sluice::api
