// What the replies of every dialect have, buffered or in events: the walk over a body, counts of
// tokens, costs, errors. Each dialect's own files say where they stand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/json.h"

namespace sluice::chat {

// More tokens than this in one exchange are a fault of whoever counted.
inline constexpr int64_t kAbsurdTokens = 100'000'000;

// What an upstream says went wrong.
struct ErrorFacts {
  std::string message;
  std::string type;
  std::string code;
};

// Each reads one value; false only if the text is broken.

// A string; any other value leaves the text as it is.
inline bool read_string(json::Reader& reader, json::Text* text) {
  return reader.peek() == json::Type::String ? reader.string(text) : reader.skip();
}
// Null leaves the count absent; what is no integer, negative or absurd makes *sane false.
bool read_count(json::Reader& reader, std::optional<int64_t>* count, bool* sane);
// A cost counts only as a positive number (acceptance COST-7).
bool read_cost(json::Reader& reader, double* cost);
// A string or a number as text; any other value leaves the word as it is.
bool read_word(json::Reader& reader, std::string* word);

// Takes up to `wanted` from what is left of a total.
inline int64_t take_from(int64_t* left, int64_t wanted) {
  const int64_t taken = std::min(wanted, *left);
  *left -= taken;
  return taken;
}

// UpstreamBadReply: "the upstream's reply is <why>", unless it is empty or a page.
Error bad_reply(std::string_view body, std::string_view why);

// Reads a whole body: bool member(json::Reader&, std::string_view key) reads the value of each
// member, and returns false only if the text is broken. Error UpstreamBadReply: it is no object.
template <class Member>
Result<void> read_reply(std::string_view body, Member member) {
  if (!json::is_utf8(body)) return bad_reply(body, "not valid UTF-8");
  json::Reader reader(body);
  if (reader.peek() != json::Type::Object) return bad_reply(body, "not a JSON object");
  reader.open_object();
  json::Text key;
  while (reader.next_member(&key)) {
    if (!member(reader, key.raw)) break;
  }
  if (reader.finish()) return {};
  const Error fault = json::error_of(Outcome::UpstreamBadReply, body, reader);
  return bad_reply(body, fault.message());
}

}  // namespace sluice::chat
