// From settings to who may call: organisations, teams, keys, and what is laid down for them.
#pragma once

#include "app/config_reader.h"
#include "app/settings.h"
#include "base/result.h"
#include "governance/directory.h"

namespace sluice::app {

// Faults in budgets, digests, dates and addresses; teams nobody has heard of; keys without a text.
void check_governance(Reader& reader);

// Of settings that passed the check.
governance::DirectoryParts directory_parts(const Settings& settings,
                                           const governance::KeyDigester& digester);

// KeyDigest::shared of a key that stands in the file; nothing: it has no text of its own there.
std::optional<governance::Digest> shared_digest(const KeySettings& key);

}  // namespace sluice::app
