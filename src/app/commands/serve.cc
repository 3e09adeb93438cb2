#include "app/commands/serve.h"

#include <iostream>

#include "app/commands/check.h"
#include "app/named_files.h"
#include "app/service.h"
#include "app/stored_secrets.h"

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

int serve(const ServeArguments& arguments, const Surroundings& around,
          EscEnvironments& environments) {
  const Reload reload = [arguments, around, &environments] {
    environments.begin_load();
    LoadOutcome outcome = load_configuration(arguments, around);
    if (outcome.loaded) environments.end_load();
    return outcome;
  };
  LoadOutcome outcome = reload();
  std::cerr << render(outcome.diagnostics, DiagnosticFormat::Text);
  if (!outcome.loaded) return kExitInvalid;
  Result<std::unique_ptr<Service>> service =
      Service::start(*std::move(outcome.loaded),
                     {.reload = reload,
                      .config_file = arguments.config_file,
                      .esc = {.environments = environments,
                              .open =
                                  [around](const EscName& name, const std::stop_token& stop) {
                                    return open_esc(name, around, stop);
                                  }},
                      .secrets_key = [around] { return find_secrets_key(around); }});
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
