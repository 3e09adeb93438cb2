#include "providers/lab_faults.h"

#include <charconv>

namespace sluice::providers {
namespace {

bool is_number_part(std::string_view part) {
  return part.size() == 1 && part[0] >= 'A' && part[0] <= 'Z';
}

std::string_view take_part(std::string_view& rest) {
  const size_t dash = rest.find('-');
  const std::string_view part = rest.substr(0, dash);
  rest.remove_prefix(dash == std::string_view::npos ? rest.size() : dash + 1);
  return part;
}

// "status-S" against "status-503": the numbers, or nothing when it is another name.
std::optional<std::array<int64_t, 2>> match(std::string_view pattern, std::string_view name) {
  std::array<int64_t, 2> numbers{};
  size_t count = 0;
  while (!pattern.empty() && !name.empty()) {
    const std::string_view wanted = take_part(pattern);
    const std::string_view found = take_part(name);
    if (!is_number_part(wanted)) {
      if (wanted != found) return std::nullopt;
      continue;
    }
    if (found.empty() || found.size() > 9) return std::nullopt;
    const auto [end, error] =
        std::from_chars(found.data(), found.data() + found.size(), numbers[count++]);
    if (error != std::errc() || end != found.data() + found.size()) return std::nullopt;
  }
  if (!pattern.empty() || !name.empty()) return std::nullopt;
  return numbers;
}

// Calls `visit(group)` at the start of each group and `visit_row(row)` for each row.
template <class Group, class Row>
void walk(Group group, Row row) {
  std::string_view current;
  for (const std::span<const LabFault> table : lab_fault_tables()) {
    for (const LabFault& fault : table) {
      if (fault.group != current) group(current = fault.group);
      row(fault);
    }
  }
}

}  // namespace

std::array<std::span<const LabFault>, 2> lab_fault_tables() {
  return {lab_faults(), lab_gateway_faults()};
}

bool apply_lab_fault(std::string_view name, LabPlan& plan) {
  for (const std::span<const LabFault> table : lab_fault_tables()) {
    for (const LabFault& fault : table) {
      const auto numbers = match(fault.pattern, name);
      if (!numbers) continue;
      fault.apply(plan, *numbers);
      return true;
    }
  }
  return false;
}

std::optional<std::string_view> apply_lab_faults(std::string_view names, char separator,
                                                 LabPlan& plan) {
  while (!names.empty()) {
    const size_t end = names.find(separator);
    std::string_view name = names.substr(0, end);
    names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty() && !apply_lab_fault(name, plan)) return name;
  }
  return std::nullopt;
}

std::string lab_faults_text() {
  std::string out;
  walk(
      [&out](std::string_view group) {
        out += '\n';
        out += group;
        out += ":\n";
      },
      [&out](const LabFault& fault) {
        out += "  ";
        out += fault.pattern;
        out.append(fault.pattern.size() < 30 ? 30 - fault.pattern.size() : 1, ' ');
        out += fault.doc;
        out += '\n';
      });
  return out;
}

std::string lab_faults_markdown() {
  std::string out;
  walk(
      [&out](std::string_view group) {
        out += "\n### ";
        out += group;
        out += "\n\n| name | what happens |\n| --- | --- |\n";
      },
      [&out](const LabFault& fault) {
        out += "| `";
        out += fault.pattern;
        out += "` | ";
        out += fault.doc;
        out += " |\n";
      });
  return out;
}

}  // namespace sluice::providers
