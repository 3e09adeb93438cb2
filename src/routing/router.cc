#include "routing/router.h"

#include <algorithm>

#include "base/nearest.h"
#include "routing/router_builder.h"

namespace sluice::routing {
namespace {

constexpr size_t kShownName = 128;  // bytes of a caller's name that a message repeats

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += "'" + names[i] + "'";
  }
  return text;
}

// A caller's name as a message or a reason may hold it: not too long, on one line.
std::string shown(std::string_view name) {
  size_t end = std::min(name.size(), kShownName);
  // Not in the middle of a character.
  while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
    --end;
  std::string text(name.substr(0, end));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

Error no_local_target(std::string_view head) {
  return Error(Outcome::Forbidden,
               "the data is restricted, and " + std::string(head) +
                   " has no target marked local that may see it",
               "x-sluice-data");
}

}  // namespace

Result<Router> Router::make(const RouterOptions& options) {
  return RouterBuilder(options).build();
}

const Route* Router::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() || !found->second.is_static ? nullptr : &found->second.all;
}

std::optional<uint16_t> Router::provider_before_slash(std::string_view name) const {
  const std::string_view prefix = name.substr(0, name.find('/'));
  if (prefix.size() == name.size()) return std::nullopt;
  for (uint16_t i = 0; i < providers_.size(); ++i) {
    if (providers_[i].name == prefix) return i;
  }
  return std::nullopt;
}

Result<Route> Router::resolve_open(std::string_view name) const {
  const std::optional<uint16_t> named = provider_before_slash(name);
  const std::optional<uint16_t> provider = named ? named : default_provider_;
  const std::string_view model = named ? name.substr(name.find('/') + 1) : name;
  if (!provider || !providers_[*provider].open || model.empty()) return not_found(name);
  Route route;
  route.targets.push_back(
      Target{.provider = *provider, .slot = *provider, .model = std::string(model)});
  route.reason =
      "model " + shown(name) + " -> " + providers_[*provider].name + ", which takes any model";
  return route;
}

Result<Decision> Router::decide(const Facts& facts) const {
  const Entry* task = nullptr;
  bool restricted = facts.restricted;
  if (!facts.task.empty()) {
    const auto found = tasks_.find(facts.task);
    if (found == tasks_.end())
      return unknown_task(facts.task, Outcome::BadRequest, "x-sluice-task");
    task = &found->second;
    restricted = restricted || task->restricted;
  }
  const auto named = entries_.find(facts.model);
  if (named != entries_.end())
    return beside(decide_entry(named->second, facts, restricted), named->second.task, task);
  const bool is_auto = facts.model.empty() || facts.model == kAuto;
  if (task != nullptr && !is_auto && names_open_provider(facts.model))
    return beside(decide_open(facts, restricted), {}, task);
  if (task != nullptr) return decide_task(*task, facts, restricted);
  if (classifier_ && facts.model == kAuto) return decide_auto(facts, restricted);
  if (facts.model.starts_with("task/") && !task_names_.empty() &&
      !provider_before_slash(facts.model)) {
    return unknown_task(facts.model.substr(5), Outcome::ModelNotFound, "model");
  }
  return decide_open(facts, restricted);
}

Result<Decision> Router::decide_entry(const Entry& entry, const Facts& facts,
                                      bool restricted) const {
  if (!entry.is_static) return evaluate(entry, facts, {}, restricted);
  const Route& route = restricted ? entry.local : entry.all;
  if (route.targets.empty()) return no_local_target(entry.head);
  return Decision(&route);
}

Result<Decision> Router::evaluate(const Entry& entry, const Facts& facts, std::string_view model,
                                  bool restricted) const {
  Facts seen = facts;
  if (!entry.task.empty()) seen.task = entry.task;
  Choice choice = choose(entry.root, seen, model, restricted);
  if (choice.targets.empty() && choice.without_model > 0) {
    return Error(Outcome::BadRequest,
                 entry.head + " takes any model of a provider: name one as `model`", "model");
  }
  if (choice.targets.empty()) return no_local_target(entry.head);
  Route route = entry.all;
  route.targets = std::move(choice.targets);
  route.reason = entry.head + choice.words;
  return Decision(std::move(route));
}

// The task decides; a model that nobody knows is what its "provider/*" targets are asked for.
Result<Decision> Router::decide_task(const Entry& task, const Facts& facts, bool restricted) const {
  if (facts.model.empty() || facts.model == kAuto) return decide_entry(task, facts, restricted);
  Result<Decision> decision = task.is_static ? decide_entry(task, facts, restricted)
                                             : evaluate(task, facts, facts.model, restricted);
  if (!decision) return decision;
  const std::vector<Target>& targets = decision->route().targets;
  const bool asked = std::any_of(targets.begin(), targets.end(), [&](const Target& target) {
    return facts.model == target.model || facts.model.ends_with("/" + target.model);
  });
  if (!asked) {
    decision->add("; model " + shown(facts.model) + " is not known here");
  }
  return decision;
}

Result<Decision> Router::decide_auto(const Facts& facts, bool restricted) const {
  Guess guess;
  if (const std::string* claimed = classifier_->task_of_path(facts.path)) {
    guess.task = *claimed;
    guess.words = "auto: " + *claimed + " (the path " + std::string(facts.path) + ")";
  } else {
    guess = classifier_->classify(facts.prompt ? facts.prompt() : Prompt{});
  }
  // The classifier was made from the tasks.
  const Entry& task = tasks_.find(guess.task)->second;
  Result<Decision> decision = decide_entry(task, facts, restricted || task.restricted);
  if (decision) decision->begin_with(guess.words, task.head.size());
  return decision;
}

Result<Decision> Router::decide_open(const Facts& facts, bool restricted) const {
  Result<Route> route = resolve_open(facts.model);
  if (!route) return std::move(route).error();
  if (restricted && !providers_[route->targets.front().provider].local)
    return no_local_target("model " + shown(facts.model));
  return Decision(*std::move(route));
}

bool Router::names_open_provider(std::string_view name) const {
  const std::optional<uint16_t> provider = provider_before_slash(name);
  return provider && providers_[*provider].open;
}

// Says that a model named by hand stood above the task of the header.
Result<Decision> Router::beside(Result<Decision> decision, const std::string& chosen_task,
                                const Entry* task) const {
  if (decision && task != nullptr && chosen_task != task->task)
    decision->add("; the model named stands above task " + task->task);
  return decision;
}

Error Router::not_found(std::string_view name) const {
  std::string message = "the model '" + shown(name) + "' is not known here";
  const std::vector<std::string> near = nearest(name, names_);
  message += near.empty() ? "; GET /v1/models lists those that are"
                          : "; did you mean " + quoted_list(near) + "?";
  return Error(Outcome::ModelNotFound, std::move(message), "model");
}

Error Router::unknown_task(std::string_view name, Outcome outcome, std::string param) const {
  std::string message = "the task '" + shown(name) + "' is not known here";
  std::vector<std::string> near = nearest(name, task_names_);
  if (!near.empty()) {
    message += "; did you mean " + quoted_list(near) + "?";
  } else if (task_names_.empty()) {
    message += "; no task is configured";
  } else {
    message += "; there is " + quoted_list(task_names_);
  }
  return Error(outcome, std::move(message), std::move(param));
}

void Decision::add(const std::string& words) {
  if (!own_) own_ = std::make_unique<Route>(*known_);
  own_->reason += words;
}

void Decision::begin_with(const std::string& head, size_t instead_of) {
  if (!own_) own_ = std::make_unique<Route>(*known_);
  own_->reason.replace(0, instead_of, head);
}

}  // namespace sluice::routing
