// A whole request or answer in the middle form, for when client and target speak different
// dialects. Made only then: between equals the bytes pass through (acceptance TR-1).
//
// What no member stands for is named in `unmapped`, so that nothing is ever dropped without a word
// (TR-3). Values only, no I/O. JSON texts are kept as they were written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/chat.h"

namespace sluice::chat {

enum class Role : uint8_t { System, User, Assistant };

// One piece of a message or of an answer.
struct Part {
  enum class Kind : uint8_t {
    Text,
    Image,
    File,  // a document: PDF or text
    Audio,
    ToolCall,
    ToolResult,
    Thinking,  // reasoning that may be shown
    Redacted,  // reasoning the provider encrypted: only that provider can read it
    Refusal,
    Foreign,  // known to one dialect only: `json` is the whole block
  };
  Kind kind = Kind::Text;
  std::string text;  // Text, Thinking, Refusal; of a File its title
  // Image, File, Audio: either a URL or base64 with its type, or an id the provider knows.
  std::string url;
  std::string media_type;  // "image/png"; of Audio its format ("wav")
  std::string data;        // base64; of Redacted what stands in for the text
  std::string file_id;
  std::string detail;  // of an Image: "low", "high", "auto"; empty: not said
  // ToolCall: id, name, arguments. ToolResult: id of the call it answers.
  std::string id;
  std::string name;
  std::string arguments;  // JSON text; a model may have written it wrong. Custom tools: plain text
  bool custom = false;    // ToolCall of a tool that takes plain text
  std::vector<Part> content;  // ToolResult: Text, Image and File parts
  bool is_error = false;      // ToolResult
  std::string signature;      // Thinking: proves to its provider that the text is its own
  std::string cache_control;  // JSON object of a prompt-cache marker; empty: none
  std::string json;           // Foreign
  friend bool operator==(const Part&, const Part&) = default;
};

struct Message {
  Role role = Role::User;
  std::string name;  // of the speaker; may be empty
  std::vector<Part> parts;
  friend bool operator==(const Message&, const Message&) = default;
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // JSON Schema; empty: takes none
  std::optional<bool> strict;
  std::string cache_control;  // as Part's
  bool custom = false;        // takes plain text instead of arguments
  std::string
      json;  // a tool only one dialect knows (web search …): the whole of it, `name` its type
  friend bool operator==(const Tool&, const Tool&) = default;
};

struct ToolChoice {
  enum class Kind : uint8_t { Unset, Auto, None, Required, One };
  Kind kind = Kind::Unset;
  std::string name;  // One
  friend bool operator==(const ToolChoice&, const ToolChoice&) = default;
};

struct Format {
  enum class Kind : uint8_t { Text, JsonObject, JsonSchema };
  Kind kind = Kind::Text;
  std::string name;  // JsonSchema
  std::string description;
  std::string schema;  // JSON
  std::optional<bool> strict;
  friend bool operator==(const Format&, const Format&) = default;
};

// How much to think before the answer. Dialects have one of two scales, or both.
struct Reasoning {
  std::string effort;             // "none", "minimal", "low" … "max"; empty: not said
  std::optional<int64_t> budget;  // tokens
  bool adaptive = false;          // the model decides
  std::string summary;            // of Responses: "auto", "concise", "detailed"
  friend bool operator==(const Reasoning&, const Reasoning&) = default;
};

struct Conversation {
  std::string model;
  bool stream = false;
  // System messages stand where they stood.
  std::vector<Message> messages;
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  std::optional<bool> parallel_tool_calls;
  std::optional<int64_t> max_output_tokens;
  std::optional<double> temperature;  // 0..2 as OpenAI has it; other scales are cut, not stretched
  std::optional<double> top_p;
  std::optional<int64_t> top_k;
  std::optional<double> frequency_penalty;
  std::optional<double> presence_penalty;
  std::optional<int64_t> seed;
  int64_t choices = 1;
  std::vector<std::string> stop;
  Format format;
  Reasoning reasoning;
  std::string user;
  std::string service_tier;
  std::string prompt_cache_key;
  // Top-level fields that were asked for and that no member above stands for, in the order of the
  // request: "logprobs", "audio", "web_search_options".
  std::vector<std::string> unmapped;
  friend bool operator==(const Conversation&, const Conversation&) = default;
};

enum class Finish : uint8_t { Unknown, Stop, Length, ToolCalls, ContentFilter };

// A whole answer, one choice.
struct Answer {
  std::string id;
  std::string model;
  int64_t created = 0;      // seconds since 1970; 0: not said
  std::vector<Part> parts;  // Text, Refusal, Thinking, Redacted, ToolCall, in order
  Finish finish = Finish::Unknown;
  std::string
      native_finish;  // as the provider wrote it; kept where Finish has no word for it (TR-11)
  std::string stop_sequence;  // the one that was met, if the provider says
  std::optional<Usage> usage;
};

// A request written for a target, and what was left out of it because the target has no place for
// it: names of fields as the client wrote them ("seed", "messages[2].content[0] (input_audio)").
struct Translated {
  std::string body;
  std::vector<std::string> dropped;
};

// What a translating writer has to know about the target's model.
struct TargetTraits {
  std::string_view model;  // as the target calls it
  // Anthropic and Cortex want an output limit: this one where the client gave none.
  int64_t default_max_output = 4096;
  bool ask_usage = false;       // a stream shall end with its usage
  bool old_max_tokens = false;  // wants `max_tokens` where OpenAI has max_completion_tokens
  bool fixed_sampling = false;  // refuses temperature and top_p: they are dropped, not sent
  bool system_in_turn = false;  // takes system messages in the middle of a conversation
  bool effort = false;          // Anthropic: takes output_config.effort and adaptive thinking
  bool output_schema = true;    // Anthropic: takes output_config.format
  // OpenAI's dialect:
  bool developer_role = false;     // system messages go as `developer`
  bool reasoning_effort = true;    // takes reasoning_effort
  bool cache_breakpoints = false;  // takes prompt_cache_breakpoint on parts
};

}  // namespace sluice::chat
