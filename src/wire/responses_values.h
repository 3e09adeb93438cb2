// JSON that is known to be valid, for looking at the members of an object in any order. Not for
// other rooms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/json.h"

namespace sluice::responses {

// The members of one object. Views point into the text it was made of.
class Object {
 public:
  struct Member {
    std::string name;
    std::string_view value;  // as it stands
  };

  // Anything but an object has no members. Members that are null are as good as missing.
  explicit Object(std::string_view text);

  std::span<const Member> members() const { return members_; }
  // The value as it stands; empty where it is missing.
  std::string_view raw(std::string_view name) const;
  bool has(std::string_view name) const { return !raw(name).empty(); }
  json::Type type(std::string_view name) const;
  // A value of another type than asked for reads as absent.
  std::string text(std::string_view name) const;
  std::optional<int64_t> integer(std::string_view name) const;
  std::optional<double> real(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;

 private:
  std::vector<Member> members_;
};

json::Type type_of(std::string_view value);
// The text of a string; "" for anything else.
std::string text_of(std::string_view value);
// The elements of an array as they stand; none for anything else.
std::vector<std::string_view> elements_of(std::string_view value);

}  // namespace sluice::responses
