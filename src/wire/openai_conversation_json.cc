#include "wire/openai_conversation_json.h"

#include <fmt/format.h>

namespace sluice::openai {

using json::Type;

std::string take_text(json::Reader& reader) {
  json::Text text;
  if (reader.peek() != Type::String) {
    reader.skip();
    return "";
  }
  return reader.string(&text) ? text.str() : "";
}

std::string take_raw(json::Reader& reader) {
  if (reader.peek() == Type::Null) {
    reader.null();
    return "";
  }
  const char* start = reader.pointer();
  return reader.skip() ? std::string(reader.since(start)) : "";
}

std::optional<double> take_real(json::Reader& reader) {
  std::string_view digits;
  if (reader.peek() != Type::Number) {
    reader.skip();
    return std::nullopt;
  }
  if (!reader.number(&digits)) return std::nullopt;
  return json::to_double(digits);
}

std::optional<int64_t> take_integer(json::Reader& reader) {
  std::string_view digits;
  if (reader.peek() != Type::Number) {
    reader.skip();
    return std::nullopt;
  }
  if (!reader.number(&digits)) return std::nullopt;
  return json::to_integer(digits);
}

std::optional<bool> take_bool(json::Reader& reader) {
  bool value = false;
  if (reader.peek() != Type::Bool) {
    reader.skip();
    return std::nullopt;
  }
  if (!reader.boolean(&value)) return std::nullopt;
  return value;
}

bool is_json(std::string_view text, Type type) {
  if (!json::is_utf8(text)) return false;
  json::Reader reader(text);
  return reader.peek() == type && reader.skip() && reader.finish();
}

std::optional<DataUrl> split_data_url(std::string_view url) {
  constexpr std::string_view kScheme = "data:";
  constexpr std::string_view kBase64 = ";base64";
  const size_t comma = url.find(',');
  if (!url.starts_with(kScheme) || comma == std::string_view::npos) return std::nullopt;
  std::string_view type = url.substr(kScheme.size(), comma - kScheme.size());
  if (!type.ends_with(kBase64)) return std::nullopt;
  type.remove_suffix(kBase64.size());
  return DataUrl{std::string(type), std::string(url.substr(comma + 1))};
}

std::string join_data_url(std::string_view media_type, std::string_view data) {
  return fmt::format("data:{};base64,{}", media_type, data);
}

}  // namespace sluice::openai
