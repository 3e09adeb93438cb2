#include "app/commands/books_options.h"

#include <iostream>
#include <memory>
#include <string>

#include "app/commands/books.h"
#include "app/progress_bar.h"
#include "app/telemetry_stack.h"
#include "app/user_name.h"

namespace sluice::app {
namespace {

constexpr std::string_view kLedgerFile = "./sluice-data/ledger.db";

int print(const CommandResult& result) {
  std::cout << result.out;
  std::cerr << result.err;
  return result.exit_code;
}

// By the prices that the configuration gives; without a file, by the catalog in the program.
CommandResult run_reprice(const std::string& config, RepriceArguments arguments,
                          const Surroundings& around) {
  LoadOutcome outcome = load(input_from(config, around));
  if (!outcome.loaded) {
    return {.exit_code = kExitInvalid,
            .out = "",
            .err = "sluice: the configuration is not valid: see `sluice check " + config + "`\n"};
  }
  const Settings& settings = outcome.loaded->settings;
  if (arguments.ledger.empty()) arguments.ledger = settings.ledger.path;
  if (arguments.control.empty()) arguments.control = settings.server.data_dir + "/control.db";
  const auto prices = load_prices(settings);
  if (!prices) {
    return {
        .exit_code = kExitInvalid, .out = "", .err = "sluice: " + prices.error().message() + "\n"};
  }
  ProgressBar bar("reprice");
  return reprice_ledger(arguments, **prices, user_name(), SystemClock(),
                        [&bar](double done) { bar.show(done); });
}

void add_reprice(CLI::App& app, const Surroundings& around, int& exit_code) {
  auto* command = app.add_subcommand(
      "reprice", "Compute again what rows of the ledger cost, by the prices of today");
  auto arguments = std::make_shared<RepriceArguments>();
  auto config = std::make_shared<std::string>();
  command->add_option("-c,--config", *config, "Configuration file, for its prices and its ledger");
  command->add_option("--ledger", arguments->ledger, "The ledger's file, if it is another");
  command->add_option("--control", arguments->control,
                      "The gateway's control.db, if it is another: its audit chain tells of it");
  command->add_option("--from", arguments->from, "A day like 2026-11-01 (UTC), or 7d, 24h, 30m ago")
      ->required();
  command->add_option("--to", arguments->to, "Likewise; the moment itself is left out (now)");
  command->add_option("--provider", arguments->provider, "Rows of this provider alone");
  command->add_option("--model", arguments->model, "Rows of this model alone");
  command->add_flag("--provider-costs", arguments->provider_costs,
                    "Also rows that carry the provider's own figure: it is lost");
  command->add_flag("--dry-run", arguments->dry_run, "Show what would change, change nothing");
  command->add_flag("--json", arguments->json, "As JSON");
  command->callback([arguments, config, around, &exit_code] {
    exit_code = print(run_reprice(*config, *arguments, around));
  });
}

void add_reconcile(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("reconcile", "Hold the ledger against a provider's export of its books");
  command->footer(
      "Exit codes: 0 equal within the tolerance, 1 beyond it, 2 something cannot be read.");
  auto arguments = std::make_shared<ReconcileArguments>();
  arguments->ledger = kLedgerFile;
  command->add_option("file", arguments->file, "The export, CSV or JSON")->required();
  command->add_option("--ledger", arguments->ledger, "The ledger's file")->capture_default_str();
  command
      ->add_option("--format", arguments->format,
                   "auto, openai, anthropic, openrouter, portkey or snowflake")
      ->capture_default_str();
  command->add_option("--provider", arguments->provider,
                      "The provider's name in the configuration (that of the format)");
  command->add_option("--from", arguments->from,
                      "First day, such as 2026-11-01 (UTC); else the export's first");
  command->add_option("--to", arguments->to, "The day after the last; else the export's last");
  command
      ->add_option("--tolerance", arguments->tolerance,
                   "By how much a figure may differ, such as 1%")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "As JSON");
  command->callback([arguments, &exit_code] {
    CommandResult result;
    {
      ProgressBar bar("reconcile");
      result = reconcile_export(*arguments, SystemClock(), [&bar](double done) { bar.show(done); });
    }
    exit_code = print(result);
  });
}

}  // namespace

void add_books(CLI::App& app, const Surroundings& around, int& exit_code) {
  add_reprice(app, around, exit_code);
  add_reconcile(app, exit_code);
}

}  // namespace sluice::app
