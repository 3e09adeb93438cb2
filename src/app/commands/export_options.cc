#include "app/commands/export_options.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "app/commands/export.h"
#include "app/progress_bar.h"

namespace sluice::app {
namespace {

struct Options {
  ExportArguments arguments;
  std::string config;
  int64_t interval = 10;  // seconds
};

CommandResult run_once(const Options& options, const Settings& settings) {
  ProgressBar bar("export");
  return export_ledger(options.arguments, settings, SystemClock(),
                       [&bar](double done) { bar.show(done); });
}

int print(const CommandResult& result) {
  std::cout << result.out << std::flush;
  std::cerr << result.err;
  return result.exit_code;
}

// Until it is killed, which it may be at any moment. What fails is tried again; what cannot succeed
// ends it.
int follow(const Options& options, const Settings& settings) {
  for (;;) {
    const CommandResult result = run_once(options, settings);
    if (print(result) == kExitInvalid) return kExitInvalid;
    std::this_thread::sleep_for(std::chrono::seconds(options.interval));
  }
}

int run(const Options& options, const Surroundings& around) {
  LoadOutcome outcome = load(input_from(options.config, around));
  if (!outcome.loaded) {
    std::cerr << "sluice: the configuration is not valid: see `sluice check " << options.config
              << "`\n";
    return kExitInvalid;
  }
  const Settings& settings = outcome.loaded->settings;
  return options.arguments.follow ? follow(options, settings) : print(run_once(options, settings));
}

CLI::App* add_one(CLI::App* to, const char* word, const char* help, ExportTo where,
                  const Surroundings& around, int& exit_code, std::shared_ptr<Options>& options) {
  auto* command = to->add_subcommand(word, help);
  options = std::make_shared<Options>();
  ExportArguments& arguments = options->arguments;
  arguments.to = where;
  command->add_option("-c,--config", options->config, "Configuration file, for its section export");
  command->add_option("--ledger", arguments.ledger, "The ledger's file, if it is another");
  command->add_option("--since", arguments.since,
                      "Rows from then on: a day like 2026-11-01 (UTC), or 7d, 24h, 30m ago");
  command->add_option("--until", arguments.until, "Likewise; the moment itself is left out");
  auto* dry = command->add_flag("--dry-run", arguments.dry_run, "Say how many rows would go");
  auto* stay =
      command->add_flag("--follow", arguments.follow, "Go on with what comes, until killed");
  command->add_option("--interval", options->interval, "With --follow: seconds between two looks")
      ->check(CLI::Range(1, 86'400))
      ->needs(stay)
      ->capture_default_str();
  stay->excludes(dry);
  command->add_flag("--json", arguments.json, "As JSON");
  command->callback([options = options, around, &exit_code] { exit_code = run(*options, around); });
  return command;
}

}  // namespace

void add_export(CLI::App& app, const Surroundings& around, int& exit_code) {
  auto* command = app.add_subcommand("export", "Copy the ledger's rows to files or to a database");
  command->require_subcommand(1);
  command->footer(
      "Each run goes on where the last one stopped, also one that was killed. Exit codes: 0 all "
      "was\n"
      "copied, 1 not all of it, 2 wrong usage or invalid configuration.");
  std::shared_ptr<Options> options;
  auto* files = add_one(command, "ndjson", "To files, a JSON object on each line", ExportTo::Ndjson,
                        around, exit_code, options);
  files->add_option("--folder", options->arguments.folder,
                    "Their folder (export.ndjson.folder of the configuration)");
  auto* postgres = add_one(command, "postgres", "To a table in PostgreSQL", ExportTo::Postgres,
                           around, exit_code, options);
  postgres->add_flag("--ddl", options->arguments.ddl, "Print the table's CREATE statement");
  auto* snowflake = add_one(command, "snowflake", "To a table in Snowflake, by its SQL API",
                            ExportTo::Snowflake, around, exit_code, options);
  snowflake->add_flag("--ddl", options->arguments.ddl, "Print the table's CREATE statement");
}

}  // namespace sluice::app
