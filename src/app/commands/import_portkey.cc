#include "app/commands/import_portkey.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "app/commands/import_portkey_target.h"
#include "app/config_reader.h"
#include "base/text_out.h"
#include "routing/condition.h"

namespace sluice::app {
namespace {

constexpr int64_t kDayMs = 24 * 3'600'000;
constexpr int64_t kUsualAttempts = 3;

struct Known {
  std::string_view key;
  Fate fate;
  std::string_view text;
};

// Members of a config or a target that need no more than a word.
constexpr auto kPlain = std::to_array<Known>({
    {"cache", Fate::Missing, "replies are not cached"},
    {"default_params", Fate::Missing, "requests are sent with the caller's own parameters"},
    {"drop_params", Fate::Missing,
     "only fields that a target has no place for are dropped (resilience.unsupported)"},
    {"input_guardrails", Fate::Missing, "there are no guardrails"},
    {"output_guardrails", Fate::Missing, "there are no guardrails"},
    {"before_request_hooks", Fate::Missing, "there are no hooks"},
    {"after_request_hooks", Fate::Missing, "there are no hooks"},
    {"passthrough", Fate::Missing, "the provider is chosen here, not by the request"},
    {"strict_open_ai_compliance", Fate::Differs,
     "replies always have the shape of the caller's own API"},
});

// Members that have a function of their own.
constexpr auto kHandled = std::to_array<std::string_view>({"strategy",
                                                           "targets",
                                                           "name",
                                                           "weight",
                                                           "provider",
                                                           "virtual_key",
                                                           "api_key",
                                                           "custom_host",
                                                           "override_params",
                                                           "request_timeout",
                                                           "retry",
                                                           "forward_headers",
                                                           "cb_config",
                                                           "resource_name",
                                                           "azure_resource_name",
                                                           "deployment_id",
                                                           "azure_deployment_id",
                                                           "api_version",
                                                           "azure_api_version",
                                                           "snowflake_account"});

// Without an exponent, which the configuration does not read.
std::string written(double weight) {
  constexpr int kDecimals = 6;
  const auto millionths = static_cast<int64_t>(std::llround(weight * 1e6));
  std::string out;
  append_decimal(out, weight > 0 ? std::max<int64_t>(millionths, 1) : 0, kDecimals);
  return out;
}

class PortkeyImport {
 public:
  explicit PortkeyImport(Draft& draft) : draft_(draft) {}

  void run(const Node& config) {
    YamlItem root = node(config, "", PortkeyInherited{});
    root.comment = fmt::format("Callers send `model: {}`.", kPortkeyRoute);
    if (any_model_) {
      root.comment =
          fmt::format("Callers send `x-sluice-task: {}` and the model beside it.", kPortkeyRoute);
      draft_.tasks.add(kPortkeyRoute, YamlItem::raw(std::string(kPortkeyRoute)));
    }
    draft_.routes.add(kPortkeyRoute, std::move(root));
    // Attempts count over all targets here, so there must be enough to reach the last.
    const int64_t needed = std::max<int64_t>(targets_, kUsualAttempts) + retries_;
    if (needed > kUsualAttempts) draft_.attempts(needed);
  }

 private:
  YamlItem node(const Node& map, const std::string& path, PortkeyInherited from) {
    look_over(map, path);
    inherit(map, path, from);
    const Node* const targets = member(map, "targets");
    const bool inner =
        targets != nullptr && targets->kind == Node::Kind::List && !targets->items.empty();
    YamlItem out = YamlItem::map();
    if (inner)
      strategy(map, path, from, out);
    else
      out.add("target", YamlItem::text(target(map, path, from)));
    timeout(map, path, out);
    return out;
  }

  // Notes for all that has no function of its own, and what counts for the whole gateway.
  void look_over(const Node& map, const std::string& path) {
    for (const Node::Key& key : map.keys) {
      if (std::find(kHandled.begin(), kHandled.end(), key.name) != kHandled.end()) continue;
      const auto* const known = std::find_if(kPlain.begin(), kPlain.end(),
                                             [&](const Known& one) { return one.key == key.name; });
      if (known == kPlain.end())
        draft_.note(Fate::Missing, below(path, key.name), "not known to this import");
      else
        draft_.note(known->fate, below(path, key.name), std::string(known->text));
    }
    retry(map, below(path, "retry"));
    breaker(map, below(path, "cb_config"));
  }

  void retry(const Node& map, const std::string& path) {
    const Node* const retry = member(map, "retry");
    if (retry == nullptr) return;
    if (const Node* const attempts = member(*retry, "attempts")) {
      retries_ = std::max(retries_, static_cast<int64_t>(number_in(attempts, 0)));
      draft_.note(Fate::Differs, path + ".attempts",
                  "resilience.attempts counts all attempts of a request, over all its targets");
    }
    if (member(*retry, "on_status_codes") != nullptr)
      draft_.note(Fate::Differs, path + ".on_status_codes",
                  "what is worth a retry is decided by the kind of failure");
    for (const auto* key : {"use_retry_after_headers", "use_retry_after_header"}) {
      if (member(*retry, key) == nullptr) continue;
      const bool on = text_of_member(*retry, key) == "true";
      draft_.note(on ? Fate::Carried : Fate::Differs, below(path, key),
                  "Retry-After is always respected");
    }
  }

  void breaker(const Node& map, const std::string& path) {
    const Node* const config = member(map, "cb_config");
    if (config == nullptr) return;
    const double failures = number_in(member(*config, "failure_threshold"), 0);
    const double pause = number_in(member(*config, "cooldown_interval"), 0);
    draft_.breaker(static_cast<int64_t>(failures), static_cast<int64_t>(pause));
    draft_.note(Fate::Differs, path, "resilience.breaker holds for all targets alike");
    if (member(*config, "failure_status_codes") != nullptr)
      draft_.note(Fate::Missing, path + ".failure_status_codes",
                  "what counts as a failure is decided by its kind");
  }

  void inherit(const Node& map, const std::string& path, PortkeyInherited& from) {
    if (const Node* const params = member(map, "override_params")) {
      const std::string own = below(path, "override_params");
      for (size_t i = 0; i < params->keys.size() && i < params->items.size(); ++i) {
        const std::string& key = params->keys[i].name;
        if (key == "model")
          override_model(params->items[i].text, own + ".model", from);
        else
          draft_.note(Fate::Missing, below(own, key), "parameters of requests are not overridden");
      }
    }
    const Node* const headers = member(map, "forward_headers");
    if (headers == nullptr) return;
    from.forward_headers.clear();
    for (size_t i = 0; i < headers->items.size(); ++i) {
      const std::string& name = headers->items[i].text;
      const std::string own = fmt::format("{}[{}]", below(path, "forward_headers"), i);
      if (const auto fault = check_word(Word::HeaderName, name)) {
        draft_.note(Fate::Missing, own, fault->message);
        continue;
      }
      from.forward_headers.push_back(name);
      draft_.note(Fate::Carried, own, "pass_headers of its provider");
    }
  }

  void override_model(const std::string& model, const std::string& path, PortkeyInherited& from) {
    if (const auto fault = check_word(Word::Model, model))
      return draft_.note(Fate::Missing, path, fault->message);
    from.model = model;
    draft_.note(Fate::Carried, path, "the model of its targets");
  }

  void timeout(const Node& map, const std::string& path, YamlItem& out) {
    const Node* const given = member(map, "request_timeout");
    if (given == nullptr) return;
    const auto ms = static_cast<int64_t>(number_in(given, 0));
    const std::string own = below(path, "request_timeout");
    if (ms < 1 || ms > kDayMs) return draft_.note(Fate::Missing, own, "no usable time");
    YamlItem timeouts = YamlItem::map();
    timeouts.add("first_byte", time_item(ms));
    out.add("timeouts", std::move(timeouts));
    draft_.note(Fate::Carried, own, "timeouts.first_byte");
  }

  void strategy(const Node& map, const std::string& path, const PortkeyInherited& from,
                YamlItem& out) {
    const Node empty;
    const Node* given = member(map, "strategy");
    if (given == nullptr) given = &empty;
    const std::string own = below(path, "strategy");
    const std::string mode = text_of_member(*given, "mode");
    if (member(*given, "on_status_codes") != nullptr)
      draft_.note(Fate::Differs, own + ".on_status_codes",
                  "whether the next target is tried is decided by the kind of failure");
    const Node& targets = *member(map, "targets");
    const std::string list = below(path, "targets");
    if (mode == "conditional") {
      conditional(*given, own, targets, list, from, out);
    } else if (mode == "fallback" || mode == "loadbalance") {
      draft_.note(Fate::Carried, own + ".mode", mode);
      several(mode == "loadbalance", targets, list, from, out);
    } else {
      first_alone(mode, own, targets, list, from, out);
    }
  }

  // Mode single, or one that is not known.
  void first_alone(const std::string& mode, const std::string& path, const Node& targets,
                   const std::string& list, const PortkeyInherited& from, YamlItem& out) {
    const bool known = mode.empty() || mode == "single";
    draft_.note(known ? Fate::Carried : Fate::Missing, path + ".mode",
                known ? "the first target alone" : "no mode of that name; the first target alone");
    for (size_t i = 1; i < targets.items.size(); ++i)
      draft_.note(Fate::Missing, fmt::format("{}[{}]", list, i), "never reached there either");
    out.add("strategy", YamlItem::raw("single"));
    out.add("targets", YamlItem::list({node(targets.items[0], list + "[0]", from)}));
  }

  void several(bool weighted, const Node& targets, const std::string& list,
               const PortkeyInherited& from, YamlItem& out) {
    out.add("strategy", YamlItem::raw(weighted ? "weighted" : "fallback"));
    const bool all_zero =
        std::all_of(targets.items.begin(), targets.items.end(),
                    [](const Node& target) { return number_in(member(target, "weight"), 1) <= 0; });
    YamlItem items = YamlItem::list({});
    for (size_t i = 0; i < targets.items.size(); ++i) {
      const std::string path = fmt::format("{}[{}]", list, i);
      YamlItem item = node(targets.items[i], path, from);
      if (weighted) add_weight(targets.items[i], path, all_zero, item);
      items.items.push_back(std::move(item));
    }
    out.add("targets", std::move(items));
  }

  void add_weight(const Node& target, const std::string& path, bool all_zero, YamlItem& item) {
    const Node* const given = member(target, "weight");
    if (given == nullptr) return;
    const double weight = number_in(given, -1);
    const bool usable = weight >= 0 && !all_zero;
    item.add("weight", YamlItem::raw(usable ? written(weight) : "1"));
    draft_.note(usable ? Fate::Carried : Fate::Differs, path + ".weight",
                usable ? "weight" : "no usable weight; 1 in its place");
  }

  void conditional(const Node& given, const std::string& path, const Node& targets,
                   const std::string& list, const PortkeyInherited& from, YamlItem& out) {
    YamlItem rules = YamlItem::list({});
    std::vector<std::string> reached;
    const Node* const conditions = member(given, "conditions");
    const size_t count = conditions == nullptr ? 0 : conditions->items.size();
    for (size_t i = 0; i < count; ++i) {
      const std::string own = fmt::format("{}.conditions[{}]", path, i);
      std::optional<YamlItem> rule = this->rule(conditions->items[i], own, targets, list, from);
      if (!rule) continue;
      reached.push_back(text_of_member(conditions->items[i], "then"));
      rules.items.push_back(*std::move(rule));
    }
    size_t otherwise = index_of(targets, text_of_member(given, "default"));
    if (otherwise == targets.items.size()) {
      draft_.note(Fate::Differs, path + ".default", "names no target; the first takes its place");
      otherwise = 0;
    } else {
      draft_.note(Fate::Carried, path + ".default", "default");
    }
    const std::string name = text_of_member(targets.items[otherwise], "name");
    for (size_t i = 0; i < targets.items.size(); ++i) {
      const std::string other = text_of_member(targets.items[i], "name");
      if (i != otherwise && std::find(reached.begin(), reached.end(), other) == reached.end())
        draft_.note(Fate::Missing, fmt::format("{}[{}]", list, i), "no condition leads to it");
    }
    YamlItem last = node(targets.items[otherwise], fmt::format("{}[{}]", list, otherwise), from);
    if (rules.items.empty()) {
      out = std::move(last);
      return;
    }
    out.add("strategy", YamlItem::raw("conditional"));
    out.add("conditions", std::move(rules));
    out.add("default", std::move(last));
  }

  std::optional<YamlItem> rule(const Node& condition, const std::string& path, const Node& targets,
                               const std::string& list, const PortkeyInherited& from) {
    const Node* const query = member(condition, "query");
    const size_t then = index_of(targets, text_of_member(condition, "then"));
    if (query == nullptr || then == targets.items.size()) {
      draft_.note(Fate::Missing, path, "needs `query`, and `then` with the name of a target");
      return std::nullopt;
    }
    const Result<routing::Condition> parsed = routing::Condition::parse(json_of(*query));
    if (!parsed) {
      draft_.note(Fate::Missing, path + ".query", parsed.error().message());
      return std::nullopt;
    }
    draft_.note(Fate::Carried, path, "a condition");
    YamlItem out = YamlItem::map();
    out.add("when", YamlItem::copy_of(*query));
    out.add("then", node(targets.items[then], fmt::format("{}[{}]", list, then), from));
    return out;
  }

  static size_t index_of(const Node& targets, const std::string& name) {
    const auto found =
        std::find_if(targets.items.begin(), targets.items.end(), [&](const Node& target) {
          return !name.empty() && text_of_member(target, "name") == name;
        });
    return static_cast<size_t>(found - targets.items.begin());
  }

  std::string target(const Node& map, const std::string& path, const PortkeyInherited& from) {
    ++targets_;
    std::string target = portkey_target(map, path, from, draft_);
    if (!target.ends_with("/*")) return target;
    any_model_ = true;
    draft_.note(Fate::Differs, below(path, "override_params.model"),
                fmt::format("none given: callers name the model beside `x-sluice-task: {}`",
                            kPortkeyRoute));
    return target;
  }

  Draft& draft_;
  bool any_model_ = false;  // some target takes the model that the caller names
  int64_t targets_ = 0;
  int64_t retries_ = 0;
};

}  // namespace

void import_portkey(const Node& config, Draft& draft) {
  PortkeyImport(draft).run(config);
}

}  // namespace sluice::app
