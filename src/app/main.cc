// The command line: which command, with which arguments. What a command does stands in commands/.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "app/admin_commands.h"
#include "app/commands/books_options.h"
#include "app/commands/check.h"
#include "app/commands/export_options.h"
#include "app/commands/import.h"
#include "app/commands/lab.h"
#include "app/commands/ledger.h"
#include "app/commands/serve.h"
#include "app/config_reference.h"
#include "app/esc_environments.h"
#include "app/file_content.h"
#include "app/named_files.h"
#include "app/stored_secrets.h"
#include "app/telemetry_stack.h"
#include "app/version.h"
#include "base/nearest.h"
#include "providers/lab_reference.h"

namespace sluice::app {
namespace {

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

const Surroundings kMachine{.env = environment, .read_file = file_content};

// Whether the catalog, with the operator's own prices, knows what a model costs.
Priced priced_with(const PriceSettings& prices) {
  Settings settings;
  settings.prices = prices;
  const Result<std::shared_ptr<const telemetry::PriceTable>> table = load_prices(settings);
  if (!table) return [](std::string_view, std::string_view) { return false; };
  return [table = *table](std::string_view provider, std::string_view model) {
    return table->find(provider, model).price != nullptr;
  };
}

int print(const CommandResult& result) {
  std::cout << result.out;
  std::cerr << result.err;
  return result.exit_code;
}

DiagnosticFormat format_named(const std::string& word) {
  if (word == "text") return DiagnosticFormat::Text;
  if (word == "json") return DiagnosticFormat::Json;
  if (word == "github") return DiagnosticFormat::Github;
  throw CLI::ValidationError("--format", "takes text, json or github, not '" + word + "'");
}

// One function per command: declares its arguments and what runs it. `exit_code` outlives the
// parse.
void add_serve(CLI::App& app, const Surroundings& around, EscEnvironments& environments,
               int& exit_code) {
  auto* command = app.add_subcommand("serve", "Run the gateway");
  auto arguments = std::make_shared<ServeArguments>();
  command->add_option(
      "-c,--config", arguments->config_file,
      "Configuration file; without one the environment decides (OPENAI_API_KEY, ...)");
  const auto add_override = [&](const char* flag, const char* key, const char* help) {
    command->add_option_function<std::string>(
        flag,
        [arguments, key, flag](const std::string& value) {
          arguments->overrides.push_back({.key = key, .value = value, .flag = flag});
        },
        help);
  };
  add_override("--listen", "server.listen", "Address and port of the API (127.0.0.1:8080)");
  add_override("--admin-listen", "server.admin_listen",
               "Address and port of admin and metrics (127.0.0.1:8081)");
  add_override("--data-dir", "server.data_dir", "Where the ledger lives (./sluice-data)");
  command->callback([arguments, &around, &environments, &exit_code] {
    exit_code = serve(*arguments, around, environments);
  });
}

void add_lab(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("lab", "Run the deterministic fake provider");
  auto arguments = std::make_shared<LabArguments>();
  command->add_option("--listen", arguments->listen, "Address and port")->capture_default_str();
  command->add_option("--seed", arguments->seed, "The same seed gives the same replies")
      ->capture_default_str();
  command
      ->add_option("--fault", arguments->faults,
                   "A fault and the share of all requests it strikes (reset=5%); may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--price-factor", arguments->price_factor,
                   "Every price times this, also in the list that a gateway fetches")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  auto* cert =
      command->add_option("--tls-cert", arguments->cert_file, "Certificate chain (PEM): serve TLS");
  auto* key = command->add_option("--tls-key", arguments->key_file, "Its private key (PEM)");
  cert->needs(key);
  key->needs(cert);
  auto* account = command->add_option("--snowflake-account", arguments->snowflake_account,
                                      "Account of the Snowflake user whose JWTs are good");
  auto* user = command->add_option("--snowflake-user", arguments->snowflake_user, "Its name");
  auto* public_key = command
                         ->add_option("--snowflake-public-key", arguments->snowflake_key_files,
                                      "Its public key (PEM); twice while keys rotate")
                         ->expected(1, 2);
  account->needs(public_key);
  user->needs(public_key);
  public_key->needs(account)->needs(user);
  command
      ->add_option("--snowflake-pat", arguments->snowflake_pat,
                   "The programmatic access token that is good")
      ->capture_default_str();
  command->add_option("--esc-file", arguments->esc_file,
                      "What its Pulumi ESC environments hold (JSON), read anew at each opening");
  auto reference = std::make_shared<bool>(false);
  command->add_flag("--reference", *reference, "Print its manual (docs/lab.md) and end");
  command->callback([arguments, reference, &exit_code] {
    if (*reference) {
      std::cout << providers::lab_reference_page();
    } else {
      exit_code = lab(*arguments);
    }
  });
}

void add_check(CLI::App& app, const Surroundings& around, int& exit_code) {
  auto* command = app.add_subcommand(
      "check",
      "Check a configuration file; asks nobody, but Pulumi ESC for the values of ${esc:...}");
  auto file = std::make_shared<std::string>();
  auto format = std::make_shared<DiagnosticFormat>(DiagnosticFormat::Text);
  command->add_option("file", *file, "The file")->required();
  command
      ->add_option_function<std::string>(
          "--format", [format](const std::string& word) { *format = format_named(word); },
          "How to print what was found (text)")
      ->type_name("text|json|github");
  command->callback([file, format, &around, &exit_code] {
    LoadInput input = input_from(*file, around);
    input.trials = faults_in_files;
    exit_code = print(check(std::move(input), *format, priced_with));
  });
}

void add_config(CLI::App& app, const Surroundings& around, int& exit_code) {
  auto* schema = app.add_subcommand("schema", "Print the JSON Schema of the configuration");
  schema->callback([] { std::cout << json_schema(); });

  auto* rule = app.add_subcommand("explain", "Explain a code that check printed, such as SL201");
  auto code = std::make_shared<std::string>();
  rule->add_option("code", *code, "The code")->required();
  rule->callback([code, &exit_code] { exit_code = print(explain_rule(*code)); });

  auto* config = app.add_subcommand("config", "Ask about the configuration");
  config->require_subcommand(1);
  auto* reference = config->add_subcommand("reference", "Print docs/configuration.md");
  reference->callback([] { std::cout << reference_page(); });
  auto* explain = config->add_subcommand(
      "explain", "A setting's value, where it comes from, and what it shadows");
  auto setting = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  explain->add_option(
      "key", *setting,
      "The setting, such as server.listen; a section for all in it; without one, all");
  explain->add_option("-c,--config", *file, "Configuration file");
  explain->add_flag("--json", *json, "As JSON");
  explain->callback([setting, file, json, &around, &exit_code] {
    exit_code = print(explain_key(input_from(*file, around), *setting,
                                  *json ? ExplainFormat::Json : ExplainFormat::Text));
  });
}

// To the file, or to stdout without one.
int write_configuration(const CommandResult& result, const std::string& file) {
  if (file.empty() || result.exit_code == kExitInvalid) return print(result);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << result.out;
  out.close();
  if (!out) {
    std::cerr << "sluice: cannot write " << file << "\n";
    return kExitInvalid;
  }
  std::cerr << result.err;
  return result.exit_code;
}

void add_import(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("import", "Turn another gateway's configuration into one");
  command->require_subcommand(1);
  command->footer(
      "The configuration goes to stdout, the report to stderr. Exit codes: 0 all was carried "
      "over,\n"
      "1 something differs or has no counterpart, 2 the file could not be used.");
  const auto add = [&](const char* name, const char* help, ImportFrom from) {
    auto* source = command->add_subcommand(name, help);
    auto file = std::make_shared<std::string>();
    auto output = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    source->add_option("file", *file, "The file")->required();
    source->add_option("-o,--output", *output, "Write the configuration there");
    source->add_flag("--json", *json, "The report as JSON");
    source->callback([file, output, json, from, &exit_code] {
      const Result<std::string> text = file_content(*file);
      if (!text) {
        std::cerr << "sluice: " << *file << " cannot be read: " << text.error().message() << "\n";
        exit_code = kExitInvalid;
        return;
      }
      const auto format = *json ? ReportFormat::Json : ReportFormat::Text;
      exit_code = write_configuration(import_configuration(from, *file, *text, format), *output);
    });
  };
  add("portkey", "A Portkey config (JSON)", ImportFrom::Portkey);
  add("litellm", "A LiteLLM proxy configuration (YAML)", ImportFrom::LiteLlm);
}

CLI::Option* add_ledger_options(CLI::App* command, std::shared_ptr<std::string> path,
                                std::shared_ptr<TableFormat> format) {
  command->add_option("--ledger", *path, "The ledger's file")->capture_default_str();
  return command->add_flag_callback(
      "--json", [format] { *format = TableFormat::Json; }, "As JSON");
}

void add_ledger(CLI::App& app, int& exit_code) {
  auto* report = app.add_subcommand("usage", "What was used and what it cost, from the ledger");
  auto arguments = std::make_shared<UsageArguments>();
  auto path = std::make_shared<std::string>("./sluice-data/ledger.db");
  auto format = std::make_shared<TableFormat>(TableFormat::Text);
  auto* json = add_ledger_options(report, path, format);
  auto* csv = report->add_flag_callback(
      "--csv", [format] { *format = TableFormat::Csv; }, "As CSV");
  csv->excludes(json);
  report
      ->add_option(
          "--by", arguments->by,
          "model, provider, alias, user, day, outcome, key, team, organisation or environment")
      ->capture_default_str();
  report->add_option("--since", arguments->since, "7d, 24h, 30m, or a day like 2026-11-01 (UTC)");
  report->add_option("--until", arguments->until, "Likewise; the moment itself is left out");
  report->callback([arguments, path, format, &exit_code] {
    arguments->ledger = *path;
    arguments->format = *format;
    exit_code = print(usage(*arguments, SystemClock()));
  });

  auto* ledger = app.add_subcommand("ledger", "Look after the ledger");
  ledger->require_subcommand(1);
  auto* verify = ledger->add_subcommand("verify", "Read all of it and say whether it is sound");
  add_ledger_options(verify, path, format);
  verify->callback(
      [path, format, &exit_code] { exit_code = print(verify_ledger(*path, *format)); });
  auto* upgrade = ledger->add_subcommand(
      "upgrade", "Bring the ledger of an earlier version up to date; a gateway does so by itself");
  add_ledger_options(upgrade, path, format);
  upgrade->callback(
      [path, format, &exit_code] { exit_code = print(upgrade_ledger(*path, *format)); });
}

void add_version(CLI::App& app) {
  const std::string version = "sluice " + std::string(kVersion);
  app.set_version_flag("--version", version);
  app.add_subcommand("version", "Print the version")->callback([version] {
    std::cout << version << "\n";
  });
}

// `before`: the command it stands below, and a space.
std::string advise(const std::string& before, const std::string& word,
                   const std::vector<std::string>& names) {
  std::string text = fmt::format("sluice: there is no command '{}{}'", before, word);
  if (const auto meant = nearest(word, names, 1); !meant.empty())
    return text + fmt::format("; did you mean '{}{}'?", before, meant.front());
  return text + fmt::format("; there are: {}", fmt::join(names, " "));
}

// The word that stands where a command should and is none; empty: all are commands. CLI11 would
// only say that a command is missing.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto commands = at->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty() || word.starts_with('-')) return "";
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* c) { return c->get_name() == word; });
    if (found == commands.end()) {
      std::vector<std::string> names;
      names.reserve(commands.size());
      for (const CLI::App* command : commands) names.push_back(command->get_name());
      return advise(at == &app ? "" : at->get_name() + " ", word, names);
    }
    at = *found;
  }
  return "";
}

int run(int argc, char** argv) {
  CLI::App app(
      "Sluice: an LLM gateway. Programs talk to it as they would to OpenAI; it routes, falls "
      "back,\n"
      "counts and keeps the books.");
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed or findings, 2 wrong usage or invalid configuration.");
  int exit_code = kExitOk;
  EscEnvironments environments([](const EscName& name) { return open_esc(name, kMachine); });
  Surroundings around = kMachine;
  around.esc = [&environments](std::string_view environment, std::string_view path) {
    return environments.value(environment, path);
  };
  around.secrets_in = [](const std::string& data_dir) {
    return stored_secrets(data_dir, kMachine);
  };
  add_serve(app, around, environments, exit_code);
  add_lab(app, exit_code);
  add_check(app, around, exit_code);
  add_config(app, around, exit_code);
  add_import(app, exit_code);
  add_ledger(app, exit_code);
  add_admin_commands(app, around, exit_code);
  add_books(app, around, exit_code);
  add_export(app, around, exit_code);
  add_version(app);
  if (const std::string unknown = unknown_command(app, argc, argv); !unknown.empty()) {
    std::cerr << unknown << "\n";
    return kExitInvalid;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitInvalid;
  }
  return exit_code;
}

}  // namespace
}  // namespace sluice::app

int main(int argc, char** argv) {
  return sluice::app::run(argc, argv);
}
