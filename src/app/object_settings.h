// Organisations, teams, keys and the policy of end users, as the admin API writes them, read by the
// same table as the configuration file: what is wrong there is wrong here, in the same words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/control.h"
#include "app/config_tree.h"
#include "app/settings.h"
#include "governance/control_store.h"

namespace sluice::app {

// "keys.prod", "end_users": where the object stands in a configuration.
std::string path_of(governance::ObjectKind kind, std::string_view name);

// Whether these settings have it; of EndUsers: whether they say anything about end users.
bool has_object(const Settings& settings, governance::ObjectKind kind, std::string_view name);
std::vector<std::string> names_of(const Settings& settings, governance::ObjectKind kind);
void remove_object(Settings& settings, governance::ObjectKind kind, std::string_view name);

struct ObjectBody {
  governance::ObjectKind kind;
  std::string name;
  Node body;
};

// Puts the objects, in place of those of their names, and checks all settings with them. Without
// faults they are in `settings`.
std::vector<api::FieldFault> put_objects(Settings& settings,
                                         const std::vector<ObjectBody>& objects);
// Likewise one; its fields are named from there ("budgets.daily.amount"), others in full.
std::vector<api::FieldFault> put_object(Settings& settings, const ObjectBody& object);
// What does not fit together in settings that lost an object.
std::vector<api::FieldFault> check_objects(const Settings& settings);

// The object as a JSON map of what it says beyond the defaults; secrets are left out. Changes
// nothing: the table hands out references for writing. Requires: has_object().
Node object_node(Settings& settings, governance::ObjectKind kind, const std::string& name);

}  // namespace sluice::app
