#include "app/commands/serve.h"

#include <iostream>

#include "app/commands/check.h"
#include "app/service.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;

LoadOutcome load_configuration(const ServeArguments& arguments, const Surroundings& around) {
  if (arguments.config_file.empty()) return from_environment(around, arguments.overrides);
  LoadInput input;
  input.file_name = arguments.config_file;
  input.text = around.read_file(arguments.config_file);
  input.around = around;
  input.overrides = arguments.overrides;
  if (input.text) return load(input);
  LoadOutcome outcome;
  Diagnostic diagnostic;
  diagnostic.rule = Rule::UnreadableFile;
  diagnostic.place.source = arguments.config_file;
  diagnostic.message = "cannot be read";
  outcome.diagnostics.push_back(std::move(diagnostic));
  return outcome;
}

}  // namespace

int serve(const ServeArguments& arguments, const Surroundings& around) {
  const Reload reload = [arguments, around] { return load_configuration(arguments, around); };
  LoadOutcome outcome = reload();
  std::cerr << render(outcome.diagnostics, DiagnosticFormat::Text);
  if (!outcome.loaded) return kExitInvalid;
  Result<std::unique_ptr<Service>> service =
      Service::start(*std::move(outcome.loaded), reload, arguments.config_file);
  if (!service) {
    const Error& error = service.error();
    std::cerr << "sluice: " << (error.param().empty() ? "" : error.param() + ": ")
              << error.message() << "\n";
    return error.outcome() == Outcome::BadRequest ? kExitInvalid : kExitFailed;
  }
  (*service)->run();
  return kExitOk;
}

}  // namespace sluice::app
