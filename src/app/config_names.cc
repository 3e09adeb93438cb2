#include "app/config_names.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <vector>

#include "base/nearest.h"

namespace sluice::app {
std::string nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
  const std::vector<std::string> known(candidates.begin(), candidates.end());
  const auto meant = nearest(word, known, 1);
  return meant.empty() ? "" : meant.front();
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto meant = nearest_word(word, candidates);
  return meant.empty() ? "" : fmt::format("did you mean `{}`?", meant);
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += fmt::format("`{}`", words[i]);
  }
  return out;
}

}  // namespace sluice::app
