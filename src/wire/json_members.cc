#include "wire/json_members.h"

namespace sluice::json {

Type type_of(std::string_view value) {
  return value.empty() ? Type::None : kTypeOfByte[static_cast<unsigned char>(value.front())];
}

std::vector<std::string_view> elements_of(std::string_view array) {
  std::vector<std::string_view> elements;
  if (type_of(array) != Type::Array) return elements;
  Reader reader(array);
  reader.open_array();
  while (reader.next_element()) {
    reader.peek();
    const char* start = reader.pointer();
    if (reader.skip()) elements.push_back(reader.since(start));
  }
  return elements;
}

std::string text_of(std::string_view value) {
  Reader reader(value);
  Text text;
  return type_of(value) == Type::String && reader.string(&text) ? text.str() : "";
}

Members::Members(std::string_view object) {
  if (type_of(object) != Type::Object) return;
  Reader reader(object);
  reader.open_object();
  Member member;
  while (reader.next_member(&member.key)) {
    reader.peek();
    const char* start = reader.pointer();
    if (!reader.skip()) return;
    member.value = reader.since(start);
    members_.push_back(member);
  }
}

std::string_view Members::operator[](std::string_view key) const {
  for (const Member& member : members_) {
    if (!member.key.is(key)) continue;
    return type_of(member.value) == Type::Null ? std::string_view() : member.value;
  }
  return {};
}

std::optional<int64_t> Members::integer(std::string_view key) const {
  const std::string_view value = (*this)[key];
  return type_of(value) == Type::Number ? to_integer(value) : std::nullopt;
}

std::optional<double> Members::number(std::string_view key) const {
  const std::string_view value = (*this)[key];
  if (type_of(value) != Type::Number) return std::nullopt;
  return to_double(value);
}

std::optional<bool> Members::boolean(std::string_view key) const {
  const std::string_view value = (*this)[key];
  if (type_of(value) != Type::Bool) return std::nullopt;
  return value == "true";
}

}  // namespace sluice::json
