#include "wire/body_decoder.h"

#include <algorithm>
#include <fmt/format.h>

#include "wire/key_set.h"

namespace sluice::chat {

using json::Text;
using json::Type;

namespace {

std::string words_of(const Bounds& bounds, std::string_view kind) {
  if (bounds.min == -Bounds::kAny) return std::string(kind);
  if (bounds.max == Bounds::kAny) return fmt::format("{} of at least {}", kind, bounds.min);
  return fmt::format("{} between {} and {}", kind, bounds.min, bounds.max);
}

bool within(const Bounds& bounds, double value) {
  return (bounds.min == -Bounds::kAny || value >= static_cast<double>(bounds.min)) &&
         (bounds.max == Bounds::kAny || value <= static_cast<double>(bounds.max));
}

}  // namespace

BodyDecoder::BodyDecoder(Endpoint endpoint, std::string_view body) : body_(body), reader_(body) {
  request_.endpoint = endpoint;
  request_.body = body;
}

Result<Request> BodyDecoder::run() {
  if (body_.size() > std::numeric_limits<uint32_t>::max()) {
    return Error(Outcome::TooLarge, "the body is larger than 4 GiB");
  }
  if (!json::is_utf8(body_)) return json::utf8_error(Outcome::BadRequest, body_);
  bool good = top_level();
  if (good && !has_model_) good = missing("model", "the name of a model, a string,");
  if (good && complete()) return std::move(request_);
  if (error_) return std::move(*error_);
  return json::error_of(Outcome::BadRequest, body_, reader_);
}

bool BodyDecoder::top_level() {
  const Type type = reader_.peek();
  if (type != Type::Object && type != Type::None) {
    return fail(fmt::format("the body must be a JSON object, found {}", found_at_top()), "");
  }
  if (!reader_.open_object()) return false;
  request_.object_open = static_cast<uint32_t>(reader_.at());
  json::KeySet keys;
  Text key;
  while (reader_.next_member(&key)) {
    const json::KeySet::Added added = keys.add(key);
    if (added == json::KeySet::Added::Twice) {
      const size_t offset = offset_of(key.raw.data()) - 1;
      return fail(fmt::format("`{}` stands twice in the body, the second time at {}", key.str(),
                              json::position_at(body_, offset)),
                  key.str());
    }
    if (added == json::KeySet::Added::TooMany) {
      return fail(fmt::format("the body has more than {} fields", json::KeySet::kMaxKeys), "");
    }
    if (!member(key)) return false;
  }
  return reader_.finish();
}

std::string BodyDecoder::found_at_top() const {
  return json::found_at(body_, reader_.at());
}

bool BodyDecoder::model() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  Text name;
  if (type != Type::String) return wrong(start, "the name of a model, a string");
  if (!reader_.string(&name)) return false;
  request_.model_value = span_since(start);
  request_.model = name.str();
  has_model_ = true;
  if (name.empty()) return wrong(start, "a string that is not empty");
  if (request_.model.size() > kMaxModelName) {
    return wrong(start, fmt::format("a string of at most {} bytes", kMaxModelName));
  }
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(request_.model.begin(), request_.model.end(), is_control)) {
    return wrong(start, "a string without control characters");
  }
  return true;
}

bool BodyDecoder::text(std::string* out, std::string_view expected) {
  const Type type = reader_.peek();
  Text words;
  if (type == Type::Null) return reader_.null();
  if (type != Type::String) return wrong(reader_.pointer(), expected);
  if (!reader_.string(&words)) return false;
  *out = words.str();
  return true;
}

bool BodyDecoder::integer(const Bounds& bounds, std::optional<int64_t>* out) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  std::string_view digits;
  if (type == Type::Number) {
    if (!reader_.number(&digits)) return false;
    const std::optional<int64_t> value = json::to_integer(digits);
    if (value && *value >= bounds.min && *value <= bounds.max) {
      *out = value;
      return true;
    }
  }
  return wrong(start, words_of(bounds, "an integer"));
}

bool BodyDecoder::real(const Bounds& bounds) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  std::string_view digits;
  if (type == Type::Number) {
    if (!reader_.number(&digits)) return false;
    if (within(bounds, json::to_double(digits))) return true;
  }
  return wrong(start, words_of(bounds, "a number"));
}

bool BodyDecoder::boolean(bool* out, std::string_view expected) {
  const Type type = reader_.peek();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Bool) return wrong(reader_.pointer(), expected);
  return reader_.boolean(out);
}

bool BodyDecoder::service_tier(std::string_view expected) {
  std::string tier;
  if (!text(&tier, expected)) return false;
  request_.tier = service_tier_named(tier);
  return true;
}

bool BodyDecoder::of_type(Type type, std::string_view expected) {
  const Type next = reader_.peek();
  if (next != type && next != Type::Null) return wrong(reader_.pointer(), expected);
  return reader_.skip();
}

bool BodyDecoder::tools() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Array) return wrong(start, "an array of objects");
  const auto tool = [&] {
    return reader_.peek() == Type::Object ? reader_.skip() : wrong(reader_.pointer(), "an object");
  };
  if (!elements(tool)) return false;
  request_.prompt_bytes += static_cast<int64_t>(reader_.since(start).size());
  return true;
}

bool BodyDecoder::fail(std::string message, std::string param) {
  if (!error_) error_.emplace(Outcome::BadRequest, std::move(message), std::move(param));
  return false;
}

bool BodyDecoder::wrong(const char* start, std::string_view expected) {
  const size_t offset = offset_of(start);
  // Where no value begins, the fault is the reader's to name.
  if (json::Reader(body_, offset, 0).peek() == Type::None) return reader_.skip();
  if (!reader_.failed() && !error_) {
    error_ = json::mismatch(Outcome::BadRequest, body_, offset, expected);
  }
  return false;
}

bool BodyDecoder::missing(const std::string& name, std::string_view expected) {
  return fail(fmt::format("`{}` is missing: {} is required", name, expected), name);
}

bool BodyDecoder::missing_in(const char* start, std::string_view name, std::string_view expected) {
  return missing(fmt::format("{}.{}", path_of(start), name), expected);
}

bool BodyDecoder::twice(const std::string& path) {
  return fail(fmt::format("`{}` stands there twice", path), path);
}

Span BodyDecoder::span_since(const char* start) const {
  return {static_cast<uint32_t>(offset_of(start)), static_cast<uint32_t>(reader_.at())};
}

}  // namespace sluice::chat
