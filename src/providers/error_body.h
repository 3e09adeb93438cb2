// What an upstream's error body says, whatever its dialect, in one shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::providers {

// Whose envelope the body is.
enum class ErrorShape : uint8_t {
  None,       // HTML, plain text, garbage, nothing, or JSON of no known form
  OpenAi,     // {"error":{"message",...}}: OpenAI, OpenRouter, Gemini and most compatible servers
  Anthropic,  // {"type":"error","error":{"type","message"}}
  Flat,       // {"message","code",...}: Snowflake, older vLLM and Mistral, FastAPI's {"detail"}
  Portkey,    // {"status":"failure",...} or {"success":false,"data":{...}}
};

struct ErrorBody {
  ErrorShape shape = ErrorShape::None;
  bool is_json = false;
  bool is_html = false;
  std::string message;
  std::string type;
  std::string code;  // numbers as text
  std::string param;
  std::string vendor;  // who failed behind an intermediary, as that names it
  std::string raw;     // what the one behind it said, as it stood
  // Every other word that tells the kind of error: error_type, availability.code,
  // details.error_code, status.
  std::vector<std::string> words;
  std::string retry_delay;               // "34s", of Google's RetryInfo
  std::optional<int64_t> prompt_tokens;  // llama.cpp tells both beside its message
  std::optional<int64_t> context_size;

  // True if code, type or one of the other words is `word`, in any case of letters.
  bool says(std::string_view word) const;
};

// Never fails: what cannot be read is not there. Nothing longer than 4 KB is kept of any text.
ErrorBody read_error_body(std::string_view body);

}  // namespace sluice::providers
