#include "providers/error_body.h"

#include <algorithm>
#include <array>

#include "net/http1.h"
#include "wire/json.h"

namespace sluice::providers {
namespace {

using json::Reader;
using json::Text;
using json::Type;

constexpr size_t kLongestText = 4096;
// Text that is no JSON is shown only so far.
constexpr size_t kLongestPlain = 300;
constexpr size_t kMostWords = 16;
constexpr int kDeepest = 6;

enum class Field : uint8_t {
  Message,
  Type,
  Code,
  Param,
  Vendor,
  Raw,
  Word,
  RetryDelay,
  PromptTokens,
  ContextSize
};

struct Row {
  std::string_view path;  // members joined by '.'; the elements of an array have its path
  Field field;
};

// Where providers put what they have to say. The first value of each field stays.
constexpr Row kRows[] = {
    {"error", Field::Message},  // Ollama, xAI
    {"error.message", Field::Message},
    {"error.type", Field::Type},
    {"error.code", Field::Code},
    {"error.param", Field::Param},
    {"error.status", Field::Word},  // Google
    {"error.details.error_code", Field::Word},
    {"error.details.reason", Field::Word},
    {"error.details.retryDelay", Field::RetryDelay},
    {"error.innererror.code", Field::Word},  // Azure
    {"error.metadata.error_type", Field::Word},
    {"error.metadata.provider_code", Field::Word},
    {"error.metadata.provider_name", Field::Vendor},
    {"error.metadata.raw", Field::Raw},
    {"error.availability.code", Field::Word},
    {"availability.code", Field::Word},
    {"error.n_prompt_tokens", Field::PromptTokens},
    {"error.n_ctx", Field::ContextSize},
    {"message", Field::Message},
    {"message.detail.msg", Field::Message},  // Mistral
    {"message.detail.type", Field::Word},
    {"message.detail.loc", Field::Param},
    {"type", Field::Type},
    {"code", Field::Code},
    {"error_code", Field::Word},
    {"param", Field::Param},
    {"data.message", Field::Message},
    {"data.errorCode", Field::Code},
    {"detail", Field::Message},  // FastAPI
    {"detail.msg", Field::Message},
    {"detail.type", Field::Word},
    {"detail.loc", Field::Param},  // ["body","max_tokens"]
    {"provider", Field::Vendor},
    {"html-message", Field::Message},
};

void cut(std::string& text, size_t longest) {
  if (text.size() <= longest) return;
  text.resize(longest);
  while (!text.empty() && !json::is_utf8(text)) text.pop_back();
}

std::optional<int64_t> count_of(std::string_view text) {
  if (text.empty() || text.size() > 15) return std::nullopt;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

class BodyReader {
 public:
  explicit BodyReader(std::string_view text) : reader_(text) {}

  ErrorBody read() {
    value("", 0);
    body_.is_json = reader_.finish();
    body_.shape = shape();
    return std::move(body_);
  }

 private:
  // What stands at the top, for the shape.
  struct Top {
    bool error_object = false;
    bool error_text = false;
    bool message = false;
    bool detail = false;
    bool type_is_error = false;
    bool status_is_failure = false;
    bool refuses_success = false;
    bool html_message = false;
  };

  void value(const std::string& path, int depth) {
    if (depth > kDeepest) {
      reader_.skip();
      return;
    }
    switch (reader_.peek()) {
      case Type::Object:
        object(path, depth);
        return;
      case Type::Array:
        reader_.open_array();
        while (reader_.next_element()) value(path, depth + 1);
        return;
      case Type::String: {
        Text text;
        if (reader_.string(&text)) take(path, text.str());
        return;
      }
      case Type::Number: {
        std::string_view digits;
        if (reader_.number(&digits)) take(path, std::string(digits));
        return;
      }
      default:
        scalar(path);
    }
  }

  void object(const std::string& path, int depth) {
    if (path == "error") top_.error_object = true;
    reader_.open_object();
    Text key;
    while (reader_.next_member(&key)) {
      const std::string name = key.str();
      value(path.empty() ? name : path + "." + name, depth + 1);
    }
  }

  void scalar(const std::string& path) {
    const char* const start = reader_.peek() == Type::None ? nullptr : reader_.pointer();
    if (!reader_.skip() || start == nullptr) return;
    if (path == "success" && reader_.since(start) == "false") top_.refuses_success = true;
  }

  void take(std::string_view path, std::string text) {
    note_top(path, text);
    if (path == "type" && text == "error") return;  // Anthropic's mark, not the type of the error
    // An error inside a reply or a stream's event is told as any other.
    for (const std::string_view around : {"choices.", "response."}) {
      if (path.starts_with(around)) path.remove_prefix(around.size());
    }
    const auto* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                         [&](const Row& each) { return each.path == path; });
    if (row == std::end(kRows)) return;
    cut(text, kLongestText);
    if (row->field == Field::Word) {
      if (body_.words.size() < kMostWords) body_.words.push_back(std::move(text));
    } else if (row->field == Field::PromptTokens) {
      body_.prompt_tokens = count_of(text);
    } else if (row->field == Field::ContextSize) {
      body_.context_size = count_of(text);
    } else {
      std::string& place = place_of(row->field);
      const bool says_nothing = row->field == Field::Param && text == "body";
      if (place.empty() && !says_nothing) place = std::move(text);
    }
  }

  void note_top(std::string_view path, std::string_view text) {
    if (path == "error") top_.error_text = true;
    if (path.starts_with("message")) top_.message = true;
    if (path.starts_with("detail")) top_.detail = true;
    if (path == "html-message") top_.html_message = true;
    if (path == "type" && text == "error") top_.type_is_error = true;
    if (path == "status" && text == "failure") top_.status_is_failure = true;
  }

  std::string& place_of(Field field) {
    switch (field) {
      case Field::Type:
        return body_.type;
      case Field::Code:
        return body_.code;
      case Field::Param:
        return body_.param;
      case Field::Vendor:
        return body_.vendor;
      case Field::Raw:
        return body_.raw;
      case Field::RetryDelay:
        return body_.retry_delay;
      default:
        return body_.message;
    }
  }

  ErrorShape shape() const {
    if (!body_.is_json) return ErrorShape::None;
    if (top_.status_is_failure || top_.refuses_success || top_.html_message)
      return ErrorShape::Portkey;
    if (top_.error_object) return top_.type_is_error ? ErrorShape::Anthropic : ErrorShape::OpenAi;
    if (top_.message || top_.detail || top_.error_text) return ErrorShape::Flat;
    return ErrorShape::None;
  }

  Reader reader_;
  ErrorBody body_;
  Top top_;
};

ErrorBody read_plain(std::string_view text) {
  ErrorBody body;
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return body;
  text.remove_prefix(first);
  body.is_html = text.front() == '<';
  if (body.is_html) return body;
  body.message = text.substr(0, kLongestPlain);
  cut(body.message, kLongestPlain);
  return body;
}

}  // namespace

bool ErrorBody::says(std::string_view word) const {
  if (net::same_name(code, word) || net::same_name(type, word)) return true;
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& each) { return net::same_name(each, word); });
}

ErrorBody read_error_body(std::string_view body) {
  if (!json::is_utf8(body)) return {};
  const Type type = Reader(body).peek();
  if (type != Type::Object && type != Type::Array) return read_plain(body);
  return BodyReader(body).read();
}

}  // namespace sluice::providers
