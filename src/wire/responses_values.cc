#include "wire/responses_values.h"

namespace sluice::responses {

using json::Reader;
using json::Text;
using json::Type;

Object::Object(std::string_view text) {
  Reader reader(text);
  if (reader.peek() != Type::Object) return;
  reader.open_object();
  Text key;
  while (reader.next_member(&key)) {
    const bool is_null = reader.peek() == Type::Null;
    const char* start = reader.pointer();
    if (!reader.skip()) return;
    if (!is_null) members_.push_back({key.str(), reader.since(start)});
  }
}

std::string_view Object::raw(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name) return member.value;
  }
  return {};
}

Type Object::type(std::string_view name) const {
  return type_of(raw(name));
}

std::string Object::text(std::string_view name) const {
  return text_of(raw(name));
}

std::optional<int64_t> Object::integer(std::string_view name) const {
  if (type(name) != Type::Number) return std::nullopt;
  return json::to_integer(raw(name));
}

std::optional<double> Object::real(std::string_view name) const {
  if (type(name) != Type::Number) return std::nullopt;
  return json::to_double(raw(name));
}

std::optional<bool> Object::boolean(std::string_view name) const {
  if (type(name) != Type::Bool) return std::nullopt;
  return raw(name) == "true";
}

Type type_of(std::string_view value) {
  return Reader(value).peek();
}

std::string text_of(std::string_view value) {
  Text text;
  Reader reader(value);
  if (reader.peek() != Type::String || !reader.string(&text)) return "";
  return text.str();
}

std::vector<std::string_view> elements_of(std::string_view value) {
  std::vector<std::string_view> elements;
  Reader reader(value);
  if (reader.peek() != Type::Array) return elements;
  reader.open_array();
  while (reader.next_element()) {
    reader.peek();
    const char* start = reader.pointer();
    if (!reader.skip()) break;
    elements.push_back(reader.since(start));
  }
  return elements;
}

}  // namespace sluice::responses
