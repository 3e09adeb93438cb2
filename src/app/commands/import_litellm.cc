#include "app/commands/import_litellm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "app/commands/import_litellm_model.h"
#include "app/config_reader.h"
#include "app/config_value.h"
#include "base/text_out.h"

namespace sluice::app {
namespace {

constexpr int64_t kUsualAttempts = 3;
constexpr int64_t kDayMs = 24 * 3'600'000;

struct Known {
  std::string_view key;
  Fate fate;
  std::string_view text;
};

// Settings that need no more than a word, wherever they stand.
constexpr auto kPlain = std::to_array<Known>({
    {"master_key", Fate::Differs,
     "callers' keys are made by `sluice keys create`; administrators have tokens of their own"},
    {"database_url", Fate::Missing, "the ledger is a file of its own (ledger.path)"},
    {"callbacks", Fate::Missing, "there are no callbacks; see the ledger and /metrics"},
    {"success_callback", Fate::Missing, "there are no callbacks; see the ledger and /metrics"},
    {"failure_callback", Fate::Missing, "there are no callbacks; see the ledger and /metrics"},
    {"cache", Fate::Missing, "replies are not cached"},
    {"cache_params", Fate::Missing, "replies are not cached"},
    {"cache_responses", Fate::Missing, "replies are not cached"},
    {"redis_host", Fate::Differs, "redis.url"},
    {"redis_port", Fate::Differs, "redis.url"},
    {"redis_password", Fate::Differs, "redis.url"},
    {"set_verbose", Fate::Differs, "log.level"},
    {"enable_pre_call_checks", Fate::Differs,
     "a prompt too long for a model is found by its reply"},
});

constexpr auto kFallbacks = std::to_array<std::string_view>(
    {"fallbacks", "default_fallbacks", "context_window_fallbacks", "content_policy_fallbacks"});

class LiteLlmImport {
 public:
  explicit LiteLlmImport(Draft& draft) : draft_(draft) {}

  void run(const Node& config) {
    for (size_t i = 0; i < config.keys.size() && i < config.items.size(); ++i) {
      const std::string& key = config.keys[i].name;
      const Node& section = config.items[i];
      if (key == "model_list") {
        models(section);
      } else if (key == "router_settings" || key == "litellm_settings" ||
                 key == "general_settings") {
        sections_.emplace_back(key, &section);
      } else if (key == "environment_variables") {
        draft_.note(Fate::Missing, key, "set them where the gateway runs");
      } else {
        draft_.note(Fate::Missing, key, "not known to this import");
      }
    }
    for (const auto& [path, section] : sections_) settings(*section, path);
    for (const std::string& name : order_) offer(name);
    if (retries_ > 0) draft_.attempts(std::max(longest_, kUsualAttempts - 1) + retries_);
  }

 private:
  void models(const Node& list) {
    for (const Node& entry : list.items) names_.push_back(text_of_member(entry, "model_name"));
    for (size_t i = 0; i < list.items.size(); ++i) {
      const std::string path = fmt::format("model_list[{}]", i);
      std::optional<LiteLlmModel> model = litellm_model(list.items[i], path, names_, draft_);
      if (!model) continue;
      if (!groups_.contains(model->name)) order_.push_back(model->name);
      groups_[model->name].push_back(*std::move(model));
    }
  }

  void settings(const Node& section, const std::string& path) {
    for (size_t i = 0; i < section.keys.size() && i < section.items.size(); ++i) {
      const std::string& key = section.keys[i].name;
      const Node& value = section.items[i];
      const std::string own = below(path, key);
      const auto* const plain = std::find_if(kPlain.begin(), kPlain.end(),
                                             [&](const Known& one) { return one.key == key; });
      if (plain != kPlain.end()) {
        draft_.note(plain->fate, own, std::string(plain->text));
      } else if (std::find(kFallbacks.begin(), kFallbacks.end(), key) != kFallbacks.end()) {
        fallbacks(key, value, own);
      } else if (key == "model_group_alias") {
        group_aliases(value, own);
      } else if (!one_value(key, value, own)) {
        draft_.note(Fate::Missing, own, "not known to this import");
      }
    }
  }

  bool one_value(const std::string& key, const Node& value, const std::string& path) {
    const double number = number_in(&value, -1);
    if (key == "num_retries") {
      retries_ = std::max(retries_, static_cast<int64_t>(number));
      draft_.note(Fate::Differs, path,
                  "resilience.attempts counts all attempts of a request, over all its targets");
    } else if (key == "timeout" || key == "request_timeout") {
      timeout(number, path);
    } else if (key == "allowed_fails") {
      draft_.breaker(static_cast<int64_t>(number) + 1, 0);
      draft_.note(Fate::Differs, path, "resilience.breaker.failures counts failures in a row");
    } else if (key == "cooldown_time") {
      draft_.breaker(0, static_cast<int64_t>(number * 1000));
      draft_.note(Fate::Differs, path, "resilience.breaker.pause: the first pause, then doubled");
    } else if (key == "drop_params") {
      const bool drop = value.text == "true" || value.text == "True";
      draft_.resilience.add("unsupported", YamlItem::raw(drop ? "drop" : "refuse"));
      draft_.note(Fate::Carried, path, "resilience.unsupported");
    } else if (key == "routing_strategy") {
      const bool shuffle = value.text == "simple-shuffle";
      draft_.note(shuffle ? Fate::Carried : Fate::Differs, path,
                  shuffle ? "drawn by weight" : "there is no such strategy: drawn by weight");
    } else {
      return false;
    }
    return true;
  }

  void timeout(double seconds, const std::string& path) {
    const auto ms = static_cast<int64_t>(seconds * 1000);
    if (ms < 1 || ms > kDayMs) return draft_.note(Fate::Missing, path, "no usable time");
    if (!draft_.timeouts.empty())
      return draft_.note(Fate::Differs, path, "timeouts.first_byte is set by another one");
    draft_.timeouts.add("first_byte", time_item(ms));
    draft_.note(Fate::Carried, path, "timeouts.first_byte");
  }

  // [{gpt-4: [claude, gpt-3.5]}], or for default_fallbacks a plain list.
  void fallbacks(std::string_view kind, const Node& list, const std::string& path) {
    if (kind == "default_fallbacks") {
      others_of_all_ = known_groups(list, path);
      return draft_.note(Fate::Carried, path, "after each model that has no fallbacks of its own");
    }
    const std::string_view rule = kind == "context_window_fallbacks"   ? "on_context_overflow"
                                  : kind == "content_policy_fallbacks" ? "on_content_policy"
                                                                       : "";
    std::vector<std::string> targets;
    for (size_t i = 0; i < list.items.size(); ++i) {
      const Node& entry = list.items[i];
      for (size_t k = 0; k < entry.keys.size() && k < entry.items.size(); ++k) {
        const std::string own = fmt::format("{}[{}].{}", path, i, entry.keys[k].name);
        const std::vector<std::string> names = known_groups(entry.items[k], own);
        if (rule.empty()) {
          others_[entry.keys[k].name] = names;
          draft_.note(Fate::Carried, own, "a fallback");
          continue;
        }
        draft_.note(Fate::Differs, own,
                    fmt::format("resilience.{} holds for all models alike", rule));
        for (const std::string& name : names)
          for (const LiteLlmModel& model : groups_[name])
            if (std::find(targets.begin(), targets.end(), model.target) == targets.end())
              targets.push_back(model.target);
      }
    }
    if (rule.empty() || targets.empty()) return;
    YamlItem items = YamlItem::list({});
    for (const std::string& target : targets) items.items.push_back(YamlItem::text(target));
    draft_.resilience.add(rule, std::move(items));
  }

  std::vector<std::string> known_groups(const Node& list, const std::string& path) {
    std::vector<std::string> names;
    for (size_t i = 0; i < list.items.size(); ++i) {
      const std::string& name = list.items[i].text;
      if (groups_.contains(name))
        names.push_back(name);
      else
        draft_.note(Fate::Missing, fmt::format("{}[{}]", path, i), "no model of that name");
    }
    return names;
  }

  void group_aliases(const Node& map, const std::string& path) {
    for (size_t i = 0; i < map.keys.size() && i < map.items.size(); ++i) {
      const std::string& alias = map.keys[i].name;
      const Node& value = map.items[i];
      const std::string own = below(path, alias);
      const std::string name =
          value.kind == Node::Kind::Map ? text_of_member(value, "model") : value.text;
      if (value.kind == Node::Kind::Map && text_of_member(value, "hidden") == "true")
        draft_.note(Fate::Differs, below(own, "hidden"), "GET /v1/models lists it");
      if (!groups_.contains(name) || groups_.contains(alias) || check_word(Word::Model, alias)) {
        draft_.note(Fate::Missing, own, "no other name for a known model");
        continue;
      }
      aliases_.emplace_back(alias, name);
      draft_.note(Fate::Carried, own, "an alias");
    }
  }

  // What callers ask for by `name`: an alias of the one target, or a route.
  void offer(const std::string& name) {
    YamlItem node = this->node(name);
    const std::vector<std::string>* others = &others_of_all_;
    if (const auto own = others_.find(name); own != others_.end()) others = &own->second;
    YamlItem list = YamlItem::list({});
    std::set<std::string> seen = {name};
    for (const std::string& other : *others)
      if (seen.insert(other).second) append(list, this->node(other));
    if (!list.items.empty()) {
      YamlItem all = YamlItem::list({});
      append(all, std::move(node));
      append(all, std::move(list));
      node = YamlItem::map();
      node.add("strategy", YamlItem::raw("fallback"));
      node.add("targets", std::move(all));
    }
    std::string shown = name;
    if (node.kind == YamlItem::Kind::Scalar) {
      // Where the name is the target's own, the provider takes it as it is.
      if (name != node.scalar) draft_.aliases.add(name, std::move(node));
    } else {
      shown = route_name(name);
      draft_.routes.add(shown, std::move(node));
      if (shown != name) draft_.aliases.add(name, YamlItem::text(shown));
    }
    for (const auto& [alias, of] : aliases_)
      if (of == name) draft_.aliases.add(alias, YamlItem::text(target_name(name, shown)));
  }

  // A fallback in a fallback is one list.
  static void append(YamlItem& list, YamlItem node) {
    const bool is_fallback = node.kind == YamlItem::Kind::Map && node.keys.front() == "strategy" &&
                             node.items.front().scalar == "fallback";
    if (is_fallback) return append(list, std::move(node.items[1]));
    if (node.kind != YamlItem::Kind::List) return list.items.push_back(std::move(node));
    for (YamlItem& item : node.items) list.items.push_back(std::move(item));
  }

  // A route's name has no slash.
  static std::string route_name(const std::string& name) {
    if (!check_word(Word::Name, name)) return name;
    std::string out = "route-";
    for (const char c : name) out += check_word(Word::Name, std::string_view(&c, 1)) ? '-' : c;
    return out;
  }

  std::string target_name(const std::string& name, const std::string& shown) const {
    const bool is_alias = std::find(draft_.aliases.keys.begin(), draft_.aliases.keys.end(), name) !=
                          draft_.aliases.keys.end();
    if (is_alias || shown != name) return shown;
    const bool is_route = std::find(draft_.routes.keys.begin(), draft_.routes.keys.end(), name) !=
                          draft_.routes.keys.end();
    return is_route ? shown : groups_.at(name).front().target;
  }

  // The deployments of a group: by `order`, and drawn by weight where it is the same.
  YamlItem node(const std::string& name) {
    std::map<int64_t, std::vector<const LiteLlmModel*>> by_order;
    const std::vector<LiteLlmModel>& models = groups_.at(name);
    longest_ = std::max(longest_, static_cast<int64_t>(models.size()));
    for (const LiteLlmModel& model : models) by_order[model.order].push_back(&model);
    YamlItem list = YamlItem::list({});
    for (const auto& [order, same] : by_order) list.items.push_back(drawn(same));
    if (list.items.size() == 1) return std::move(list.items.front());
    YamlItem out = YamlItem::map();
    out.add("strategy", YamlItem::raw("fallback"));
    out.add("targets", std::move(list));
    return out;
  }

  static YamlItem drawn(const std::vector<const LiteLlmModel*>& models) {
    if (models.size() == 1) return leaf(*models.front());
    const bool any = std::any_of(models.begin(), models.end(),
                                 [](const LiteLlmModel* model) { return model->weight > 0; });
    YamlItem list = YamlItem::list({});
    for (const LiteLlmModel* model : models) {
      YamlItem item = YamlItem::map();
      item.add("target", YamlItem::text(model->target));
      std::string weight;
      append_decimal(weight, static_cast<int64_t>(std::llround(model->weight * 1e6)), 6);
      if (any) item.add("weight", YamlItem::raw(weight));
      add_timeout(*model, item);
      list.items.push_back(std::move(item));
    }
    YamlItem out = YamlItem::map();
    out.add("strategy", YamlItem::raw("weighted"));
    out.add("targets", std::move(list));
    return out;
  }

  static YamlItem leaf(const LiteLlmModel& model) {
    if (model.timeout_ms == 0) return YamlItem::text(model.target);
    YamlItem out = YamlItem::map();
    out.add("target", YamlItem::text(model.target));
    add_timeout(model, out);
    return out;
  }

  static void add_timeout(const LiteLlmModel& model, YamlItem& item) {
    if (model.timeout_ms == 0) return;
    YamlItem timeouts = YamlItem::map();
    timeouts.add("first_byte", time_item(model.timeout_ms));
    item.add("timeouts", std::move(timeouts));
  }

  Draft& draft_;
  std::vector<std::string> names_;  // that models answer to, so that no provider takes one
  std::map<std::string, std::vector<LiteLlmModel>> groups_;  // that answer to one name
  std::vector<std::string> order_;                           // of the groups in the file
  std::map<std::string, std::vector<std::string>> others_;
  std::vector<std::string> others_of_all_;
  std::vector<std::pair<std::string, std::string>> aliases_;
  std::vector<std::pair<std::string, const Node*>> sections_;
  int64_t retries_ = 0;
  int64_t longest_ = 0;
};

}  // namespace

void import_litellm(const Node& config, Draft& draft) {
  LiteLlmImport(draft).run(config);
}

}  // namespace sluice::app
