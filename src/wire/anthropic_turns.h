// The messages of a conversation in the order and grouping the API demands. Not for other rooms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/conversation.h"

namespace sluice::anthropic {

// `text` as a JSON string.
std::string quoted(std::string_view text);

inline constexpr std::string_view kSpace = " \t\r\n";
bool is_blank(std::string_view text);

// True for the types of blocks and tools that only this provider has.
bool is_own_block(std::string_view type);
bool is_own_tool(std::string_view type);

class TurnWriter {
 public:
  // All are borrowed.
  TurnWriter(const chat::Conversation& conversation, const chat::TargetTraits& target,
             std::vector<std::string>* dropped)
      : conversation_(conversation), target_(target), dropped_(dropped) {}

  // `instruction` is added to the system prompt; may be empty. False: error() says why.
  bool run(std::string_view instruction);

  const std::string& system() const { return system_; }  // a JSON value; empty: none
  const std::string& messages() const { return messages_; }
  Error&& error() { return std::move(*error_); }
  // The model is in the middle of a turn of tool calls that it began without thinking.
  bool amid_calls_without_thinking() const { return amid_calls_ && !thought_; }

 private:
  struct Turn {
    chat::Role role = chat::Role::User;
    std::vector<std::pair<size_t, std::string>> results;  // by the order of the calls
    std::vector<std::string> blocks;
  };
  // A tool call of the last assistant turn.
  struct Call {
    std::string id;
    std::string path;
    bool answered = false;
  };

  size_t leading_system() const;
  void find_last_words();
  bool message(size_t index);
  bool part(chat::Role role, const chat::Part& part, const std::string& path);
  bool late_system(const chat::Message& message, const std::string& path);
  Turn& turn_of(chat::Role role);
  bool add(chat::Role role, std::string block);
  bool add_thought(std::string block);
  bool tool_call(const chat::Part& part, const std::string& path);
  bool tool_result(const chat::Part& part, const std::string& path);
  // Appends an image, a document or a text; false: see error_. An empty text appends nothing.
  bool simple_block(const chat::Part& part, const std::string& path, std::string* out);
  bool image(const chat::Part& part, const std::string& path, std::string* out);
  bool document(const chat::Part& part, const std::string& path, std::string* out);
  bool all_answered();
  void write_system(size_t count, std::string_view instruction);
  void write_messages();
  bool fail(std::string message, std::string param);
  void drop(std::string what);

  const chat::Conversation& conversation_;
  const chat::TargetTraits& target_;
  std::vector<std::string>* dropped_;
  std::vector<Turn> turns_;
  std::vector<Call> calls_;
  const chat::Part* last_words_ = nullptr;  // of a trailing assistant turn
  std::string system_;
  std::string messages_;
  std::optional<Error> error_;
  bool amid_calls_ = false;  // the last assistant turn called tools
  bool thought_ = false;     // ... and thought before them
};

}  // namespace sluice::anthropic
