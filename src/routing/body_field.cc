#include "routing/body_field.h"

#include "wire/json.h"

namespace sluice::routing {
namespace {

Value read_value(json::Reader& reader, std::string& scratch) {
  Value value;
  json::Text text;
  std::string_view digits;
  switch (reader.peek()) {
    case json::Type::String:
      if (!reader.string(&text)) break;
      if (!text.escaped) return Value::of(text.raw);
      scratch = text.str();
      return Value::of(scratch);
    case json::Type::Number:
      if (reader.number(&digits)) return Value::of_number(json::to_double(digits));
      break;
    case json::Type::Bool:
      if (reader.boolean(&value.boolean)) value.kind = Value::Kind::Bool;
      break;
    case json::Type::Null:
      if (reader.null()) value.kind = Value::Kind::Null;
      break;
    default:
      break;
  }
  return value;
}

}  // namespace

Value body_field(std::string_view object, std::string_view name, std::string& scratch) {
  json::Reader reader(object);
  json::Text key;
  if (!reader.open_object()) return {};
  while (reader.next_member(&key)) {
    if (key.is(name)) return read_value(reader, scratch);
    if (!reader.skip()) return {};
  }
  return {};
}

}  // namespace sluice::routing
