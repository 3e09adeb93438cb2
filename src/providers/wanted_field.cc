#include "providers/wanted_field.h"

#include <algorithm>
#include <string>

namespace sluice::providers {
namespace {

// Fields a request may be sent without, or under another name, and still mean the same.
constexpr WantedField kFields[] = {
    {"max_tokens", "max_completion_tokens"},
    {"max_completion_tokens", "max_tokens"},
    {"temperature", ""},
    {"top_p", ""},
    {"top_k", ""},
    {"stream_options", ""},
};

// In lower case. Without one of these the field is known and its value is wrong.
constexpr std::string_view kRefusals[] = {
    "unsupported",
    "not supported",
    "does not support",
    "unrecognized",
    "unknown parameter",
    "unknown field",
    "unknown name",  // Google
    "extra inputs are not permitted",
    "extra fields not permitted",
    "is deprecated for this model",
    "only the default",
    "may only be set to 1",
    "cannot both be specified",
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Where `name` stands as a word of its own; npos: nowhere.
size_t place_of(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end])))
      return at;
  }
  return std::string_view::npos;
}

bool refuses_field(const ErrorBody& body) {
  for (const std::string_view word :
       {"unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"}) {
    if (body.says(word)) return true;
  }
  std::string text = body.message;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::any_of(std::begin(kRefusals), std::end(kRefusals), [&text](std::string_view words) {
    return text.find(words) != std::string::npos;
  });
}

}  // namespace

std::optional<WantedField> read_wanted_field(const ErrorBody& body) {
  if (!refuses_field(body)) return std::nullopt;
  for (const WantedField& field : kFields) {
    if (body.param == field.reject) return field;
  }
  // The field named first is the one at fault; the other is the advice.
  const WantedField* found = nullptr;
  size_t first = std::string_view::npos;
  for (const WantedField& field : kFields) {
    const size_t at = place_of(body.message, field.reject);
    if (at >= first) continue;
    first = at;
    found = &field;
  }
  if (found == nullptr) return std::nullopt;
  return *found;
}

}  // namespace sluice::providers
