#include "base/nearest.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

// Names longer than this are not worth comparing: they come from a caller who may choose them
// large.
constexpr size_t kLongest = 128;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool one_begins_with_the_other(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  return common >= 3 && edit_distance(a.substr(0, common), b.substr(0, common)) == 0;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<size_t> before(width), previous(width), current(width);
  for (size_t j = 0; j < width; ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j < width; ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      current[j] =
          std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::vector<std::string> nearest(std::string_view name, std::span<const std::string> known,
                                 size_t most) {
  std::vector<std::pair<size_t, const std::string*>> near;
  if (name.size() > kLongest) return {};
  for (const std::string& candidate : known) {
    if (candidate.size() > kLongest) continue;
    const size_t distance = edit_distance(name, candidate);
    const size_t allowed = std::max(name.size(), candidate.size()) / 3;
    if (distance <= allowed || one_begins_with_the_other(name, candidate))
      near.emplace_back(distance, &candidate);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(most, near.size()); ++i) names.push_back(*near[i].second);
  return names;
}

}  // namespace sluice
