// The secrets that the admin API stored, as ${secret:NAME} reads them: control.db of the data
// directory, opened with SLUICE_SECRETS_KEY (or _FILE).
#pragma once

#include <optional>
#include <string>

#include "app/config_substitute.h"
#include "governance/sealed_secret.h"

namespace sluice::app {

inline constexpr std::string_view kSecretsKeyVariable = "SLUICE_SECRETS_KEY";

// Nothing: neither the variable nor its twin is set. Errors: it is no key, in words that name where
// it stands.
Result<std::optional<governance::SecretsKey>> find_secrets_key(
    const Surroundings& around, std::string_view variable = kSecretsKeyVariable);

// Reads the store at the first question, and not again. `around` must outlive what it gives.
SecretLookup stored_secrets(const std::string& data_dir, const Surroundings& around);

}  // namespace sluice::app
