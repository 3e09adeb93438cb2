// A request as the lab understands it, refused where the real provider is known to refuse it.
//
// Borrows from the parser that read it: valid until that parser reads again.
#pragma once

#include <cstdint>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

#include "providers/lab_error.h"
#include "wire/chat.h"

namespace sluice::providers {

struct LabModel;

struct LabTool {
  std::string name;
  bool custom = false;
  bool has_parameters = false;
  simdjson::dom::element parameters;  // JSON Schema
};

struct LabRequest {
  enum class ToolChoice : uint8_t { None, Auto, Required };
  enum class Format : uint8_t { Text, JsonObject, JsonSchema };
  // One message, one prompt or one input to embed.
  struct Part {
    uint64_t hash = 0;  // of everything up to its end
    int64_t tokens = 0;
  };

  chat::Endpoint endpoint = chat::Endpoint::Chat;
  std::string model;
  std::string user;
  bool stream = false;
  bool include_usage = false;
  std::optional<int64_t> max_tokens;
  int64_t choices = 1;
  std::vector<std::string> stops;
  uint64_t hash = 0;  // of what decides the reply: model, messages, tools, format

  std::vector<Part> parts;
  int64_t prompt_tokens = 0;  // of all parts and tools
  std::string last_user_text;
  bool last_is_tool_result = false;
  bool mentions_json = false;

  std::vector<LabTool> tools;
  ToolChoice tool_choice = ToolChoice::Auto;
  std::vector<std::string> tool_names;  // the only ones that may be called; empty: any
  bool parallel_tools = true;

  Format format = Format::Text;
  simdjson::dom::element schema;  // for JsonSchema

  bool echo = false;       // completions: the prompt before the reply
  int64_t dimensions = 0;  // embeddings; 0: the model's own
  bool base64 = false;

  // Set by the caller from the model's name.
  bool reasoning_model = false;
};

// Reads `body` into `request`. Whether the model exists is the caller's question: `is_reasoning`
// tells for a name whether it is a model that thinks.
std::optional<LabError> read_lab_request(simdjson::dom::parser& parser, std::string_view body,
                                         bool (*is_reasoning)(std::string_view model),
                                         LabRequest& request);

}  // namespace sluice::providers
