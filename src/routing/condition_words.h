// The names in conditions, and a condition in words a person reads.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "routing/condition.h"

namespace sluice::routing {

inline constexpr size_t kMaxWords = 240;  // of a condition; longer ones end in "..."

// From Monday, as conditions name them.
inline constexpr std::array<std::string_view, 7> kWeekdays{"mon", "tue", "wed", "thu",
                                                           "fri", "sat", "sun"};
bool is_weekday(std::string_view text);

std::optional<Condition::Op> op_named(std::string_view name);

// The whole text as a finite number.
std::optional<double> number_in(std::string_view text);

std::string words_of(const Condition::Term& root);

}  // namespace sluice::routing
