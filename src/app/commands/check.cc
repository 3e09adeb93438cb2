#include "app/commands/check.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace sluice::app {
namespace {

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string verdict(const std::string& file, std::span<const Diagnostic> diagnostics) {
  const auto is_error = [](const Diagnostic& diagnostic) {
    return info_of(diagnostic.rule).severity == Severity::Error;
  };
  const auto errors =
      static_cast<size_t>(std::count_if(diagnostics.begin(), diagnostics.end(), is_error));
  const size_t warnings = diagnostics.size() - errors;
  if (errors > 0)
    return fmt::format("{}: {}, {}\n", file, counted(errors, "error"),
                       counted(warnings, "warning"));
  return warnings > 0 ? fmt::format("{}: usable, {}\n", file, counted(warnings, "warning"))
                      : fmt::format("{}: ok\n", file);
}

}  // namespace

CommandResult check(LoadInput input, DiagnosticFormat format, PricedWith priced) {
  input.priced = std::move(priced);
  const auto outcome = load(input);
  std::string notes;
  if (outcome.loaded)
    for (const auto& note : outcome.loaded->notes) notes += fmt::format("note: {}\n", note);
  CommandResult result;
  result.exit_code = outcome.loaded ? kExitOk : kExitInvalid;
  result.out = render(outcome.diagnostics, format);
  if (format == DiagnosticFormat::Text)
    result.err = notes + verdict(input.file_name, outcome.diagnostics);
  return result;
}

CommandResult explain_rule(std::string_view code) {
  auto digits = code;
  if (digits.size() > 2 && std::toupper(static_cast<unsigned char>(digits[0])) == 'S' &&
      std::toupper(static_cast<unsigned char>(digits[1])) == 'L')
    digits.remove_prefix(2);
  int number = 0;
  const char* const end = digits.data() + digits.size();
  const bool is_number = std::from_chars(digits.data(), end, number).ptr == end && !digits.empty();
  for (const auto& info : rules())
    if (is_number && static_cast<int>(info.rule) == number)
      return {.out = fmt::format("{} ({}): {}\n\n{}\n", code_of(info.rule),
                                 info.severity == Severity::Error ? "error" : "warning", info.title,
                                 info.explanation)};
  CommandResult unknown{.exit_code = kExitInvalid,
                        .out = "",
                        .err = fmt::format("no rule is called {}; the rules are:\n", code)};
  for (const auto& info : rules())
    unknown.err += fmt::format("  {}  {}\n", code_of(info.rule), info.title);
  return unknown;
}

}  // namespace sluice::app
