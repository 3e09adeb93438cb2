// Decoding of one client's body, whatever its dialect: the walk over its members, the errors, and
// the values that every dialect has. A dialect's RequestDecoder says what each member means. Not
// for other rooms.
//
// Used once and by one thread; borrows the body.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"
#include "wire/json.h"

namespace sluice::chat {

inline constexpr size_t kMaxModelName = 256;

// What a number may be, both ends included. kAny is no upper bound, -kAny no lower one.
struct Bounds {
  static constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  int64_t min = 0;
  int64_t max = 0;
};

class BodyDecoder {
 public:
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;
  virtual ~BodyDecoder() = default;

  // Errors are BadRequest and name the field; TooLarge is a body that spans cannot describe.
  Result<Request> run();

 protected:
  BodyDecoder(Endpoint endpoint, std::string_view body);

  // Reads the value of one member of the body, or skips it.
  virtual bool member(const json::Text& key) = 0;
  // After the walk: what has to be there besides `model`, and what excludes what.
  virtual bool complete() = 0;
  // What the body is instead of an object.
  virtual std::string found_at_top() const;

  // Each reads one value and returns false if it is wrong; the first error stays. Null is taken
  // for a value that was not set, but for `model`.
  bool model();
  bool text(std::string* out, std::string_view expected = "a string or null");
  bool integer(const Bounds& bounds, std::optional<int64_t>* out);
  bool real(const Bounds& bounds);
  bool boolean(bool* out, std::string_view expected = "a boolean or null");
  bool service_tier(std::string_view expected = "a string or null");
  bool of_type(json::Type type, std::string_view expected);
  bool tools();
  // A string that adds to the prompt's size. Requires: peek() named a string.
  bool text_size();
  // An array whose elements are read by `element`. Requires: peek() named an array.
  template <class Element>
  bool elements(Element element);
  // The same of whatever comes next, which must be an array that is not empty.
  template <class Element>
  bool filled_array(std::string_view expected, Element element);

  bool fail(std::string message, std::string param);
  // "`n` must be <expected>, found a string at line 1, column 5 (byte 4)", for the value at
  // `start`.
  bool wrong(const char* start, std::string_view expected);
  bool missing(const std::string& name, std::string_view expected);
  // Of the object that begins at `start`.
  bool missing_in(const char* start, std::string_view name, std::string_view expected);
  bool twice(const std::string& path);

  size_t offset_of(const char* p) const { return static_cast<size_t>(p - body_.data()); }
  std::string path_of(const char* p) const { return json::path_at(body_, offset_of(p)); }
  Span span_since(const char* start) const;

  std::string_view body_;
  json::Reader reader_;
  Request request_;

 private:
  bool top_level();

  std::optional<Error> error_;
  bool has_model_ = false;
};

// Here and not in body_decoder.cc: of every message it is the most frequent call.
inline bool BodyDecoder::text_size() {
  json::Text prompt;
  if (!reader_.string(&prompt)) return false;
  request_.prompt_bytes += static_cast<int64_t>(prompt.length());
  return true;
}

template <class Element>
bool BodyDecoder::elements(Element element) {
  reader_.open_array();
  while (reader_.next_element()) {
    if (!element()) return false;
  }
  return !reader_.failed();
}

template <class Element>
bool BodyDecoder::filled_array(std::string_view expected, Element element) {
  const json::Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type != json::Type::Array) return wrong(start, expected);
  bool any = false;
  const auto each = [&] {
    any = true;
    return element();
  };
  return elements(each) && (any || wrong(start, expected));
}

}  // namespace sluice::chat
