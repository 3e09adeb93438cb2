#include "wire/reply_values.h"

#include <fmt/format.h>

namespace sluice::chat {

using json::Reader;
using json::Text;
using json::Type;

bool read_count(Reader& reader, std::optional<int64_t>* count, bool* sane) {
  const Type type = reader.peek();
  if (type == Type::Null) return reader.null();
  if (type != Type::Number) {
    *sane = false;
    return reader.skip();
  }
  std::string_view digits;
  if (!reader.number(&digits)) return false;
  const std::optional<int64_t> value = json::to_integer(digits);
  if (!value || *value < 0 || *value > kAbsurdTokens) {
    *sane = false;
  } else {
    *count = value;
  }
  return true;
}

bool read_cost(Reader& reader, double* cost) {
  if (reader.peek() != Type::Number) return reader.skip();
  std::string_view digits;
  if (!reader.number(&digits)) return false;
  *cost = std::max(0.0, json::to_double(digits));
  return true;
}

bool read_word(Reader& reader, std::string* word) {
  const Type type = reader.peek();
  const char* start = reader.pointer();
  Text text;
  if (type == Type::String) {
    if (!reader.string(&text)) return false;
    *word = text.str();
    return true;
  }
  if (!reader.skip()) return false;
  if (type == Type::Number) *word = std::string(reader.since(start));
  return true;
}

Error bad_reply(std::string_view body, std::string_view why) {
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    why = "empty";
  } else if (body[first] == '<') {
    why = "an HTML or XML page, not JSON";
  }
  return Error(Outcome::UpstreamBadReply, fmt::format("the upstream's reply is {}", why));
}

}  // namespace sluice::chat
