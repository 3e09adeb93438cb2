#include "providers/lab_openrouter_request.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sluice::providers {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::array<std::string_view, 13> kProviderMembers = {"order",
                                                               "allow_fallbacks",
                                                               "require_parameters",
                                                               "data_collection",
                                                               "zdr",
                                                               "enforce_distillable_text",
                                                               "only",
                                                               "ignore",
                                                               "quantizations",
                                                               "sort",
                                                               "max_price",
                                                               "preferred_min_throughput",
                                                               "preferred_max_latency"};
constexpr std::array<std::string_view, 9> kQuantizations = {"int4", "int8", "fp4",  "fp6",    "fp8",
                                                            "fp16", "bf16", "fp32", "unknown"};
constexpr std::array<std::string_view, 5> kPriced = {"prompt", "completion", "request", "image",
                                                     "audio"};
constexpr std::array<std::string_view, 4> kPercentiles = {"p50", "p75", "p90", "p99"};

template <class List>
bool holds(const List& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

// Refuses members that are not in the list.
template <class List>
void only(LabFields& fields, object members, const List& allowed) {
  for (const auto [key, value] : members) {
    if (!holds(allowed, key))
      fields.refuse("unrecognized_keys", key,
                    fmt::format("Unrecognized key: '{}'.", fields.path_of(key)));
  }
}

// Calls `visit(text)` for each; refuses what is no array of strings.
template <class Visit>
void each_text(LabFields& fields, std::string_view key, Visit visit) {
  const auto list = fields.array(key);
  if (!list) return;
  for (const element one : *list) {
    std::string_view text;
    if (one.get(text) != simdjson::SUCCESS)
      return fields.refuse_type(key, "an array of strings", one);
    visit(text);
  }
}
void check_texts(LabFields& fields, std::string_view key) {
  each_text(fields, key, [](std::string_view) {});
}

void check_sort(LabFields& fields) {
  const auto sort = fields.find("sort");
  if (!sort) return;
  if (sort->is_string()) {
    fields.word("sort", {"price", "throughput", "latency"});
  } else if (const auto members = fields.object("sort")) {
    LabFields inner(*members, fields.path_of("sort."), fields.error());
    inner.word("by", {"price", "throughput", "latency"});
    inner.text("partition");
  }
}

// A number, or an object of numbers by percentile.
void check_preference(LabFields& fields, std::string_view key) {
  const auto value = fields.find(key);
  if (!value || value->is_number()) return;
  const auto members = fields.object(key);
  if (!members) return;
  LabFields inner(*members, fields.path_of(key) + ".", fields.error());
  only(inner, *members, kPercentiles);
  for (const std::string_view percentile : kPercentiles) inner.number(percentile, 0, 1e9);
}

void check_provider(LabFields& outer) {
  const auto members = outer.object("provider");
  if (!members) return;
  LabFields fields(*members, "provider.", outer.error());
  only(fields, *members, kProviderMembers);
  for (const std::string_view key : {"order", "only", "ignore"}) check_texts(fields, key);
  for (const std::string_view key :
       {"allow_fallbacks", "require_parameters", "zdr", "enforce_distillable_text"})
    fields.boolean(key);
  fields.word("data_collection", {"allow", "deny"});
  each_text(fields, "quantizations", [&fields](std::string_view one) {
    if (!holds(kQuantizations, one))
      fields.refuse("invalid_value", "quantizations", fmt::format("Invalid option: '{}'.", one));
  });
  check_sort(fields);
  check_preference(fields, "preferred_min_throughput");
  check_preference(fields, "preferred_max_latency");
  if (const auto prices = fields.object("max_price")) {
    LabFields inner(*prices, "provider.max_price.", fields.error());
    only(inner, *prices, kPriced);
  }
}

void check_plugins(LabFields& fields) {
  const auto plugins = fields.array("plugins");
  if (!plugins) return;
  size_t index = 0;
  for (const element one : *plugins) {
    const std::string key = fmt::format("plugins[{}]", index++);
    std::optional<LabFields> inner = fields.element(key, one);
    if (!inner) return;
    if (inner->required_text("id"))
      inner->word("id", {"web", "file-parser", "response-healing", "context-compression"});
  }
}

void check_reasoning(LabFields& fields) {
  const auto reasoning = fields.object("reasoning");
  if (!reasoning) return;
  LabFields inner(*reasoning, "reasoning.", fields.error());
  inner.word("effort", {"none", "minimal", "low", "medium", "high", "xhigh", "max"});
  inner.integer("max_tokens", 0, 1'000'000);
  inner.boolean("exclude");
  inner.boolean("enabled");
}

}  // namespace

void read_lab_openrouter_routing(LabFields& fields, LabRequest& request) {
  each_text(fields, "models",
            [&request](std::string_view model) { request.fallback_models.emplace_back(model); });
  fields.word("route", {"fallback"});
  check_provider(fields);
  check_plugins(fields);
}

void read_lab_openrouter_extras(LabFields& fields, LabRequest& request) {
  read_lab_openrouter_routing(fields, request);
  check_reasoning(fields);
  check_texts(fields, "transforms");
  fields.integer("top_k", 0, 1'000'000);
  fields.number("min_p", 0, 1);
  fields.number("top_a", 0, 1);
  fields.number("repetition_penalty", 0, 2);
  fields.text("session_id");
}

}  // namespace sluice::providers
