// Any bytes as a configuration file: either whole settings or at least one error with a place, and
// every way of telling it works.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "app/commands/check.h"

namespace {

std::optional<std::string> variable(std::string_view name) {
  if (name == "SECRET_VALUE") return "sk-live-0123456789abcdef";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

sluice::Result<std::string> file(std::string_view name) {
  if (auto text = variable(name)) return *std::move(text);
  return sluice::Error(sluice::Outcome::BadRequest, "No such file or directory");
}

bool is_priced(std::string_view, std::string_view model) {
  return model.size() % 2 == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::app;
  LoadInput input;
  input.file_name = "fuzz.yaml";
  input.text = std::string(reinterpret_cast<const char*>(data), size);
  input.around.env = variable;
  input.around.read_file = file;
  input.priced = [](const PriceSettings&) { return Priced(is_priced); };
  const auto outcome = load(input);
  if (outcome.loaded.has_value() == has_errors(outcome.diagnostics)) std::abort();
  for (const auto format :
       {DiagnosticFormat::Text, DiagnosticFormat::Json, DiagnosticFormat::Github}) {
    const auto result = check(input, format, input.priced);
    if ((result.exit_code == kExitOk) != outcome.loaded.has_value()) std::abort();
    // What was written literally may be quoted; what came out of the environment never.
    if (input.text->find("0123456789abcdef") == std::string::npos &&
        (result.out + result.err).find("0123456789abcdef") != std::string::npos)
      std::abort();
  }
  if (outcome.loaded &&
      !changes_between(outcome.loaded->settings, outcome.loaded->settings).empty())
    std::abort();
  return 0;
}
