#include "app/stored_secrets.h"

#include <fmt/format.h>
#include <memory>
#include <unistd.h>
#include <utility>

#include "governance/control_store.h"

namespace sluice::app {
namespace {

using governance::SealedSecret;
using governance::SecretsKey;

Error failed(std::string message) {
  return Error(Outcome::BadRequest, std::move(message));
}

class Vault {
 public:
  static Result<Vault> open(const std::string& path, const Surroundings& around) {
    if (::access(path.c_str(), F_OK) != 0) return Vault();
    Result<store::Database> database =
        store::Database::open(path, {.mode = store::OpenMode::ReadOnly});
    if (!database) return failed(database.error().message());
    Result<governance::StoredSecrets> stored = governance::read_secrets(*database);
    if (!stored) return failed(stored.error().message());
    Vault vault;
    vault.secrets_ = std::move(stored->secrets);
    if (vault.secrets_.empty()) return vault;
    Result<std::optional<SecretsKey>> key = find_secrets_key(around);
    if (!key) return std::move(key).error();
    if (!*key) return failed(fmt::format("neither {0} nor {0}_FILE is set", kSecretsKeyVariable));
    if ((*key)->check() != stored->check)
      return failed(fmt::format("{} is not the key that the secrets in {} were stored with",
                                kSecretsKeyVariable, path));
    vault.key_ = *std::move(*key);
    return vault;
  }

  Result<std::string> value(std::string_view name) const {
    for (const SealedSecret& each : secrets_) {
      if (each.name != name) continue;
      const Result<Secret> opened = key_->open(each);
      if (!opened) return failed(opened.error().message());
      return std::string(opened->reveal());
    }
    return failed(
        fmt::format("none of that name is stored; `sluice secrets set {}` stores it", name));
  }

 private:
  std::vector<SealedSecret> secrets_;
  std::optional<SecretsKey> key_;
};

}  // namespace

Result<std::optional<SecretsKey>> find_secrets_key(const Surroundings& around,
                                                   std::string_view variable) {
  const Looked looked = look_up(variable, around);
  if (looked.fault) return failed(looked.fault->message);
  if (!looked.value || looked.value->empty()) return std::optional<SecretsKey>();
  Result<SecretsKey> key = SecretsKey::parse(*looked.value);
  if (!key) return failed(fmt::format("{}: {}", looked.name, key.error().message()));
  return std::optional(*std::move(key));
}

SecretLookup stored_secrets(const std::string& data_dir, const Surroundings& around) {
  const auto opened = std::make_shared<std::optional<Result<Vault>>>();
  return [opened, path = data_dir + "/control.db",
          &around](std::string_view name) -> Result<std::string> {
    if (!*opened) opened->emplace(Vault::open(path, around));
    const Result<Vault>& vault = **opened;
    if (!vault) return failed(vault.error().message());
    return vault->value(name);
  };
}

}  // namespace sluice::app
