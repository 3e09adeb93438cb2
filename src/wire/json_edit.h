// Looking up and changing a member of a JSON object as text: what stands around it stays byte for
// byte. For rare requests; each call walks the object once.
//
// Requires, everywhere: `object` was accepted by a json::Reader and is an object.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::json {

// The value of the last member of that name, as it stands; empty: there is none.
std::string_view member_of(std::string_view object, std::string_view name);

// The same object with the member called something else, or without it where `to` is empty. Nothing
// if there is no such member. A member that already has the new name goes, so that no name stands
// there twice.
std::optional<std::string> renamed(std::string_view object, std::string_view from,
                                   std::string_view to);

// The same object with this member before all others. Requires: it has none of that name.
std::string with_member(std::string_view object, std::string_view name, std::string_view value);

}  // namespace sluice::json
