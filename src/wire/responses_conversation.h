// Reading one request into the middle form; what responses::read_conversation runs. Not for other
// rooms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/conversation.h"
#include "wire/responses_values.h"

namespace sluice::responses {

class ConversationReader {
 public:
  explicit ConversationReader(std::string_view body) : body_(body) {}
  Result<chat::Conversation> run();

 private:
  // Each takes what its name says from the request; the first error stays.
  void check_stateless();
  void sampling();
  void format();
  void reasoning();
  void store_and_include();
  void rest();
  // responses_conversation_tools.cc
  void tools();
  void function_tool(const Object& tool, const std::string& path);
  void custom_tool(const Object& tool, const std::string& path);
  void tool_choice();
  void allowed_tools(const Object& choice);
  void note_others(const Object& object, const std::string& path,
                   std::initializer_list<std::string_view> known);
  // responses_conversation_items.cc
  void input();
  void item(std::string_view text, const std::string& path);
  void message_item(const Object& item, const std::string& path);
  void call_item(const Object& item, bool custom, const std::string& path);
  void output_item(const Object& item, const std::string& path);
  void reasoning_item(const Object& item, const std::string& path);
  void foreign_item(std::string_view text, const std::string& type);
  std::vector<chat::Part> parts_of(std::string_view content, const std::string& path);
  chat::Part part_of(std::string_view text, const std::string& path);
  chat::Message& new_message(chat::Role role);
  chat::Message& message_of(chat::Role role);
  chat::Message& assistant_for_text();

  void fail(std::string message, std::string param);
  void missing(const std::string& path, std::string_view expected);
  void unmapped(std::string name) { out_.unmapped.push_back(std::move(name)); }

  Object body_;
  chat::Conversation out_;
  std::optional<Error> error_;
  // Of the last message:
  bool says_ = false;   // has text or a refusal
  bool calls_ = false;  // has a tool call
};

}  // namespace sluice::responses
