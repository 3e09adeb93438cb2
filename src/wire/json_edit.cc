#include "wire/json_edit.h"

#include "wire/json.h"

namespace sluice::json {
namespace {

struct Member {
  Text key;
  std::string_view value;
};

// To the next member and over its value.
bool next(Reader& reader, Member* member) {
  if (!reader.next_member(&member->key)) return false;
  reader.peek();
  const char* start = reader.pointer();
  if (!reader.skip()) return false;
  member->value = reader.since(start);
  return true;
}

}  // namespace

std::string_view member_of(std::string_view object, std::string_view name) {
  Reader reader(object);
  std::string_view found;
  if (reader.peek() != Type::Object || !reader.open_object()) return found;
  Member member;
  while (next(reader, &member)) {
    if (member.key.is(name)) found = member.value;
  }
  return found;
}

std::optional<std::string> renamed(std::string_view object, std::string_view from,
                                   std::string_view to) {
  if (member_of(object, from).empty()) return std::nullopt;
  Reader reader(object);
  reader.open_object();
  std::string out = "{";
  Member member;
  while (next(reader, &member)) {
    const bool is_it = member.key.is(from);
    if (is_it ? to.empty() : !to.empty() && member.key.is(to)) continue;
    if (out.size() > 1) out += ',';
    if (is_it) {
      append_quoted(out, to);
    } else {
      out.append("\"").append(member.key.raw).append("\"");
    }
    out.append(":").append(member.value);
  }
  return out + "}";
}

std::string with_member(std::string_view object, std::string_view name, std::string_view value) {
  std::string out = "{";
  append_quoted(out, name);
  out.append(":").append(value);
  const size_t brace = object.find('{') + 1;
  const bool empty = object.find_first_not_of(" \t\r\n", brace) == object.rfind('}');
  if (!empty) out += ',';
  out += object.substr(brace);
  return out;
}

}  // namespace sluice::json
