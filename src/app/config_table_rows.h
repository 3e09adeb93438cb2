// What the parts of the table are written with. Not for other files.
#pragma once

#include <span>
#include <string_view>

#include "app/config_table.h"

namespace sluice::app {

std::span<const Property> server_rows();
std::span<const Property> providers_rows();
std::span<const Property> routing_rows();
std::span<const Property> telemetry_rows();
std::span<const Property> export_rows();
std::span<const Property> governance_rows();
std::span<const Property> redis_rows();

template <auto... Members>
auto& at(Settings& settings, std::string_view) {
  return (settings.*....*Members);
}

template <auto... Members>
auto& of_provider(Settings& settings, std::string_view name) {
  return (provider_of(settings, name).*....*Members);
}

template <auto Member>
Price& of_price(Settings& settings, std::string_view model) {
  return custom_price_of(settings, model).*Member;
}

template <auto Member>
Price& of_credits(Settings& settings, std::string_view model) {
  return credit_price_of(settings, model).*Member;
}

inline Subtree& tree_of(Settings& settings, std::string_view name) {
  return strategy_of(settings, name).tree;
}

inline std::vector<std::string>& phrase_list_of(Settings& settings, std::string_view name) {
  return phrases_of(settings, name).phrases;
}

using S = Settings;
using Server = ServerSettings;
using P = ProviderSettings;
using Resilience = ResilienceSettings;

inline constexpr int64_t kSecondMs = 1'000;
inline constexpr int64_t kDayMs = 86'400 * kSecondMs;
inline constexpr int64_t kHourMs = 3'600'000;
inline constexpr Limits kSoon{1, kHourMs};           // a wait that must end
inline constexpr Limits kDayOrOff{0, 24 * kHourMs};  // zero turns it off
inline constexpr Limits kDay{1, 24 * kHourMs};
inline constexpr Limits kModestSize{1 << 10, 1 << 30};

}  // namespace sluice::app
