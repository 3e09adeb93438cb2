#include "app/config_budget.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <simdjson.h>
#include <span>

#include "app/config_names.h"
#include "app/config_value.h"
#include "base/money.h"

namespace sluice::app {
namespace {

using governance::BudgetRule;
using governance::Period;
using governance::Step;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr auto kKeys =
    std::to_array<std::string_view>({"amount", "per", "time_zone", "kind", "shadow", "ladder",
                                     "cheaper", "output_limit", "increase"});
constexpr auto kPeriods = std::to_array<std::string_view>({"day", "week", "month", "total"});
constexpr auto kKinds = std::to_array<std::string_view>({"hard", "soft"});
constexpr auto kSteps = std::to_array<std::string_view>(
    {"warn", "cheaper_tier", "smaller_output", "cache_only", "block"});
constexpr auto kIncreaseKeys = std::to_array<std::string_view>({"amount", "until"});
constexpr int32_t kDefaultWarning = 800;

class BudgetReader {
 public:
  explicit BudgetReader(Budgets& out) : out_(out) {}

  void read(const std::string& name, element tree, const std::string& path) {
    BudgetRule rule;
    rule.name = name;
    if (!tree.is_object()) {
      fail(Rule::WrongShape, path, fmt::format("`{}` must be a map", path));
      return;
    }
    const object map = tree.get_object().value_unsafe();
    check_keys(map, kKeys, path);
    require(map, "amount", path);
    require(map, "per", path);
    if (const auto amount = money(map, "amount", path)) rule.amount = *amount;
    if (const auto per = choice(map, "per", kPeriods, path))
      rule.period = static_cast<Period>(*per);
    if (const auto kind = choice(map, "kind", kKinds, path)) rule.hard = *kind == 0;
    if (const auto shadow = flag(map, "shadow", path)) rule.shadow = *shadow;
    if (const auto zone = word(map, "time_zone", path)) rule.time_zone = *zone;
    if (auto found = governance::TimeZone::find(rule.time_zone); !found)
      fail(Rule::UnknownChoice, path + ".time_zone",
           fmt::format("`{}.time_zone`: {}", path, found.error().message()));
    if (const auto cheaper = word(map, "cheaper", path)) rule.cheaper = *cheaper;
    output_limit(map, path, rule);
    ladder(map, path, rule);
    increase(map, path, rule);
    out_.rules.push_back(std::move(rule));
  }

 private:
  void fail(Rule rule, const std::string& path, std::string message, std::string hint = "") {
    out_.faults.push_back({rule, path, std::move(message), std::move(hint)});
  }

  void check_keys(object map, std::span<const std::string_view> known, const std::string& path) {
    for (const auto field : map) {
      if (std::find(known.begin(), known.end(), field.key) != known.end()) continue;
      const std::string own = fmt::format("{}.{}", path, field.key);
      fail(Rule::UnknownKey, own, fmt::format("there is no setting `{}`", own),
           did_you_mean(field.key, known));
    }
  }

  void require(object map, std::string_view key, const std::string& path) {
    if (map[key].error() == simdjson::SUCCESS) return;
    fail(Rule::MissingKey, path, fmt::format("`{}` needs `{}`", path, key));
  }

  std::optional<std::string> word(object map, std::string_view key, const std::string& path) {
    element value;
    if (map[key].get(value) != simdjson::SUCCESS) return std::nullopt;
    if (value.is_string()) return std::string(value.get_string().value_unsafe());
    fail(Rule::WrongShape, fmt::format("{}.{}", path, key),
         fmt::format("`{}.{}` must be a text", path, key));
    return std::nullopt;
  }

  std::optional<size_t> choice(object map, std::string_view key,
                               std::span<const std::string_view> names, const std::string& path) {
    const std::optional<std::string> text = word(map, key, path);
    if (!text) return std::nullopt;
    const auto found = std::find(names.begin(), names.end(), *text);
    if (found != names.end()) return static_cast<size_t>(found - names.begin());
    const std::string own = fmt::format("{}.{}", path, key);
    fail(Rule::UnknownChoice, own, fmt::format("`{}`: expected {}", own, listed(names)),
         did_you_mean(*text, names));
    return std::nullopt;
  }

  std::optional<bool> flag(object map, std::string_view key, const std::string& path) {
    element value;
    if (map[key].get(value) != simdjson::SUCCESS) return std::nullopt;
    if (value.is_bool()) return value.get_bool().value_unsafe();
    fail(Rule::WrongShape, fmt::format("{}.{}", path, key),
         fmt::format("`{}.{}` must be true or false", path, key));
    return std::nullopt;
  }

  std::optional<NanoDollars> money(object map, std::string_view key, const std::string& path) {
    element value;
    if (map[key].get(value) != simdjson::SUCCESS) return std::nullopt;
    const std::string text = value.is_string() ? std::string(value.get_string().value_unsafe())
                                               : std::string(simdjson::minify(value));
    if (const auto amount = parse_dollars(text)) return amount;
    const std::string own = fmt::format("{}.{}", path, key);
    fail(Rule::WrongShape, own,
         fmt::format("`{}`: expected dollars, such as 25 or 0.50, not negative", own));
    return std::nullopt;
  }

  void output_limit(object map, const std::string& path, BudgetRule& rule) {
    element value;
    if (map["output_limit"].get(value) != simdjson::SUCCESS) return;
    int64_t tokens = 0;
    if (value.get(tokens) == simdjson::SUCCESS && tokens > 0) {
      rule.output_limit = tokens;
      return;
    }
    fail(Rule::OutOfRange, path + ".output_limit",
         fmt::format("`{}.output_limit`: expected a number of tokens above 0", path));
  }

  void ladder(object map, const std::string& path, BudgetRule& rule) {
    element tree;
    if (map["ladder"].get(tree) != simdjson::SUCCESS) {
      rule.ladder = {{kDefaultWarning, Step::Warn}};
      return;
    }
    const std::string own = path + ".ladder";
    if (!tree.is_object())
      return fail(Rule::WrongShape, own, fmt::format("`{}` must be a map", own));
    const object steps = tree.get_object().value_unsafe();
    check_keys(steps, kSteps, own);
    for (size_t i = 0; i < kSteps.size(); ++i) {
      const auto share = percent(steps, kSteps[i], own);
      if (!share) continue;
      rule.ladder.push_back({*share, static_cast<Step>(i + 1)});
    }
    const auto needs = [&](Step step, bool given, std::string_view key) {
      const bool used = std::any_of(rule.ladder.begin(), rule.ladder.end(),
                                    [&](const auto& each) { return each.step == step; });
      if (used && !given)
        fail(Rule::MissingKey, own,
             fmt::format("`{}.{}` needs `{}`", own, governance::name_of(step), key));
    };
    needs(Step::CheaperTier, !rule.cheaper.empty(), "cheaper");
    needs(Step::SmallerOutput, rule.output_limit > 0, "output_limit");
    const auto lower = [](const auto& a, const auto& b) { return a.at_permille < b.at_permille; };
    if (!std::is_sorted(rule.ladder.begin(), rule.ladder.end(), lower))
      fail(Rule::OutOfRange, own,
           fmt::format("`{}`: a harder step may not come before a softer one", own),
           "the order is " + listed(kSteps));
  }

  std::optional<int32_t> percent(object map, std::string_view key, const std::string& path) {
    const std::optional<std::string> text = word(map, key, path);
    if (!text) return std::nullopt;
    Percent value;
    if (auto fault = assign(value, *text, {0, 100})) {
      const std::string own = fmt::format("{}.{}", path, key);
      fail(fault->rule, own, fmt::format("`{}`: {}", own, fault->message), fault->hint);
      return std::nullopt;
    }
    return static_cast<int32_t>(value.percent * 10);
  }

  void increase(object map, const std::string& path, BudgetRule& rule) {
    element tree;
    if (map["increase"].get(tree) != simdjson::SUCCESS) return;
    const std::string own = path + ".increase";
    if (!tree.is_object())
      return fail(Rule::WrongShape, own, fmt::format("`{}` must be a map", own));
    const object more = tree.get_object().value_unsafe();
    check_keys(more, kIncreaseKeys, own);
    require(more, "amount", own);
    require(more, "until", own);
    const auto amount = money(more, "amount", own);
    const auto until = word(more, "until", own);
    if (!amount || !until) return;
    const auto moment = governance::moment_of(*until);
    if (!moment) {
      fail(Rule::WrongShape, own + ".until",
           fmt::format("`{}.until`: expected a date such as 2026-12-24, or a time such as "
                       "2026-12-24T18:00:00Z",
                       own));
      return;
    }
    rule.increase = governance::Increase{.amount = *amount, .until_micros = *moment};
  }

  Budgets& out_;
};

}  // namespace

Budgets read_budgets(const std::string& json, const std::string& path) {
  Budgets budgets;
  if (json.empty()) return budgets;
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(json).get(root) != simdjson::SUCCESS || !root.is_object()) {
    budgets.faults.push_back(
        {Rule::WrongShape, path, fmt::format("`{}` must be a map of budgets by name", path), ""});
    return budgets;
  }
  BudgetReader reader(budgets);
  for (const auto field : root.get_object().value_unsafe()) {
    const std::string name(field.key);
    const std::string own = path + "." + name;
    if (!is_name(name)) {
      budgets.faults.push_back({Rule::WrongShape, own,
                                fmt::format("`{}`: names are made of letters, digits, `.`, `_` "
                                            "and `-`",
                                            own),
                                ""});
      continue;
    }
    reader.read(name, field.value, own);
  }
  return budgets;
}

}  // namespace sluice::app
