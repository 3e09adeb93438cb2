// Small steps over a json::Reader, for walks that care about few members of many objects. A value
// of another type than asked for is skipped and reads as absent; broken JSON leaves the reader
// failed, for whoever began the walk to see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/json.h"

namespace sluice::openai {

// Calls member(key) for every member of the object that comes next; it must consume the value.
template <class F>
void each_member(json::Reader& reader, F&& member) {
  if (reader.peek() != json::Type::Object) {
    reader.skip();
    return;
  }
  reader.open_object();
  json::Text key;
  while (reader.next_member(&key)) {
    if (key.escaped) {
      member(std::string_view(key.str()));
    } else {
      member(key.raw);
    }
  }
}

// Calls element() for every element of the array that comes next; it must consume the value.
template <class F>
void each_element(json::Reader& reader, F&& element) {
  if (reader.peek() != json::Type::Array) {
    reader.skip();
    return;
  }
  reader.open_array();
  while (reader.next_element()) element();
}

// The text of a string, else "".
std::string take_text(json::Reader& reader);
// Any value but null as it stands; "" for null.
std::string take_raw(json::Reader& reader);
std::optional<double> take_real(json::Reader& reader);
std::optional<int64_t> take_integer(json::Reader& reader);
std::optional<bool> take_bool(json::Reader& reader);

// True if `text` is one JSON value of that type and nothing else.
bool is_json(std::string_view text, json::Type type);

// The parts of "data:image/png;base64,AAAA".
struct DataUrl {
  std::string media_type;
  std::string data;  // base64
};
// Absent if `url` is no data URL with base64 in it.
std::optional<DataUrl> split_data_url(std::string_view url);
std::string join_data_url(std::string_view media_type, std::string_view data);

}  // namespace sluice::openai
