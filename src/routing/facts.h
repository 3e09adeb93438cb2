// What a routing decision may look at: borrowed views and lookups of one request, valid for the
// length of the call. Nothing is parsed or copied before a rule asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "routing/function_ref.h"

namespace sluice::routing {

// A primitive that a rule compares with. Views are valid until the next call of the lookup that
// gave them.
struct Value {
  enum class Kind : uint8_t { Missing, Null, Bool, Number, Text };
  Kind kind = Kind::Missing;
  bool boolean = false;
  double number = 0;
  std::string_view text;  // without JSON escapes

  static Value of(std::string_view text) { return {.kind = Kind::Text, .text = text}; }
  static Value of_number(double number) { return {.kind = Kind::Number, .number = number}; }
};

// What the classifier reads of a request.
struct Prompt {
  std::string_view system;     // all system and developer text, or its beginning
  std::string_view last_user;  // text of the last message of the user
  bool tools = false;          // tools are offered
  bool json_schema = false;    // the answer is to be JSON of a schema
};

struct Facts {
  std::string_view model;  // as asked
  std::string_view task;   // of x-sluice-task; empty: none
  std::string_view path;   // "/v1/chat/completions"
  std::string_view key;    // name of the key, never its secret; empty: none
  // For sticky routing; empty where unknown.
  std::string_view user;
  std::string_view conversation;
  // Each may be left empty: then everything it would know is missing.
  FunctionRef<Value(std::string_view name)> metadata;
  FunctionRef<Value(std::string_view name)> header;  // any case of letters
  FunctionRef<Value(std::string_view name)> field;   // of the body, at the top
  FunctionRef<Prompt()> prompt;                      // asked for by model "auto" only
  std::optional<uint64_t> prompt_tokens;             // an estimate
  int64_t wall_micros = 0;                           // since 1970-01-01 UTC
  uint64_t random = 0;                               // every bit drawn afresh for each request
  bool restricted = false;  // x-sluice-data: restricted, or the key says so
};

}  // namespace sluice::routing
