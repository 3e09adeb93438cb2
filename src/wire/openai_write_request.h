// Writing one chat request; what openai::write_request runs. Not for other rooms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/conversation.h"
#include "wire/openai_write_json.h"

namespace sluice::openai {

// Names of what had no place, each once, in the order they came up.
class DroppedNames {
 public:
  void add(std::string_view name);
  std::vector<std::string> take() { return std::move(names_); }

 private:
  std::vector<std::string> names_;
};

// The word for a part in a name like "messages.content (thinking)".
std::string_view word_of(chat::Part::Kind kind);

// "low" up to about 1,000 tokens of thought, "medium" up to about 4,000, else "high": the nearest
// of the budgets that stand for those words.
std::string_view effort_for(int64_t budget);
// 1024, 4096, 16384 tokens for "low", "medium", "high" and what lies beyond.
int64_t budget_for(std::string_view effort);

class RequestWriter {
 public:
  RequestWriter(const chat::Conversation& conversation, const chat::TargetTraits& traits)
      : in_(conversation), traits_(traits), json_(out_.body) {}
  Result<chat::Translated> run();

 private:
  using Parts = std::vector<const chat::Part*>;

  void limits();
  void sampling();
  void reasoning();
  void format();
  void tools();
  void tool(const chat::Tool& tool);
  void tool_choice(bool any_tool);
  void identity();
  void stream();

  // openai_write_messages.cc
  void message(size_t index);
  void system(const chat::Message& message);
  void user(const chat::Message& message, bool more_results);
  void assistant(const chat::Message& message);
  void result(const chat::Part& result);
  void begin(std::string_view role, const std::string& name);
  void content(const Parts& parts);
  void part(const chat::Part& part);
  void marker(const chat::Part& part);
  void image(const chat::Part& part);
  void file(const chat::Part& part);
  void calls(const chat::Message& message);
  bool has_place(const chat::Part& part, chat::Role role);
  void drop_part(const chat::Part& part);

  const chat::Conversation& in_;
  const chat::TargetTraits& traits_;
  chat::Translated out_;
  JsonWriter json_;
  DroppedNames dropped_;
  size_t messages_ = 0;  // written so far
  Parts moved_;          // out of results of tools, to stand behind the last of them
};

}  // namespace sluice::openai
