#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/responses_golden.h"
#include "wire/responses.h"

namespace sluice {
namespace {

using chat::Part;

std::string show_part(const Part& part, int indent) {
  constexpr std::string_view kNames[] = {"text",    "image",       "file",     "audio",
                                         "call",    "tool_result", "thinking", "redacted",
                                         "refusal", "foreign"};
  std::string line(static_cast<size_t>(indent), ' ');
  line += kNames[static_cast<size_t>(part.kind)];
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) line += fmt::format(" {}={}", name, value);
  };
  add("id", part.id);
  add("name", part.name);
  add("text", part.text);
  add("arguments", part.arguments);
  add("url", part.url);
  add("media_type", part.media_type);
  add("data", part.data);
  add("file_id", part.file_id);
  add("detail", part.detail);
  add("signature", part.signature);
  add("cache_control", part.cache_control);
  add("json", part.json);
  if (part.custom) line += " custom";
  line += '\n';
  for (const Part& inner : part.content) line += show_part(inner, indent + 2);
  return line;
}

template <class T>
std::string show(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

chat::Conversation conversation_of(std::string_view body) {
  EXPECT_TRUE(responses::decode_request(body).has_value());
  Result<chat::Conversation> conversation = responses::read_conversation(body);
  if (conversation) return std::move(*conversation);
  ADD_FAILURE() << conversation.error().message();
  return {};
}

Error refusal_of(std::string_view body) {
  EXPECT_TRUE(responses::decode_request(body).has_value());
  Result<chat::Conversation> conversation = responses::read_conversation(body);
  if (!conversation) return std::move(conversation.error());
  ADD_FAILURE() << "accepted: " << body;
  return Error(Outcome::Bug, "");
}

TEST(ResponsesConversation, AG_5_RefusesWhatOnlyAProviderThatKeepsThingsCanDo) {
  const std::pair<std::string, std::string> cases[] = {
      {R"("previous_response_id":"resp_1")", "previous_response_id"},
      {R"("conversation":"conv_1")", "conversation"},
      {R"("conversation":{"id":"conv_1"})", "conversation"},
      {R"("prompt":{"id":"pmpt_1"})", "prompt"},
      {R"("background":true)", "background"},
      {R"("tools":[{"type":"web_search"}])", "tools[0].type"},
      {R"("tools":[{"type":"mcp","server_label":"x"}])", "tools[0].type"},
      {R"("tool_choice":{"type":"file_search"})", "tool_choice"},
  };
  for (const auto& [member, param] : cases) {
    const Error error = refusal_of(R"({"model":"m","input":"x",)" + member + "}");
    EXPECT_EQ(error.outcome(), Outcome::BadRequest);
    EXPECT_EQ(error.param(), param);
    EXPECT_NE(error.message().find("target of this model"), std::string::npos) << error.message();
  }
  for (const std::string item :
       {R"({"type":"item_reference","id":"msg_1"})", R"({"id":"msg_1"})"}) {
    EXPECT_EQ(refusal_of(R"({"model":"m","input":[)" + item + "]}").param(), "input[0]");
  }
}

TEST(ResponsesConversation, AcceptsTheSameFieldsWhereTheyAskForNothing) {
  const chat::Conversation conversation = conversation_of(
      R"({"model":"m","input":"x","previous_response_id":null,"conversation":null,"prompt":null,)"
      R"("background":false,"store":false,"truncation":"disabled","top_logprobs":0,)"
      R"("include":["reasoning.encrypted_content"],"text":{"verbosity":"medium"}})");
  EXPECT_TRUE(conversation.unmapped.empty()) << fmt::format("{}", conversation.unmapped);
}

TEST(ResponsesConversation, TR_3_NamesEveryFieldThatNoOtherDialectHas) {
  const chat::Conversation conversation = conversation_of(
      R"({"model":"m","input":[{"type":"reasoning","id":"rs_1","summary":[]},)"
      R"({"type":"reasoning","summary":[{"type":"summary_text","text":"t"}],)"
      R"("encrypted_content":"gAAA"}],"store":true,"truncation":"auto","top_logprobs":3,)"
      R"("include":["message.output_text.logprobs"],"max_tool_calls":2,"moderation":{},)"
      R"("text":{"verbosity":"low","stop":1},"reasoning":{"effort":"low","mode":"x"},)"
      R"("tools":[{"type":"function","name":"f","defer_loading":true},)"
      R"({"type":"custom","name":"c","format":{"type":"grammar"}}]})");
  const std::vector<std::string> expected{"input[0] (reasoning)",
                                          "input[1].encrypted_content",
                                          "tools[0].defer_loading",
                                          "tools[1].format",
                                          "text.stop",
                                          "text.verbosity",
                                          "reasoning.mode",
                                          "store",
                                          "truncation",
                                          "top_logprobs",
                                          "include[0] (message.output_text.logprobs)",
                                          "max_tool_calls",
                                          "moderation"};
  EXPECT_EQ(conversation.unmapped, expected);
}

TEST(ResponsesConversation, CallsAndTheirResultsStandNextToEachOther) {
  const chat::Conversation conversation = conversation_of(
      R"({"model":"m","input":[{"role":"user","content":"go"},)"
      R"({"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},)"
      R"({"type":"function_call","call_id":"a","name":"f","arguments":"{}"},)"
      R"({"role":"assistant","content":"Meanwhile"},)"
      R"({"type":"function_call","call_id":"b","name":"f","arguments":"{}"},)"
      R"({"type":"function_call_output","call_id":"a","output":"1"},)"
      R"({"type":"function_call_output","call_id":"b","output":"2"},)"
      R"({"role":"assistant","content":"One"},{"role":"assistant","content":"Two"}]})");
  ASSERT_EQ(conversation.messages.size(), 5u);
  EXPECT_EQ(conversation.messages[1].parts.size(), 4u);
  EXPECT_EQ(conversation.messages[1].role, chat::Role::Assistant);
  EXPECT_EQ(conversation.messages[2].parts.size(), 2u);
  EXPECT_EQ(conversation.messages[2].parts[1].id, "b");
  EXPECT_EQ(conversation.messages[4].parts[0].text, "Two");
}

TEST(ResponsesConversation, N8N_4_ReasoningOfAnotherDialectComesBackAsItWas) {
  chat::Answer answer;
  answer.parts.resize(2);
  Part& thinking = answer.parts[0];
  thinking.kind = Part::Kind::Thinking;
  thinking.text = "Let me \"see\"";
  thinking.signature = "c2ln+/=";
  Part& redacted = answer.parts[1];
  redacted.kind = Part::Kind::Redacted;
  redacted.data = "b3BhcXVl";
  const std::string response =
      responses::write_answer(answer, {.id = "1", .model = "m", .created = 1, .echo = R"("a":1)"});
  const size_t begin = response.find(R"("output":)") + 9;
  const size_t end = response.find(R"(,"usage")");
  const chat::Conversation conversation =
      conversation_of(R"({"model":"m","input":)" + response.substr(begin, end - begin) + "}");
  ASSERT_EQ(conversation.messages.size(), 1u);
  ASSERT_EQ(conversation.messages[0].parts.size(), 2u);
  EXPECT_EQ(conversation.messages[0].parts[0].text, thinking.text);
  EXPECT_EQ(conversation.messages[0].parts[0].signature, thinking.signature);
  EXPECT_EQ(conversation.messages[0].parts[1].kind, Part::Kind::Redacted);
  EXPECT_EQ(conversation.messages[0].parts[1].data, redacted.data);
  EXPECT_TRUE(conversation.unmapped.empty());
}

TEST(ResponsesConversation, SaysWhatIsMissingAndWhere) {
  const std::pair<std::string, std::string> cases[] = {
      {R"("input":[{"type":"function_call","name":"f","arguments":"{}"}])", "input[0].call_id"},
      {R"("input":[{"type":"function_call","call_id":"c","arguments":"{}"}])", "input[0].name"},
      {R"("input":[{"type":"function_call_output","output":"x"}])", "input[0].call_id"},
      {R"("input":[{"role":"tool","content":"x"}])", "input[0].role"},
      {R"("input":[{"role":"user","content":[{"type":"input_image"}]}])",
       "input[0].content[0].image_url"},
      {R"("input":[{"role":"user","content":[{"type":"input_file","filename":"a.pdf"}]}])",
       "input[0].content[0].file_data"},
      {R"("input":"x","tools":[{"type":"function","function":{"name":"f"}}])", "tools[0].name"},
      {R"("input":"x","text":{"format":{"type":"json_schema","schema":{}}})", "text.format.name"},
      {R"("input":"x","text":{"format":{"type":"json_schema","name":"n"}})", "text.format.schema"},
      {R"("input":"x","text":{"format":{"type":"yaml"}})", "text.format.type"},
      {R"("input":"x","tool_choice":{"type":"function"})", "tool_choice.name"},
  };
  for (const auto& [member, param] : cases) {
    EXPECT_EQ(refusal_of(R"({"model":"m",)" + member + "}").param(), param);
  }
}

TEST(ResponsesConversation, SendsOnlyToolsThatAreAllowed) {
  const chat::Conversation conversation =
      conversation_of(R"({"model":"m","input":"x","tools":[{"type":"function","name":"a"},)"
                      R"({"type":"function","name":"b"}],"tool_choice":{"type":"allowed_tools",)"
                      R"("mode":"required","tools":[{"type":"function","name":"b"}]}})");
  ASSERT_EQ(conversation.tools.size(), 1u);
  EXPECT_EQ(conversation.tools[0].name, "b");
  EXPECT_EQ(conversation.tool_choice.kind, chat::ToolChoice::Kind::Required);
}

}  // namespace

std::string test::show_conversation(const std::string& body) {
  const Result<chat::Conversation> result = responses::read_conversation(body);
  if (!result) {
    return fmt::format("REFUSED {}: {}\n", result.error().param(), result.error().message());
  }
  const chat::Conversation& conversation = *result;
  constexpr std::string_view kRoles[] = {"system", "user", "assistant"};
  std::string text = fmt::format(
      "model={} stream={} max_output_tokens={} temperature={} top_p={} parallel={} user={} "
      "service_tier={} prompt_cache_key={}\ntool_choice={} {}\nformat={} name={} strict={} "
      "schema={}\nreasoning effort={} summary={}\n",
      conversation.model, conversation.stream, show(conversation.max_output_tokens),
      show(conversation.temperature), show(conversation.top_p),
      show(conversation.parallel_tool_calls), conversation.user, conversation.service_tier,
      conversation.prompt_cache_key, static_cast<int>(conversation.tool_choice.kind),
      conversation.tool_choice.name, static_cast<int>(conversation.format.kind),
      conversation.format.name, show(conversation.format.strict), conversation.format.schema,
      conversation.reasoning.effort, conversation.reasoning.summary);
  for (const chat::Tool& tool : conversation.tools) {
    text += fmt::format("tool {} custom={} strict={} description={} parameters={}\n", tool.name,
                        tool.custom, show(tool.strict), tool.description, tool.parameters);
  }
  for (const chat::Message& message : conversation.messages) {
    text += fmt::format("{}\n", kRoles[static_cast<size_t>(message.role)]);
    for (const Part& part : message.parts) text += show_part(part, 2);
  }
  for (const std::string& name : conversation.unmapped) text += "unmapped " + name + "\n";
  return text;
}

}  // namespace sluice
