// "Did you mean": the known names closest to one that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), ASCII
// case ignored.
size_t edit_distance(std::string_view a, std::string_view b);

// At most `most` of `known`, nearest first, none further away than a third of the longer name; a
// name that begins with `name`, or the other way round, counts as near.
std::vector<std::string> nearest(std::string_view name, std::span<const std::string> known,
                                 size_t most = 3);

}  // namespace sluice
