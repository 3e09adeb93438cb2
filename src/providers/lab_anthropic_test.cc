#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/lab_anthropic_face.h"
#include "providers/lab_seal.h"
#include "providers/lab_test_request.h"

namespace sluice::providers {
namespace {

using chat::Endpoint;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHello = R"("messages":[{"role":"user","content":"hello"}])";

LabTestRequest read(std::string_view members, std::string_view model = "lab/claude",
                    std::string_view faults = "", std::string_view version = "2023-06-01") {
  std::string body = R"({"model":")" + std::string(model) + R"(",)";
  if (members.find("\"max_tokens\"") == std::string_view::npos) body += R"("max_tokens":4096,)";
  body += std::string(members) + "}";
  return LabTestRequest(body, Endpoint::Messages, faults, kLabAnthropicFace, version);
}

// The words of the refusal; "accepted" for none.
std::string verdict(std::string_view members, std::string_view model = "lab/claude",
                    std::string_view version = "2023-06-01") {
  const LabTestRequest request = read(members, model, "", version);
  return request.error ? request.error->message : "accepted";
}

std::string after_hello(std::string_view members) {
  return std::string(kHello) + "," + std::string(members);
}
std::string talk(std::string_view messages) {
  return R"("messages":[)" + std::string(messages) + "]";
}

constexpr std::string_view kTools =
    R"("tools":[{"name":"get_weather","input_schema":{"type":"object","properties":)"
    R"({"city":{"type":"string"}},"required":["city"]}},)"
    R"({"name":"get_time","input_schema":{"type":"object"}}])";

TEST(LabAnthropicHead, WantsAKeyInEitherHeaderAndAKnownVersion) {
  const auto verdict_of = [](std::initializer_list<net::Header> headers) {
    net::RequestHead head;
    for (const net::Header& header : headers) head.headers.add(header.name, header.value);
    LabRequest request;
    const auto error = lab_anthropic_check_head(head, request);
    return error ? lab_anthropic_error_body(*error, "r") : "accepted as " + request.credential;
  };
  const net::Header version{"anthropic-version", "2023-06-01"};
  EXPECT_EQ(verdict_of({{"x-api-key", "k"}, version}), "accepted as k");
  EXPECT_EQ(verdict_of({{"authorization", "Bearer b"}, version}), "accepted as b");
  EXPECT_THAT(verdict_of({version}), HasSubstr(R"("type":"authentication_error")"));
  EXPECT_THAT(verdict_of({{"x-api-key", "invalid-1"}, version}), HasSubstr("invalid x-api-key"));
  EXPECT_EQ(verdict_of({{"x-api-key", "k"}}),
            R"({"type":"error","error":{"type":"invalid_request_error","message":)"
            R"("anthropic-version: header is required"},"request_id":"r"})");
  EXPECT_THAT(verdict_of({{"x-api-key", "k"}, {"anthropic-version", "2020-01-01"}}),
              HasSubstr("not a valid version"));
}

TEST(LabAnthropicRequest, AcceptsWhatTheSdksSend) {
  EXPECT_EQ(verdict(kHello), "accepted");
  EXPECT_EQ(verdict(after_hello(R"("system":"be brief","temperature":0.5,"top_k":3,)"
                                R"("stop_sequences":["END"],"metadata":{"user_id":"u"})")),
            "accepted");
  EXPECT_EQ(verdict(after_hello(kTools)), "accepted");
  EXPECT_EQ(
      verdict(talk(R"({"role":"user","content":[{"type":"image","source":{"type":"base64",)"
                   R"("media_type":"image/png","data":"AA=="}},{"type":"text","text":"x"}]})")),
      "accepted");
}

TEST(LabAnthropicRequest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(LabTestRequest(R"({"model":"claude","messages":[{"role":"user","content":"x"}]})",
                           Endpoint::Messages, "", kLabAnthropicFace)
                .error->message,
            "max_tokens: Field required");
  EXPECT_EQ(verdict(R"("max_tokens":"many",)" + std::string(kHello)),
            "max_tokens: Input should be a valid integer");
  EXPECT_EQ(verdict(after_hello(R"("temperature":1.5)")),
            "temperature: Input should be less than or equal to 1");
  EXPECT_EQ(verdict(after_hello(R"("frequency_penalty":1)")),
            "frequency_penalty: Extra inputs are not permitted");
  EXPECT_EQ(verdict(after_hello(R"("tools":[{"name":"f"}])")),
            "tools.0.custom.input_schema: Field required");
  EXPECT_EQ(verdict(after_hello(R"("tools":[{"name":"f","input_schema":{"type":"string"}}])")),
            "tools.0.custom.input_schema.type: Input should be 'object'");
  EXPECT_THAT(verdict(after_hello(R"("tools":[{"type":"function","function":{"name":"f"}}])")),
              HasSubstr("tools.0: Input tag 'function'"));
  EXPECT_EQ(verdict(R"("max_tokens":64001,)" + std::string(kHello)),
            "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for "
            "lab/claude");
}

TEST(LabAnthropicRequest, HoldsToTheRolesAndTheContentOfMessages) {
  EXPECT_EQ(verdict(R"("messages":[])"), "messages: at least one message is required");
  EXPECT_EQ(verdict(talk(R"({"role":"tool","content":"x"})")),
            "messages.0.role: Input should be 'user', 'assistant' or 'system'");
  EXPECT_THAT(verdict(talk(R"({"role":"system","content":"x"})")), HasSubstr("Unexpected role"));
  EXPECT_THAT(verdict(talk(R"({"role":"assistant","content":"x"})")), HasSubstr("first message"));
  EXPECT_EQ(verdict(talk(R"({"role":"user","content":""})")),
            "messages.0: all messages must have non-empty content except for the optional final "
            "assistant message");
  EXPECT_EQ(verdict(talk(R"({"role":"user","content":[{"type":"text","text":""}]})")),
            "messages: text content blocks must be non-empty");
  EXPECT_THAT(verdict(talk(R"({"role":"user","content":[{"type":"image_url"}]})")),
              HasSubstr("messages.0.content.0: Input tag 'image_url' found using 'type'"));
  EXPECT_THAT(verdict(talk(R"({"role":"user","content":[{"type":"tool_use","id":"t","name":"f",)"
                           R"("input":{}}]})")),
              HasSubstr("can only be in `assistant` messages"));
  EXPECT_THAT(verdict(talk(R"({"role":"user","content":"x"},{"role":"assistant","content":"y "})")),
              HasSubstr("trailing whitespace"));
}

TEST(LabAnthropicRequest, EveryToolUseIsAnsweredFirstInTheNextTurn) {
  const std::string use =
      R"({"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use",)"
      R"("id":"t1","name":"f","input":{}}]})";
  const auto answered = [&](std::string_view content) {
    return verdict(talk(use + R"(,{"role":"user","content":[)" + std::string(content) + "]}"));
  };
  constexpr std::string_view kResult = R"({"type":"tool_result","tool_use_id":"t1","content":"4"})";
  EXPECT_EQ(answered(kResult), "accepted");
  EXPECT_EQ(answered(std::string(kResult) + R"(,{"type":"text","text":"and?"})"), "accepted");
  const std::string missing =
      "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1. "
      "Each `tool_use` block must have a corresponding `tool_result` block in the next message.";
  EXPECT_EQ(answered(R"({"type":"text","text":"no"})"), missing);
  EXPECT_EQ(answered(R"({"type":"text","text":"wait"},)" + std::string(kResult)), missing);
  EXPECT_EQ(verdict(talk(use)), missing);
  EXPECT_THAT(answered(std::string(kResult) + "," + std::string(kResult)),
              HasSubstr("a single result"));
  EXPECT_THAT(answered(std::string(kResult) +
                       R"(,{"type":"tool_result","tool_use_id":"t9","content":"4"})"),
              HasSubstr("unexpected `tool_use_id` found in `tool_result` blocks: t9"));
}

TEST(LabAnthropicRequest, VersionOf2026TakesNoSampling) {
  for (const char* member : {R"("temperature":1)", R"("top_p":1)", R"("top_k":1)"}) {
    EXPECT_EQ(verdict(after_hello(member)), "accepted");
    EXPECT_THAT(verdict(after_hello(member), "claude", "2026-10-21"),
                HasSubstr(": Extra inputs are not permitted"));
  }
  const std::string document = talk(
      R"({"role":"user","content":"x"},{"role":"assistant","content":[{"type":"document","source":)"
      R"({"type":"url","url":"https://example.com/a.pdf"}}]},{"role":"user","content":"y"})");
  EXPECT_EQ(verdict(document), "accepted");
  EXPECT_THAT(verdict(document, "claude", "2026-10-21"), HasSubstr("not permitted in assistant"));
}

TEST(LabAnthropicRequest, ModernModelsRefuseSamplingPrefillAndBudgets) {
  constexpr std::string_view kModern = "lab/claude-modern";
  EXPECT_EQ(verdict(after_hello(R"("temperature":1,"top_p":0.99)"), kModern), "accepted");
  EXPECT_THAT(verdict(after_hello(R"("temperature":0.7)"), kModern), HasSubstr("`temperature`"));
  EXPECT_THAT(verdict(after_hello(R"("top_p":0.5)"), kModern), HasSubstr("`top_p`"));
  EXPECT_THAT(verdict(after_hello(R"("top_k":5)"), kModern), HasSubstr("`top_k`"));
  EXPECT_THAT(
      verdict(talk(R"({"role":"user","content":"x"},{"role":"assistant","content":"y"})"), kModern),
      HasSubstr("prefill"));
  EXPECT_EQ(
      verdict(talk(R"({"role":"user","content":"x"},{"role":"system","content":"y"})"), kModern),
      "accepted");
  EXPECT_THAT(
      verdict(after_hello(R"("thinking":{"type":"enabled","budget_tokens":1024})"), kModern),
      HasSubstr("adaptive"));
  EXPECT_EQ(verdict(after_hello(R"("thinking":{"type":"adaptive"})"), kModern), "accepted");
}

TEST(LabAnthropicRequest, ThinkingHasItsRules) {
  const auto thinking = [](std::string_view rest, std::string_view model = "claude") {
    return verdict(after_hello(R"("thinking":{"type":"enabled")" + std::string(rest)), model);
  };
  EXPECT_EQ(thinking(R"(,"budget_tokens":1024})"), "accepted");
  EXPECT_THAT(thinking("}"), HasSubstr("thinking.budget_tokens: Field required"));
  EXPECT_THAT(thinking(R"(,"budget_tokens":1023})"), HasSubstr("greater than or equal to 1024"));
  EXPECT_EQ(thinking(R"(,"budget_tokens":4096})"),
            "`max_tokens` must be greater than `thinking.budget_tokens`.");
  EXPECT_THAT(thinking(R"(,"budget_tokens":1024},"temperature":0.5)"), HasSubstr("set to 1"));
  EXPECT_THAT(thinking(R"(,"budget_tokens":1024})", "chat"),
              HasSubstr("does not support thinking"));
  EXPECT_THAT(
      thinking(R"(,"budget_tokens":1024},"tool_choice":{"type":"any"},)" + std::string(kTools)),
      HasSubstr("forces tool use"));
}

TEST(LabAnthropicRequest, KnowsItsOwnSignaturesAgain) {
  const auto verdict_of = [](std::string_view block) {
    return verdict(talk(R"({"role":"user","content":"x"},{"role":"assistant","content":[)" +
                        std::string(block) +
                        R"(,{"type":"text","text":"y"}]},{"role":"user","content":"z"})"));
  };
  const std::string signature = lab_signature("hm");
  EXPECT_EQ(verdict_of(R"({"type":"thinking","thinking":"hm","signature":")" + signature + "\"}"),
            "accepted");
  EXPECT_EQ(verdict_of(R"({"type":"thinking","thinking":"hmm","signature":")" + signature + "\"}"),
            "messages.1.content.0: Invalid `signature` in `thinking` block");
  EXPECT_EQ(verdict_of(R"({"type":"redacted_thinking","data":")" + lab_sealed("m") + "\"}"),
            "accepted");
  EXPECT_EQ(verdict_of(R"({"type":"redacted_thinking","data":")" + lab_sealed("m") + "x\"}"),
            "messages.1.content.0: Invalid `data` in `redacted_thinking` block");
}

TEST(LabAnthropicRequest, TheTurnThatCallsBeginsWithItsThoughts) {
  const std::string calls =
      R"("thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":)"
      R"("x"},{"role":"assistant","content":[)";
  const std::string rest =
      R"({"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[)"
      R"({"type":"tool_result","tool_use_id":"t","content":"4"}]}])";
  EXPECT_THAT(verdict(calls + rest), HasSubstr("Expected `thinking` or `redacted_thinking`, but "
                                               "found `tool_use`"));
  EXPECT_EQ(verdict(calls + R"({"type":"thinking","thinking":"a","signature":")" +
                    lab_signature("a") + R"("},)" + rest),
            "accepted");
}

TEST(LabAnthropicRequest, TakesFourMarksAndTheLongerLifeFirst) {
  const auto marked = [](int count) {
    std::string content;
    for (int i = 0; i < count; ++i) {
      content += std::string(i > 0 ? "," : "") +
                 R"({"type":"text","text":"x","cache_control":{"type":"ephemeral"}})";
    }
    return verdict(talk(R"({"role":"user","content":[)" + content + "]}"));
  };
  EXPECT_EQ(marked(4), "accepted");
  EXPECT_EQ(marked(5), "A maximum of 4 blocks with cache_control may be provided. Found 5.");
  const auto two = [](std::string_view first, std::string_view second) {
    const auto block = [](std::string_view ttl) {
      return R"({"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":")" +
             std::string(ttl) + "\"}}";
    };
    return verdict(
        talk(R"({"role":"user","content":[)" + block(first) + "," + block(second) + "]}"));
  };
  EXPECT_EQ(two("1h", "5m"), "accepted");
  EXPECT_THAT(two("5m", "1h"), HasSubstr("must not come after"));
}

TEST(LabAnthropicStream, HasTheEventsInTheirOrder) {
  LabTestRequest request = read(after_hello(R"("stream":true)"));
  const std::string stream = request.stream();
  EXPECT_EQ(lab_event_names(stream),
            "message_start content_block_start ping content_block_delta content_block_stop "
            "message_delta message_stop");
  EXPECT_THAT(stream, HasSubstr(R"("content_block":{"type":"text","text":""})"));
  EXPECT_THAT(stream, HasSubstr(R"("stop_reason":"end_turn","stop_sequence":null)"));
  EXPECT_THAT(stream, Not(HasSubstr("[DONE]")));
}

TEST(LabAnthropicStream, ThinksAloudThenSignsThenCalls) {
  LabTestRequest request = read(
      std::string(kTools) + R"(,"stream":true,"thinking":{"type":"enabled","budget_tokens":1024},)"
                            R"("messages":[{"role":"user","content":"get_weather get_time"}])");
  const std::string stream = request.stream();
  const LabChoice choice = request.complete().choices[0];
  const size_t signature =
      stream.find(R"("signature_delta","signature":")" + lab_signature(choice.thinking));
  ASSERT_NE(signature, std::string::npos);
  EXPECT_LT(stream.find(R"("type":"thinking_delta")"), signature);
  EXPECT_GT(stream.find(R"("type":"tool_use","id":"toolu_lab)"), signature);
  EXPECT_THAT(stream, HasSubstr(R"("partial_json":"")"));
  EXPECT_THAT(stream, HasSubstr(R"({"type":"content_block_stop","index":2})"));
  EXPECT_THAT(stream, HasSubstr(R"("stop_reason":"tool_use")"));
  EXPECT_THAT(stream, HasSubstr(R"("output_tokens_details":{"thinking_tokens":48})"));
}

TEST(LabAnthropicStream, OneCallWhereParallelUseIsOff) {
  const auto calls = [](std::string_view choice) {
    return read(std::string(kTools) + R"(,"tool_choice":)" + std::string(choice) +
                R"(,"messages":[{"role":"user","content":"get_weather get_time"}])")
        .complete()
        .choices[0]
        .calls.size();
  };
  EXPECT_EQ(calls(R"({"type":"auto"})"), 2U);
  EXPECT_EQ(calls(R"({"type":"auto","disable_parallel_tool_use":true})"), 1U);
  EXPECT_EQ(calls(R"({"type":"tool","name":"get_time"})"), 1U);
  EXPECT_EQ(calls(R"({"type":"none"})"), 0U);
}

TEST(LabAnthropicStream, EveryBreakHasItsShapeHere) {
  const auto broken = [](std::string_view fault) {
    LabTestRequest request = read(after_hello(R"("stream":true)"), "lab/claude", fault);
    return request.stream();
  };
  EXPECT_THAT(broken("overloaded-after-2"),
              HasSubstr("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                        "\"overloaded_error\",\"message\":\"Overloaded\"}"));
  EXPECT_THAT(broken("rate-limit-after-2"), HasSubstr("rate_limit_error"));
  EXPECT_THAT(broken("error-after-0"), HasSubstr("api_error"));
  EXPECT_EQ(lab_event_names(broken("reset-after-0")), "message_start content_block_start ping");
  EXPECT_THAT(broken("no-done"), Not(HasSubstr("message_stop")));
  EXPECT_THAT(broken("no-finish"), Not(HasSubstr("message_delta")));
  EXPECT_THAT(broken("usage-absent"), Not(HasSubstr("usage")));
  EXPECT_THAT(broken("usage-text"), HasSubstr(R"("output_tokens":")"));
  EXPECT_THAT(broken("crlf"), HasSubstr("event: message_stop\r\n"));
  EXPECT_THAT(broken("half-after-1"), Not(HasSubstr("message_delta")));
}

TEST(LabAnthropicReply, SaysWhyItStopped) {
  const auto reply = [](std::string_view members, std::string_view faults = "") {
    return read(after_hello(members), "lab/claude", faults).buffered();
  };
  EXPECT_THAT(reply(R"("max_tokens":3)"), HasSubstr(R"("stop_reason":"max_tokens")"));
  EXPECT_THAT(reply(R"("stop_sequences":["."])"),
              HasSubstr(R"("stop_reason":"stop_sequence","stop_sequence":".")"));
  EXPECT_THAT(reply(R"("stream":false)", "refusal"), HasSubstr(R"("stop_reason":"refusal")"));
  EXPECT_THAT(reply(R"("thinking":{"type":"adaptive"})", "redacted-thinking"),
              HasSubstr(R"("content":[{"type":"redacted_thinking","data":"gAAAAA)"));
  EXPECT_THAT(reply(R"("thinking":{"type":"adaptive","display":"omitted"})"),
              HasSubstr(R"({"type":"thinking","thinking":"","signature":")"));
  EXPECT_THAT(reply(R"("output_config":{"format":{"type":"json_schema","schema":{"const":7}}})"),
              HasSubstr(R"({"type":"text","text":"7"})"));
}

TEST(LabAnthropicReply, InputTokensLeaveOutWhatTheCacheHas) {
  const LabTestRequest request = read(kHello);
  const LabCompletion completion = request.complete(0, {.read = 1, .write = 0, .write_1h = 1});
  const std::string body =
      kLabAnthropicFace.encoder(request.request, completion, request.plan, {})->buffered();
  EXPECT_THAT(body, HasSubstr(R"("usage":{"input_tokens":0,"cache_creation_input_tokens":1,)"
                              R"("cache_read_input_tokens":1,)"));
  EXPECT_THAT(body, HasSubstr(R"("ephemeral_1h_input_tokens":1})"));
}

TEST(LabAnthropicFace, SpeaksOfLengthInItsOwnWords) {
  LabRequest request;
  request.prompt_tokens = 300;
  const LabModel& model = *lab_model("small-context");
  EXPECT_EQ(lab_anthropic_too_long(request, model, 300).message,
            "prompt is too long: 300 tokens > 256 maximum");
  request.prompt_tokens = 200;
  request.max_tokens = 100;
  EXPECT_THAT(lab_anthropic_too_long(request, model, 300).message, HasSubstr("200 + 100 > 256"));
}

TEST(LabAnthropicFace, PagesItsModels) {
  const std::string first = lab_anthropic_models("limit=2");
  EXPECT_THAT(first, HasSubstr(R"("has_more":true,"first_id":"lab/chat","last_id":"lab/fast")"));
  EXPECT_THAT(lab_anthropic_models("limit=100&after_id=lab/embed"),
              HasSubstr(R"("has_more":false,"first_id":"lab/embed-large")"));
}

TEST(LabFace, ThePathChooses) {
  const auto where = [](std::string_view path) {
    const LabRoute route = lab_route(path);
    return std::string(route.face->name) + " " +
           (route.endpoint ? std::string(chat::name_of(*route.endpoint)) : "-") + " " +
           std::string(route.rest);
  };
  EXPECT_EQ(where("/v1/chat/completions"), "openai chat /chat/completions");
  EXPECT_EQ(where("/chat/completions"), "openai chat /chat/completions");
  EXPECT_EQ(where("/openai/v1/responses"), "openai responses /responses");
  EXPECT_EQ(where("/anthropic/v1/messages"), "anthropic messages /messages");
  EXPECT_EQ(where("/anthropic/v1/messages/count_tokens"),
            "anthropic count_tokens /messages/count_tokens");
  EXPECT_EQ(where("/anthropic/v1/chat/completions"), "anthropic - /chat/completions");
  EXPECT_EQ(where("/v10/models"), "openai - /v10/models");
}

}  // namespace
}  // namespace sluice::providers
