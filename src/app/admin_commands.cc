#include "app/admin_commands.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "app/commands/audit.h"
#include "app/commands/bodies.h"
#include "app/commands/keys.h"
#include "app/commands/secrets.h"
#include "app/user_name.h"

namespace sluice::app {
namespace {

int print(const CommandResult& result) {
  std::cout << result.out;
  std::cerr << result.err;
  return result.exit_code;
}

void add_access(CLI::App* command, AdminAccess& access) {
  command->add_option("--admin", access.address,
                      "Admin address of the running gateway (127.0.0.1:8081)");
  command->add_option("-c,--config", access.config_file, "Its configuration, which says the same");
  command->add_option("--data-dir", access.data_dir,
                      "Where it keeps its admin token (./sluice-data); SLUICE_ADMIN_TOKEN wins");
}

void add_fields(CLI::App* command, KeyFields& fields) {
  command->add_option("--team", fields.team, "Whose key it is");
  command->add_option("--environment", fields.environment, "production, staging, ...: a label");
  command->add_option("--expires", fields.expires, "2027-01-31, or 2027-01-31T12:00:00Z");
  const auto list = [&](const char* flag, std::vector<std::string>& values, const char* help) {
    command->add_option(flag, values, help)->allow_extra_args(false);
  };
  list("--model", fields.models, "A model it may use; may be repeated, as all that follow");
  list("--provider", fields.providers, "A provider it may use");
  list("--tier", fields.tiers, "A tier, alias or route it may name");
  list("--task", fields.tasks, "A task it may name");
  list("--endpoint", fields.endpoints, "An endpoint it may call");
  list("--address", fields.addresses, "Where it may come from: an address, or 10.0.0.0/8");
  list("--budget", fields.budgets, "10/month, or NAME=5/day: dollars per day, week, month, total");
  list("--metadata", fields.metadata, "NAME=VALUE, for its ledger rows");
  command->add_option("--requests-per-minute", fields.requests_per_minute, "0: no limit");
  command->add_option("--tokens-per-minute", fields.tokens_per_minute, "0: no limit");
  command->add_option("--parallel", fields.parallel, "Requests at a time; 0: no limit");
  command->add_flag("--restricted", fields.restricted, "Its data goes to local providers only");
  command->add_flag("--keep-bodies", fields.keep_bodies, "What it asks and is answered is stored");
}

CLI::App* add_key_command(CLI::App* keys_app, const char* word, const char* help,
                          KeysCommand::Verb verb, const Surroundings& around, int& exit_code,
                          const std::shared_ptr<KeysCommand>& command) {
  auto* app = keys_app->add_subcommand(word, help);
  if (verb != KeysCommand::Verb::List)
    app->add_option("name", command->name, "The key's name")->required();
  add_access(app, command->access);
  app->add_flag("--json", command->json, "The gateway's reply as it is");
  app->callback([command, verb, &around, &exit_code] {
    command->verb = verb;
    exit_code = print(keys(*command, around));
  });
  return app;
}

void add_keys(CLI::App& app, const Surroundings& around, int& exit_code) {
  using Verb = KeysCommand::Verb;
  auto* keys_app = app.add_subcommand("keys", "Make and change the keys of a running gateway");
  keys_app->require_subcommand(1);
  const auto command = std::make_shared<KeysCommand>();
  const auto add = [&](const char* word, const char* help, Verb verb) {
    return add_key_command(keys_app, word, help, verb, around, exit_code, command);
  };
  add_fields(add("create", "Make a key; its text goes to stdout, once", Verb::Create),
             command->fields);
  add("list", "All keys", Verb::List);
  add("show", "One key", Verb::Show);
  auto* change = add("change", "Change what the flags name", Verb::Change);
  add_fields(change, command->fields);
  change->add_option("--clear", command->fields.cleared, "A field that goes back to its default")
      ->allow_extra_args(false);
  add("rotate", "Give a key a new text, which goes to stdout, once", Verb::Rotate)
      ->add_option("--grace", command->grace, "How long the old text stays good: 24h, 30m");
  add("revoke", "Let a key open nothing any more", Verb::Revoke);
  add("delete", "Remove a key", Verb::Delete);
  auto* digest = keys_app->add_subcommand(
      "digest", "The digest of a key read from stdin, for keys.*.digest of a configuration");
  digest->callback([&exit_code] {
    exit_code = print(key_digest(std::string(std::istreambuf_iterator<char>(std::cin), {})));
  });
}

void add_tokens(CLI::App& app, const Surroundings& around, int& exit_code) {
  using Verb = TokenCommand::Verb;
  auto* tokens_app = app.add_subcommand("admin-token", "Who may use the admin API");
  tokens_app->require_subcommand(1);
  const auto command = std::make_shared<TokenCommand>();
  const auto add = [&](const char* word, const char* help, Verb verb) {
    auto* each = tokens_app->add_subcommand(word, help);
    if (verb != Verb::List) each->add_option("--name", command->name, "Its name")->required();
    if (verb == Verb::Create)
      each->add_option("--role", command->role, "viewer, analyst, operator or admin")->required();
    add_access(each, command->access);
    each->add_flag("--json", command->json, "The gateway's reply as it is");
    each->callback([command, verb, &around, &exit_code] {
      command->verb = verb;
      exit_code = print(admin_tokens(*command, around));
    });
  };
  add("create", "Make a token; it goes to stdout, once", Verb::Create);
  add("list", "All tokens", Verb::List);
  add("delete", "Remove a token", Verb::Delete);
}

void add_secrets(CLI::App& app, const Surroundings& around, int& exit_code) {
  using Verb = SecretsCommand::Verb;
  auto* secrets_app = app.add_subcommand("secrets", "What the gateway stores encrypted");
  secrets_app->require_subcommand(1);
  const auto command = std::make_shared<SecretsCommand>();
  const auto add = [&](const char* word, const char* help, Verb verb) {
    auto* each = secrets_app->add_subcommand(word, help);
    if (verb != Verb::List) each->add_option("name", command->name, "Its name")->required();
    add_access(each, command->access);
    each->add_flag("--json", command->json, "The gateway's reply as it is");
    each->callback([command, verb, &around, &exit_code] {
      command->verb = verb;
      if (verb == Verb::Set)
        command->value = std::string(std::istreambuf_iterator<char>(std::cin), {});
      exit_code = print(secrets(*command, around));
    });
  };
  add("set", "Store the value read from stdin, for ${secret:NAME} of a configuration", Verb::Set);
  add("list", "All of them, without their values", Verb::List);
  add("delete", "Remove one", Verb::Delete);
  auto* rekey = secrets_app->add_subcommand(
      "rekey", "Seal all with SLUICE_SECRETS_NEW_KEY in place of SLUICE_SECRETS_KEY");
  const auto control = std::make_shared<std::string>("./sluice-data/control.db");
  rekey->add_option("--control", *control, "The gateway's control.db")->capture_default_str();
  rekey->callback([control, &around, &exit_code] {
    exit_code = print(rekey_secrets(*control, user_name(), around, SystemClock()));
  });
}

void add_bodies(CLI::App& app, const Surroundings& around, int& exit_code) {
  auto* bodies_app =
      app.add_subcommand("bodies", "Prompts and answers that a running gateway has kept");
  bodies_app->require_subcommand(1);
  const auto command = std::make_shared<BodiesCommand>();
  auto* show = bodies_app->add_subcommand(
      "show", "What one request asked and was answered, as JSON; the audit chain notes it");
  show->add_option("request_id", command->request_id, "req_...: x-request-id of its reply")
      ->required();
  auto* forget = bodies_app->add_subcommand("forget", "Remove all that is kept of a key or a user");
  auto* key = forget->add_option("--key", command->key, "A key's name");
  forget->add_option("--user", command->user, "An end user, as requests name it")->excludes(key);
  for (auto* each : {show, forget}) add_access(each, command->access);
  show->callback(
      [command, &around, &exit_code] { exit_code = print(show_bodies(*command, around)); });
  forget->callback(
      [command, &around, &exit_code] { exit_code = print(forget_bodies(*command, around)); });
}

void add_audit(CLI::App& app, int& exit_code) {
  auto* audit_app = app.add_subcommand("audit", "Who changed what");
  audit_app->require_subcommand(1);
  const auto command = std::make_shared<AuditCommand>();
  auto* verify = audit_app->add_subcommand("verify", "Say whether the chain is sound");
  auto* out = audit_app->add_subcommand("export", "Print the chain, one JSON object a line");
  for (auto* each : {verify, out})
    each->add_option("--control", command->control, "The gateway's control.db")
        ->capture_default_str();
  verify->add_option("--head", command->head,
                     "A head that verify printed earlier: finds rows cut off the end");
  verify->add_flag("--json", command->json, "As JSON");
  out->add_option("--after", command->after, "Only rows above this number");
  verify->callback([command, &exit_code] { exit_code = print(verify_audit(*command)); });
  out->callback([command, &exit_code] { exit_code = print(export_audit(*command)); });
}

}  // namespace

void add_admin_commands(CLI::App& app, const Surroundings& around, int& exit_code) {
  add_keys(app, around, exit_code);
  add_tokens(app, around, exit_code);
  add_secrets(app, around, exit_code);
  add_bodies(app, around, exit_code);
  add_audit(app, exit_code);
}

}  // namespace sluice::app
