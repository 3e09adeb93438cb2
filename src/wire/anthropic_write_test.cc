// Conversations of other dialects as Anthropic gets them. Each case is a golden file,
// tests/golden/anthropic/write_<name>.txt; golden_test.cc says how they are rewritten.
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "wire/anthropic_conversation.h"
#include "wire/golden_files.h"
#include "wire/golden_show.h"
#include "wire/json.h"

namespace sluice {
namespace {

using chat::Conversation;
using chat::Message;
using chat::Part;
using chat::Role;

Part text(std::string words) {
  Part part;
  part.text = std::move(words);
  return part;
}

Part call(std::string id, std::string name, std::string arguments) {
  Part part;
  part.kind = Part::Kind::ToolCall;
  part.id = std::move(id);
  part.name = std::move(name);
  part.arguments = std::move(arguments);
  return part;
}

Part result(std::string id, std::vector<Part> content) {
  Part part;
  part.kind = Part::Kind::ToolResult;
  part.id = std::move(id);
  part.content = std::move(content);
  return part;
}

Part of(Part::Kind kind) {
  Part part;
  part.kind = kind;
  return part;
}

Message says(Role role, std::vector<Part> parts) {
  Message message;
  message.role = role;
  message.parts = std::move(parts);
  return message;
}

Message user(std::string words) {
  return says(Role::User, {text(std::move(words))});
}

Message system(std::string words) {
  return says(Role::System, {text(std::move(words))});
}

Conversation conversation(std::vector<Message> messages) {
  Conversation out;
  out.messages = std::move(messages);
  return out;
}

Conversation with_tool(std::vector<Message> messages) {
  Conversation out = conversation(std::move(messages));
  chat::Tool tool;
  tool.name = "get_weather";
  tool.description = "Weather of a city";
  tool.parameters = R"({"properties":{"city":{"type":"string"}}})";
  tool.strict = true;
  out.tools.push_back(tool);
  return out;
}

struct Case {
  std::string name;
  Conversation conversation;
  chat::TargetTraits target{.model = "claude-x"};
};

void add_message_cases(std::vector<Case>& cases) {
  cases.push_back({"system_joined", conversation({system("One."), system("Two."), user("Hi")})});
  Conversation marked = conversation({system("One."), system("Two."), user("Hi")});
  marked.messages[1].parts[0].cache_control = R"({"type":"ephemeral","ttl":"1h"})";
  cases.push_back({"system_marked", marked});
  const Conversation late =
      conversation({system("One."), user("Hi"), says(Role::Assistant, {text("Yes?")}),
                    system("Be brief."), user("Go on")});
  cases.push_back({"system_late", late});
  cases.push_back({"system_late_in_turn", late, {.model = "claude-x", .system_in_turn = true}});
  cases.push_back({"system_only", conversation({system("Tell a joke.")})});
  cases.push_back({"same_roles", conversation({user("a"), user("b"), user(" "),
                                               says(Role::Assistant, {text("c")}),
                                               says(Role::Assistant, {text("d")}), user("e")})});
  cases.push_back(
      {"assistant_first", conversation({says(Role::Assistant, {text("Hi!")}), user("Hello")})});
  cases.push_back(
      {"prefill", conversation({user("JSON!"), says(Role::Assistant, {text("{\"a\": \n")})})});
  Conversation thoughts = conversation({user("Hi"), says(Role::Assistant, {}), user("And?")});
  thoughts.messages[1].parts = {of(Part::Kind::Thinking), of(Part::Kind::Thinking),
                                of(Part::Kind::Redacted), of(Part::Kind::Redacted), text("Yes")};
  thoughts.messages[1].parts[0].text = "unsigned";
  thoughts.messages[1].parts[1].text = "signed";
  thoughts.messages[1].parts[1].signature = "Sig==";
  thoughts.messages[1].parts[2].data = "own";
  thoughts.messages[1].parts[3].data = "foreign";
  thoughts.messages[1].parts[3].id = "rs_1";
  cases.push_back({"thoughts", thoughts});
  Conversation named = conversation({user("Hi")});
  named.messages[0].name = "ann";
  cases.push_back({"named", named});
}

void add_media_cases(std::vector<Case>& cases) {
  Part data = of(Part::Kind::Image);
  data.media_type = "image/png";
  data.data = "iVBORw0KGgo=";
  data.detail = "high";
  Part url = of(Part::Kind::Image);
  url.url = "https://example.com/a.png";
  url.detail = "auto";
  cases.push_back({"images", conversation({says(Role::User, {data, url, text("Which?")})})});
  Part pdf = of(Part::Kind::File);
  pdf.text = "a.pdf";
  pdf.media_type = "application/pdf";
  pdf.data = "JVBERi0=";
  cases.push_back({"pdf", conversation({says(Role::User, {pdf, text("Sum up")})})});
  pdf.media_type = "text/csv";
  cases.push_back({"file_refused", conversation({says(Role::User, {text("x"), pdf})})});
  Part audio = of(Part::Kind::Audio);
  audio.data = "UklGRg==";
  cases.push_back({"audio_refused", conversation({says(Role::User, {text("x"), audio})})});
  Part foreign = of(Part::Kind::Foreign);
  foreign.name = "input_video";
  foreign.json = R"({"type":"input_video"})";
  cases.push_back({"foreign_dropped", conversation({says(Role::User, {text("x"), foreign})})});
}

void add_tool_cases(std::vector<Case>& cases) {
  const Message calls = says(
      Role::Assistant,
      {text(""), call("call_1", "get_weather", R"({"city":"Oslo"})"), call("call:2", "now", "")});
  Part image = of(Part::Kind::Image);
  image.media_type = "image/png";
  image.data = "iVBORw0KGgo=";
  cases.push_back(
      {"results_out_of_order",
       with_tool({user("?"), calls, says(Role::User, {result("call:2", {text("7")})}),
                  system("Be brief."), says(Role::User, {result("call_1", {text("4 C"), image})}),
                  user("Well?")})});
  cases.push_back(
      {"call_unanswered", with_tool({user("?"), calls, says(Role::User, {result("call_1", {})}),
                                     says(Role::Assistant, {text("So.")})})});
  cases.push_back({"call_last", with_tool({user("?"), calls})});
  cases.push_back(
      {"result_without_call", with_tool({user("?"), says(Role::User, {result("x", {})})})});
  Conversation odd = with_tool({user("?"), says(Role::Assistant, {call("a", "f", "{\"cut\": ")}),
                                says(Role::User, {result("a", {})})});
  odd.messages[2].parts[0].is_error = true;
  cases.push_back({"arguments_broken", odd});
  Conversation custom = with_tool({user("?"), says(Role::Assistant, {call("a", "sh", "ls -l")}),
                                   says(Role::User, {result("a", {text("x")})})});
  custom.messages[1].parts[0].custom = true;
  custom.tools.push_back({.name = "sh", .custom = true});
  custom.tools.push_back({.name = "web_search", .json = R"({"type":"web_search"})"});
  custom.tools.push_back({.name = "f"});
  cases.push_back({"tools_of_others", custom});
  Conversation forced = with_tool({user("?")});
  forced.tool_choice = {.kind = chat::ToolChoice::Kind::One, .name = "get_weather"};
  forced.parallel_tool_calls = false;
  forced.reasoning.effort = "high";
  cases.push_back({"choice_forced", forced});
  forced.tools.clear();
  cases.push_back({"choice_without_tools", forced});
  Conversation alone = with_tool({user("?")});
  alone.parallel_tool_calls = false;
  cases.push_back({"parallel_off", alone});
}

void add_field_cases(std::vector<Case>& cases) {
  Conversation all = conversation({user("Hi")});
  all.stream = true;
  all.max_output_tokens = 100;
  all.temperature = 1.7;
  all.stop = {"END", " \n"};
  all.user = "u-1";
  all.service_tier = "flex";
  all.seed = 7;
  all.frequency_penalty = 0.5;
  all.presence_penalty = 0;
  all.prompt_cache_key = "k";
  all.unmapped = {"logprobs", "web_search_options"};
  cases.push_back({"fields", all});
  all.temperature = 0.7;
  all.top_p = 0.9;
  all.top_k = 5;
  cases.push_back({"sampling_fixed", all, {.model = "claude-x", .fixed_sampling = true}});
  Conversation many = conversation({user("Hi")});
  many.choices = 2;
  cases.push_back({"choices_refused", many});
  cases.push_back({"nothing_to_answer", conversation({user(" "), says(Role::Assistant, {})})});
  Conversation schema = conversation({system("S"), user("Hi")});
  schema.format = {.kind = chat::Format::Kind::JsonSchema,
                   .name = "x",
                   .schema = R"({"type":"object"})",
                   .strict = true};
  cases.push_back({"schema", schema});
  cases.push_back({"schema_in_words", schema, {.model = "claude-x", .output_schema = false}});
  schema.format = {.kind = chat::Format::Kind::JsonObject};
  cases.push_back({"json_object", schema});
}

void add_thinking_cases(std::vector<Case>& cases) {
  Conversation effort = conversation({user("Hi")});
  effort.reasoning.effort = "medium";
  effort.temperature = 0.7;
  cases.push_back({"effort_as_budget", effort});
  cases.push_back({"effort_as_word", effort, {.model = "claude-x", .effort = true}});
  effort.max_output_tokens = 2000;
  cases.push_back({"effort_cut_to_limit", effort});
  effort.max_output_tokens = 500;
  cases.push_back({"effort_without_room", effort});
  effort.reasoning.effort = "none";
  cases.push_back({"effort_none", effort, {.model = "claude-x", .effort = true}});
  Conversation budget = conversation({user("Hi")});
  budget.reasoning.budget = 9000;
  cases.push_back({"budget_as_word", budget, {.model = "claude-x", .effort = true}});
  Conversation amid = with_tool({user("?"), says(Role::Assistant, {call("a", "f", "{}")}),
                                 says(Role::User, {result("a", {})})});
  amid.reasoning.effort = "low";
  cases.push_back({"effort_amid_calls", amid});
}

}  // namespace

golden::Files golden::anthropic_write_files() {
  std::vector<Case> cases;
  add_message_cases(cases);
  add_media_cases(cases);
  add_tool_cases(cases);
  add_field_cases(cases);
  add_thinking_cases(cases);
  Files files;
  for (const Case& one : cases) {
    const Result<chat::Translated> written = anthropic::write_request(one.conversation, one.target);
    files["write_" + one.name + ".txt"] = show(written);
  }
  return files;
}

namespace {

TEST(AnthropicWrite, TR_3_TR_9_EveryConversationIsWrittenAsItsGoldenFileHasIt) {
  const golden::Files files = golden::anthropic_write_files();
  EXPECT_GE(files.size(), 35u);
  for (const auto& [name, written] : files) {
    EXPECT_EQ(golden::read(golden::folder(SLUICE_SOURCE_DIR, "anthropic") / name), written) << name;
  }
}

TEST(AnthropicWrite, TR_9_EveryBodyWrittenIsARequestOfTheDialect) {
  for (const auto& [name, written] : golden::anthropic_write_files()) {
    if (!written.starts_with("{")) continue;
    const std::string body = written.substr(0, written.find('\n'));
    const Result<chat::Conversation> read = anthropic::read_conversation(body);
    EXPECT_TRUE(read) << name << ": " << read.error().message();
  }
}

TEST(AnthropicWrite, TR_8_SignedThoughtsComeBackByteForByte) {
  const std::string block = R"({"type":"thinking","thinking":"a \"b\"\nü","signature":"EqQB+/=="})";
  const std::string redacted = R"({"type":"redacted_thinking","data":"EmwK+/=="})";
  const std::string body =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},)"
      R"({"role":"assistant","content":[)" +
      block + "," + redacted + R"(,{"type":"text","text":"y"}]}]})";
  const Result<chat::Conversation> read = anthropic::read_conversation(body);
  ASSERT_TRUE(read);
  const Result<chat::Translated> written = anthropic::write_request(*read, {.model = "n"});
  ASSERT_TRUE(written);
  EXPECT_NE(written->body.find(block + "," + redacted), std::string::npos) << written->body;
  EXPECT_TRUE(written->dropped.empty());
}

}  // namespace
}  // namespace sluice
