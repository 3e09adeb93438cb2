#include "providers/lab_chance.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "providers/lab_faults.h"

namespace sluice::providers {
namespace {

constexpr uint32_t kAll = 1'000'000;

// splitmix64: neighbouring numbers give values that have nothing in common.
uint64_t scatter(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// "5%", "0.25%" as parts of a million.
std::optional<uint32_t> read_share(std::string_view text) {
  double percent = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  const bool whole = error == std::errc() && std::string_view(rest, end) == "%";
  if (!whole || !(percent >= 0 && percent <= 100)) return std::nullopt;
  return static_cast<uint32_t>(percent * (kAll / 100.0) + 0.5);
}

Result<LabChance> read_chance(std::string_view text) {
  const size_t mark = text.find('=');
  LabChance chance{std::string(text.substr(0, mark)), kAll};
  LabPlan unused;
  if (const auto stranger = apply_lab_faults(chance.faults, '+', unused)) {
    return Error(
        Outcome::BadRequest,
        fmt::format("--fault: the lab knows no '{}'; docs/lab.md lists what it knows", *stranger));
  }
  if (mark == std::string_view::npos) return chance;
  const std::optional<uint32_t> share = read_share(text.substr(mark + 1));
  if (!share) {
    return Error(
        Outcome::BadRequest,
        fmt::format("--fault: '{}' is no share; write it as 5% or 0.5%", text.substr(mark + 1)));
  }
  chance.per_million = *share;
  return chance;
}

}  // namespace

Result<std::vector<LabChance>> parse_lab_chances(std::span<const std::string> texts) {
  std::vector<LabChance> chances;
  uint64_t sum = 0;
  for (const std::string& text : texts) {
    Result<LabChance> chance = read_chance(text);
    if (!chance) return std::move(chance).error();
    sum += chance->per_million;
    chances.push_back(*std::move(chance));
  }
  if (sum > kAll) return Error(Outcome::BadRequest, "--fault: the shares add up to over 100%");
  return chances;
}

std::string_view draw_lab_faults(std::span<const LabChance> chances, uint64_t seed,
                                 uint64_t number) {
  uint64_t drawn = scatter(scatter(seed) + number) % kAll;
  for (const LabChance& chance : chances) {
    if (drawn < chance.per_million) return chance.faults;
    drawn -= chance.per_million;
  }
  return {};
}

}  // namespace sluice::providers
