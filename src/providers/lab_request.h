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

#include "net/http1.h"
#include "providers/lab_error.h"
#include "providers/lab_models.h"
#include "providers/lab_portkey_route.h"
#include "wire/chat.h"

namespace sluice::providers {

struct LabFace;
struct LabOptions;

struct LabTool {
  std::string name;
  bool custom = false;
  bool has_parameters = false;
  simdjson::dom::element parameters;  // JSON Schema
};

struct LabRequest {
  enum class ToolChoice : uint8_t { None, Auto, Required };
  enum class Format : uint8_t { Text, JsonObject, JsonSchema };
  // Omitted: it thinks, and shows nothing of it.
  enum class Thinking : uint8_t { Off, Shown, Omitted };
  // Whether the prompt up to the end of a part is to be kept, and for how long.
  enum class Keep : uint8_t { No, FiveMinutes, OneHour };
  // One message, one block, one prompt or one input to embed.
  struct Part {
    uint64_t hash = 0;  // of everything up to its end
    int64_t tokens = 0;
    Keep keep = Keep::No;
  };

  // How the request came. Valid while it is being read.
  struct Arrival {
    const net::RequestHead* head = nullptr;
    const LabOptions* options = nullptr;
    std::string_view request_id;
    int64_t wall_seconds = 0;
  };

  chat::Endpoint endpoint = chat::Endpoint::Chat;
  Arrival arrival;
  std::string refusal_reason;  // what the caller is not told: GET /lab/last
  std::string credential;
  std::string api_version;  // Anthropic's
  LabPortkeyRoute portkey;  // where Portkey was asked
  std::string model;
  std::vector<std::string> fallback_models;  // asked in this order when `model` fails
  std::string reply_id;                      // of the completion, once there is one
  LabModel traits;                           // of the model named, where the lab knows one
  std::string user;
  bool stream = false;
  bool include_usage = false;
  std::optional<int64_t> max_tokens;
  int64_t choices = 1;
  std::vector<std::string> stops;
  uint64_t hash = 0;  // of what decides the reply: model, messages, tools, format

  std::vector<Part> parts;
  size_t keeps = 0;           // parts marked to be kept
  bool keeps_hour = false;    // the last of them for an hour
  int64_t prompt_tokens = 0;  // of all parts and tools
  std::string last_user_text;
  bool last_is_tool_result = false;
  bool mentions_json = false;

  std::vector<LabTool> tools;
  ToolChoice tool_choice = ToolChoice::Auto;
  std::vector<std::string> tool_names;  // the only ones that may be called; empty: any
  bool parallel_tools = true;

  Thinking thinking = Thinking::Off;
  std::optional<int64_t> thinking_budget;

  Format format = Format::Text;
  simdjson::dom::element schema;  // for JsonSchema

  // Responses.
  bool store = false;
  bool background = false;
  std::string previous;                  // previous_response_id
  bool encrypted_reasoning = false;      // it is asked for
  std::vector<std::string> calls;        // ids of function calls
  std::vector<std::string> answered;     // ids of calls whose output is there
  std::vector<std::string> items;        // ids of items that are named and not given
  std::vector<std::string> input_items;  // as JSON, each with an id
  std::string repeated;                  // members of the response that repeat the request

  bool echo = false;       // completions: the prompt before the reply
  int64_t dimensions = 0;  // embeddings; 0: the model's own
  bool base64 = false;

  // True for dialects whose replies are lists of blocks: text, calls and thoughts.
  bool has_blocks() const {
    return endpoint == chat::Endpoint::Messages || endpoint == chat::Endpoint::Responses;
  }
  // Adds to the prompt.
  void add_part(std::string_view text, int64_t tokens, Keep keep = Keep::No);
};

// Reads `body` into `request` by the rules of `face`. Whether the model exists is the caller's
// question. Requires: endpoint and what the head decides are set.
std::optional<LabError> read_lab_request(simdjson::dom::parser& parser, std::string_view body,
                                         const LabFace& face, LabRequest& request);

}  // namespace sluice::providers
