#include "app/esc_environments.h"

#include <utility>

#include "app/esc_value.h"

namespace sluice::app {

Result<std::string> EscEnvironments::value(std::string_view environment, std::string_view path) {
  const std::optional<EscName> name = read_esc_name(environment);
  if (!name) return Error(Outcome::BadRequest, "its name is not of the form ORG/PROJECT/ENV");
  Environment& found = environments_[std::string(environment)];
  found.in_use = true;
  if (!found.content) found.content = open_(*name);
  const Result<Secret>& content = *found.content;
  if (!content) return Error(content.error().outcome(), content.error().message());
  Result<std::string> text = esc_value(content->reveal(), path);
  if (text) found.asked.insert_or_assign(std::string(path), Secret(*text));
  return text;
}

void EscEnvironments::begin_load() {
  std::erase_if(environments_, [](const auto& each) {
    return !each.second.content || !each.second.content->has_value();
  });
  for (auto& [name, environment] : environments_) environment.in_use = false;
}

void EscEnvironments::end_load() {
  std::erase_if(environments_, [](const auto& each) { return !each.second.in_use; });
}

std::vector<std::string> EscEnvironments::names() const {
  std::vector<std::string> names;
  for (const auto& [name, environment] : environments_)
    if (environment.content && *environment.content) names.push_back(name);
  return names;
}

Result<bool> EscEnvironments::adopt(Opening opening) {
  if (!opening.content) return std::move(opening.content).error();
  const auto found = environments_.find(opening.environment);
  if (found == environments_.end()) return false;
  Environment& environment = found->second;
  bool differs = false;
  std::map<std::string, Secret, std::less<>> asked;
  for (const auto& [path, before] : environment.asked) {
    Result<std::string> after = esc_value(opening.content->reveal(), path);
    if (!after) return std::move(after).error();
    differs = differs || !before.equals(*after);
    asked.emplace(path, Secret(*std::move(after)));
  }
  environment.content = std::move(opening.content);
  environment.asked = std::move(asked);
  return differs;
}

}  // namespace sluice::app
