#include "providers/lab_portkey_config.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <simdjson.h>

namespace sluice::providers {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

constexpr int kDeepest = 8;

enum class Kind : uint8_t { Text, Number, Bool, Object, Texts, Numbers };

struct Field {
  std::string_view name;
  Kind kind = Kind::Text;
  bool required = false;
  double least = 0;
  double most = 1e12;
};
constexpr std::array<Field, 15> kOptionFields = {{
    {.name = "name"},
    {.name = "provider"},
    {.name = "virtual_key"},
    {.name = "api_key"},
    {.name = "custom_host"},
    {.name = "weight", .kind = Kind::Number},
    {.name = "request_timeout", .kind = Kind::Number, .least = 1},
    {.name = "default_params", .kind = Kind::Object},
    {.name = "override_params", .kind = Kind::Object},
    {.name = "drop_params", .kind = Kind::Texts},
    {.name = "forward_headers", .kind = Kind::Texts},
    {.name = "passthrough", .kind = Kind::Bool},
    {.name = "strict_open_ai_compliance", .kind = Kind::Bool},
    {.name = "on_status_codes", .kind = Kind::Numbers},
    {.name = "cb_config", .kind = Kind::Object},
}};
constexpr std::array<Field, 3> kRetryFields = {{
    {.name = "attempts", .kind = Kind::Number, .required = true, .most = 5},
    {.name = "on_status_codes", .kind = Kind::Numbers},
    {.name = "use_retry_after_headers", .kind = Kind::Bool},
}};
constexpr std::array<Field, 2> kCacheFields = {{
    {.name = "mode", .required = true},
    {.name = "max_age", .kind = Kind::Number, .least = 60, .most = 7'776'000},
}};
constexpr std::array<Field, 3> kBreakerFields = {{
    {.name = "failure_threshold", .kind = Kind::Number, .required = true, .least = 1},
    {.name = "cooldown_interval", .kind = Kind::Number, .required = true, .least = 30'000},
    {.name = "failure_status_codes", .kind = Kind::Numbers},
}};
constexpr std::array<Field, 3> kStrategyFields = {{
    {.name = "mode", .required = true},
    {.name = "on_status_codes", .kind = Kind::Numbers},
    {.name = "default"},
}};

template <class T>
std::optional<T> get(object from, std::string_view name) {
  T value;
  if (from.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::string_view text_of(object from, std::string_view name) {
  return get<std::string_view>(from, name).value_or("");
}

std::string_view words_of(Kind kind) {
  constexpr std::array<std::string_view, 6> kWords = {
      "string", "number", "boolean", "object", "array of strings", "array of numbers"};
  return kWords[static_cast<size_t>(kind)];
}

bool is_of(Kind kind, element value) {
  const auto all = [&value](auto good) {
    array list;
    if (value.get(list) != simdjson::SUCCESS) return false;
    return std::ranges::all_of(list, good);
  };
  switch (kind) {
    case Kind::Text:
      return value.is_string();
    case Kind::Number:
      return value.is_number();
    case Kind::Bool:
      return value.is_bool();
    case Kind::Object:
      return value.is_object();
    case Kind::Texts:
      return all([](element one) { return one.is_string(); });
    case Kind::Numbers:
      return all([](element one) { return one.is_number(); });
  }
  return false;
}

// Walks a config and writes down what is wrong with it.
class Checker {
 public:
  explicit Checker(std::vector<std::string>& errors) : errors_(errors) {}

  // One option: the config itself, or one of its targets. `path` ends with a comma or is empty.
  void option(object option, const std::string& path, int depth) {
    if (depth > kDeepest) return wrong(path, "targets are nested too deeply");
    fields(option, path, kOptionFields);
    part(option, path, "retry", kRetryFields);
    part(option, path, "cb_config", kBreakerFields);
    if (const auto cache = part(option, path, "cache", kCacheFields))
      one_of(*cache, path + "cache,", "cache.mode", "mode", {"simple", "semantic"});
    if (text_of(option, "custom_host").find("api.portkey") != std::string_view::npos)
      wrong(path + "custom_host", "Invalid custom host");
    const auto targets = read_targets(option, path, depth);
    strategy(option, path, targets);
  }

 private:
  void wrong(std::string_view path, std::string_view message) {
    if (path.ends_with(',')) path.remove_suffix(1);
    errors_.push_back(fmt::format("path: {}, message: {}", path, message));
  }

  template <size_t N>
  void fields(object from, const std::string& path, const std::array<Field, N>& table) {
    for (const Field& field : table) {
      const auto value = get<element>(from, field.name);
      const std::string where = path + std::string(field.name);
      if (!value) {
        if (field.required) wrong(where, "Required");
      } else if (!is_of(field.kind, *value)) {
        wrong(where, fmt::format("Expected {}", words_of(field.kind)));
      } else if (field.kind == Kind::Number) {
        const double number = value->get_double().value_unsafe();
        if (number < field.least || number > field.most)
          wrong(where, fmt::format("Number must be between {} and {}", field.least, field.most));
      }
    }
  }

  template <size_t N>
  std::optional<object> part(object option, const std::string& path, std::string_view name,
                             const std::array<Field, N>& table) {
    if (!get<element>(option, name)) return std::nullopt;
    const auto inner = get<object>(option, name);
    if (inner) {
      fields(*inner, path + std::string(name) + ',', table);
    } else {
      wrong(path + std::string(name), "Expected object");
    }
    return inner;
  }

  void one_of(object from, const std::string& path, std::string_view label, std::string_view name,
              std::initializer_list<std::string_view> allowed) {
    const auto value = get<std::string_view>(from, name);
    if (!value || std::ranges::find(allowed, *value) != allowed.end()) return;
    wrong(path + std::string(name),
          fmt::format("Invalid '{}' value. Must be one of: {}", label, fmt::join(allowed, ", ")));
  }

  std::optional<array> read_targets(object option, const std::string& path, int depth) {
    if (!get<element>(option, "targets")) return std::nullopt;
    const auto targets = get<array>(option, "targets");
    if (!targets || targets->size() == 0) {
      wrong(path + "targets", "Expected a non-empty array");
      return std::nullopt;
    }
    size_t index = 0;
    for (const element one : *targets) {
      const std::string where = fmt::format("{}targets,{},", path, index++);
      object target;
      if (one.get(target) == simdjson::SUCCESS) {
        this->option(target, where, depth + 1);
      } else {
        wrong(where, "Expected object");
      }
    }
    return targets;
  }

  void strategy(object option, const std::string& path, std::optional<array> targets) {
    if (!get<element>(option, "strategy")) {
      if (targets) wrong(path + "strategy", "Required beside 'targets'");
      return;
    }
    const auto strategy = get<object>(option, "strategy");
    if (!strategy) return wrong(path + "strategy", "Expected object");
    const std::string inside = path + "strategy,";
    fields(*strategy, inside, kStrategyFields);
    one_of(*strategy, inside, "mode", "mode", {"single", "loadbalance", "fallback", "conditional"});
    if (!get<element>(option, "targets"))
      return wrong(path + "targets", "Required beside 'strategy'");
    if (!targets) return;
    if (text_of(*strategy, "mode") == "conditional") conditions(*strategy, inside, *targets);
  }

  void conditions(object strategy, const std::string& path, array targets) {
    const auto is_target = [&targets](std::string_view name) {
      return std::ranges::any_of(targets, [name](element one) {
        object target;
        return one.get(target) == simdjson::SUCCESS && text_of(target, "name") == name;
      });
    };
    if (!is_target(text_of(strategy, "default")))
      wrong(path + "default", "must be the name of a target");
    const auto list = get<array>(strategy, "conditions");
    if (!list || list->size() == 0) return wrong(path + "conditions", "Expected a non-empty array");
    size_t index = 0;
    for (const element one : *list) {
      const std::string where = fmt::format("{}conditions,{},", path, index++);
      object condition;
      if (one.get(condition) != simdjson::SUCCESS) {
        wrong(where, "Expected object");
        continue;
      }
      if (!get<object>(condition, "query")) wrong(where + "query", "Expected object");
      if (!is_target(text_of(condition, "then")))
        wrong(where + "then", "must be the name of a target");
    }
  }

  std::vector<std::string>& errors_;
};

// The index of the target that serves; see the header.
size_t chosen_target(object strategy, array targets) {
  const std::string_view mode = text_of(strategy, "mode");
  size_t index = 0;
  for (const element one : targets) {
    const object target = one.get_object().value_unsafe();
    if (mode == "conditional" && text_of(target, "name") == text_of(strategy, "default"))
      return index;
    if (mode == "loadbalance" && get<double>(target, "weight").value_or(1) > 0) return index;
    ++index;
  }
  return 0;
}

// Requires: the config was checked.
void follow(object option, LabPortkeyConfig& config) {
  if (const std::string_view key = text_of(option, "virtual_key"); !key.empty())
    config.provider = fmt::format("@{}", key);
  if (const std::string_view provider = text_of(option, "provider"); !provider.empty())
    config.provider = provider;
  config.has_key = config.has_key || !text_of(option, "api_key").empty();
  config.caches = config.caches || get<object>(option, "cache").has_value();
  if (const auto retry = get<object>(option, "retry"))
    config.retries = static_cast<int64_t>(get<double>(*retry, "attempts").value_or(0));
  if (const auto timeout = get<double>(option, "request_timeout"))
    config.timeout_ms = static_cast<int64_t>(*timeout);
  if (const auto params = get<object>(option, "override_params")) {
    if (const std::string_view model = text_of(*params, "model"); !model.empty())
      config.model = model;
  }
  const auto strategy = get<object>(option, "strategy");
  const auto targets = get<array>(option, "targets");
  if (!strategy || !targets) return;
  const size_t index = chosen_target(*strategy, *targets);
  config.option += fmt::format(".targets[{}]", index);
  follow(targets->at(index).get_object().value_unsafe(), config);
}

}  // namespace

LabPortkeyConfig read_lab_portkey_config(std::string_view json) {
  LabPortkeyConfig config;
  simdjson::dom::parser parser;
  object root;
  const simdjson::padded_string text(json);
  if (parser.parse(text).get(root) != simdjson::SUCCESS) {
    config.is_json = false;
    return config;
  }
  Checker(config.errors).option(root, "", 0);
  if (config.errors.empty()) follow(root, config);
  return config;
}

}  // namespace sluice::providers
