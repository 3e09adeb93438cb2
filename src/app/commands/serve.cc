#include "app/commands/serve.h"

#include <iostream>

#include "app/commands/check.h"
#include "app/named_files.h"
#include "app/service.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;

LoadOutcome load_configuration(const ServeArguments& arguments, const Surroundings& around) {
  LoadInput input = input_from(arguments.config_file, around);
  input.overrides = arguments.overrides;
  input.trials = faults_in_files;
  return load(input);
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
