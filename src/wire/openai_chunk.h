// What one chunk of a stream says, and the chunk put right. Not for other rooms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/chat.h"
#include "wire/json.h"
#include "wire/openai_tools.h"
#include "wire/openai_usage.h"

namespace sluice::openai {

// A set of choice indices.
class ChoiceSet {
 public:
  static constexpr int64_t kMax = 128;

  bool has(int64_t i) const { return (words_[i >> 6] >> (i & 63)) & 1; }
  void add(int64_t i) { words_[i >> 6] |= uint64_t{1} << (i & 63); }
  void add(const ChoiceSet& other) {
    words_[0] |= other.words_[0];
    words_[1] |= other.words_[1];
  }
  bool empty() const { return (words_[0] | words_[1]) == 0; }
  bool has_all(const ChoiceSet& other) const {
    return ((other.words_[0] & ~words_[0]) | (other.words_[1] & ~words_[1])) == 0;
  }

 private:
  uint64_t words_[2] = {0, 0};
};

struct Chunk {
  // Values as they stand, quotes included; empty where missing, empty or of the wrong type.
  std::string_view id;
  std::string_view object;
  std::string_view created;
  std::string_view model;
  // Just after the opening bracket of `choices`.
  size_t choices_at = 0;
  // Nothing but the head stands before choices: no usage, no error.
  bool plain_head = true;
  bool has_choices = false;  // an array
  bool is_chunk = false;     // has a key that only chunks have
  uint32_t choices = 0;
  ChoiceSet seen;
  ChoiceSet roles;
  ChoiceSet finished;
  Content content;  // of everything but tool calls
  Content tools;
  // A choice must be put right: no index, no delta, no role at its beginning, content of parts.
  bool repair = false;
  bool unreadable = false;  // content of a type that nobody can forward
  bool is_error = false;
  std::unique_ptr<chat::ErrorFacts> error;

  uint32_t usage_members = 0;
  std::string_view usage_value;  // of the last one
  size_t usage_begin = 0;        // from after the value before it...
  size_t usage_end = 0;          // ...to the end of its own
  bool usage_object = false;
  std::optional<chat::Usage> usage;
  chat::ServiceTier tier = chat::ServiceTier::Unsaid;
};

// Reads a chunk's payload, the whole or, if `skip` > 0, from choices on: the first `skip` bytes are
// known to be a good head that ends with `"choices":[`.
class ChunkWalk {
 public:
  ChunkWalk(chat::Endpoint endpoint, const ChoiceSet& roles_sent, std::unique_ptr<ToolCalls>& tools,
            std::string_view payload)
      : chat_(endpoint == chat::Endpoint::Chat),
        roles_sent_(roles_sent),
        tools_(tools),
        payload_(payload),
        reader_(payload) {}

  // False if the payload is not a JSON object; reader() says why.
  bool run(size_t skip, Chunk* chunk);
  const json::Reader& reader() const { return reader_; }

 private:
  bool members();
  bool member(std::string_view key, size_t before);
  bool usage(size_t before);
  bool choices();
  bool choice_elements();
  bool choice(int64_t position);
  bool delta(bool* role);
  bool delta_member(std::string_view key, bool* role);
  bool content();
  bool finish_reason(bool* finished);
  bool tool_calls();
  bool tool_entry(ToolEntry* entry);
  bool tool_function(ToolEntry* entry);
  bool error();
  bool plain_string(json::Text* text);
  bool value(json::Type type, std::string_view* out);

  bool chat_;
  const ChoiceSet& roles_sent_;
  std::unique_ptr<ToolCalls>& tools_;
  std::string_view payload_;
  json::Reader reader_;
  Chunk* chunk_ = nullptr;
};

// The names under which a whole stream goes to the client: JSON values.
struct Identity {
  std::string_view id;
  std::string_view created;
  std::string_view model;
};

enum class UsageMember : uint8_t { Keep, Remove, Null };

struct Repair {
  chat::Endpoint endpoint = chat::Endpoint::Chat;
  Identity identity;
  UsageMember usage = UsageMember::Keep;
  const ChoiceSet* roles_sent = nullptr;
  const ToolCalls* tools = nullptr;  // null: no tool calls in it
};

// Appends the chunk with everything SSE-2, SSE-3 and SSE-4 ask for; what is right stays as it is,
// unknown members too. Requires: a ChunkWalk accepted the payload.
void append_repaired(std::string& out, std::string_view payload, const Repair& repair);

void append_identity(std::string& out, chat::Endpoint endpoint, const Identity& identity);
std::string_view object_of(chat::Endpoint endpoint);  // quotes included

}  // namespace sluice::openai
