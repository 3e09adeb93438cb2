// A validated JSON value taken apart without copying it: for bodies that are turned into another
// form, where a pull reader would have to meet the members in an order nobody promised.
//
// Requires of every text given here: a json::Reader has accepted it. Views point into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace sluice::json {

// None for an empty text: a member that is not there.
Type type_of(std::string_view value);

// The elements of an array as they stand; none of anything else.
std::vector<std::string_view> elements_of(std::string_view array);

// The text of a string; empty for anything else.
std::string text_of(std::string_view value);

// The members of an object; none of anything else.
class Members {
 public:
  struct Member {
    Text key;
    std::string_view value;  // as it stands, without the space around it
  };

  explicit Members(std::string_view object);

  // The value of a member; empty if there is none or if it is null.
  std::string_view operator[](std::string_view key) const;
  // Empty or absent unless the value is of the type.
  std::string text(std::string_view key) const { return text_of((*this)[key]); }
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;

  auto begin() const { return members_.begin(); }
  auto end() const { return members_.end(); }
  bool empty() const { return members_.empty(); }

 private:
  std::vector<Member> members_;
};

}  // namespace sluice::json
