// The walk through one chat request; what openai::read_conversation runs. Not for other rooms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/conversation.h"
#include "wire/json.h"

namespace sluice::openai {

class ConversationReader {
 public:
  // `body` was accepted by decode_request: its JSON is sound, fields known there have their types.
  explicit ConversationReader(std::string_view body) : body_(body), reader_(body) {}
  Result<chat::Conversation> run();

 private:
  // One message as it stands, before its role says what it means.
  struct RawMessage {
    std::string role;
    std::string name;
    std::string call_id;    // tool_call_id
    std::string reasoning;  // reasoning_content, else reasoning
    std::string refusal;
    std::string audio_id;
    std::vector<chat::Part> content;
    std::vector<chat::Part> calls;
    std::string cache_control;  // of the whole message
  };

  void member(std::string_view key);
  bool sampling(std::string_view key);
  bool text_member(std::string_view key);
  void stop();
  void stream_options();
  void response_format();
  void json_schema();
  void reasoning();
  void unmapped(std::string_view key);

  // openai_conversation_messages.cc
  void message();
  RawMessage raw_message();
  void place(RawMessage&& raw, size_t offset);
  void place_result(RawMessage&& raw, size_t offset);
  void place_assistant(RawMessage&& raw);
  void content(std::vector<chat::Part>* parts);
  void part(std::vector<chat::Part>* parts);
  void part_body(std::string_view type, chat::Part* part);
  void image(chat::Part* part);
  void audio(chat::Part* part);
  void file(chat::Part* part);
  void breakpoint(std::string* marker);
  void call(std::vector<chat::Part>* calls);
  void named_call(chat::Part* call);
  std::string function_call_id(std::string_view name) const;

  // openai_conversation_tools.cc
  void tool();
  void function(chat::Tool* tool);
  void tool_choice();
  void allowed_tools();
  void function_choice();
  void keep_allowed();

  size_t offset_here();
  void fail(std::string what, size_t offset);
  void note(std::string field);

  std::string_view body_;
  json::Reader reader_;
  chat::Conversation out_;
  std::optional<std::vector<std::string>> allowed_;  // names of tools that may be called
  std::optional<Error> error_;
  int64_t function_calls_ = 0;  // deprecated calls so far: they have no ids of their own
  bool completion_limit_ = false;
  bool safety_identifier_ = false;
};

}  // namespace sluice::openai
