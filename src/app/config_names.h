// WordMap for the hints of diagnostics.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::app {

// The nearest of the candidates, or "" when none is near enough to be meant.
std::string nearest_word(std::string_view word, std::span<const std::string_view> candidates);

// "did you mean `x`?", or "" when none of the candidates is near enough to be meant.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

// "`a`, `b` or `c`".
std::string listed(std::span<const std::string_view> words);

}  // namespace sluice::app
