#include <gtest/gtest.h>
#include <string>

#include "wire/json.h"
#include "wire/openai.h"

namespace sluice::openai {
namespace {

using chat::Endpoint;

std::string chat_body(const std::string& more) {
  return R"({"model":"m","messages":[{"role":"user","content":"hello"}])" + more + "}";
}

TEST(OpenAiRequest, ReadsWhatTheGatewayNeeds) {
  const std::string body =
      chat_body(R"(,"stream":true,"stream_options":{"include_usage":true},"n":2,"max_tokens":9,)"
                R"("max_completion_tokens":7,"user":"u","safety_identifier":"s\u0061fe")");
  const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->model, "m");
  EXPECT_TRUE(request->stream);
  EXPECT_TRUE(request->asked_usage);
  EXPECT_EQ(request->choices, 2);
  EXPECT_EQ(request->max_output_tokens, 7);
  EXPECT_EQ(request->user, "safe");
  EXPECT_EQ(request->prompt_bytes, 5);
}

TEST(OpenAiRequest, TheSafetyIdentifierWinsInEitherOrder) {
  for (const char* more :
       {R"(,"user":"u","safety_identifier":"s")", R"(,"safety_identifier":"s","user":"u")"}) {
    const std::string body = chat_body(more);
    EXPECT_EQ(decode_request(Endpoint::Chat, body)->user, "s");
  }
}

TEST(OpenAiRequest, DISC_5_PromptBytesCountTextButNoImages) {
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a\u00e9"},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAAAAAAAAA"}},)"
      R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",)"
      R"("function":{"name":"f","arguments":"{\"a\":1}"}}]}]})";
  const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->prompt_bytes, 3 + 7);
  EXPECT_FALSE(request->only_text);
}

TEST(OpenAiRequest, KnowsWhetherThereIsOnlyText) {
  const auto only_text = [](std::string_view part) {
    const std::string body =
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},)" +
        std::string(part) + "]}]}";
    return decode_request(Endpoint::Chat, body)->only_text;
  };
  EXPECT_TRUE(only_text(R"({"type":"text","text":"b","cache_control":{"type":"ephemeral"}})"));
  EXPECT_FALSE(only_text(R"({"type":"image_url","image_url":{"url":"https://a/b.png"}})"));
  EXPECT_FALSE(only_text(R"({"type":"input_audio","input_audio":{"data":"A","format":"wav"}})"));
  EXPECT_FALSE(only_text(R"({"type":"file","file":{"file_id":"f"}})"));
}

TEST(OpenAiRequest, NullMeansAbsent) {
  const std::string body = chat_body(
      R"(,"stream":null,"stream_options":null,"n":null,"max_tokens":null,"temperature":null,)"
      R"("user":null,"tools":null,"stop":null,"top_p":null,"logprobs":null,"metadata":null)");
  const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_FALSE(request->stream);
  EXPECT_EQ(request->choices, 1);
  EXPECT_EQ(request->max_output_tokens, std::nullopt);
}

TEST(OpenAiRequest, EmbeddingsInputsOfEveryKindUpTo2048) {
  const auto decodes = [](const std::string& input) {
    const std::string body = R"({"model":"m","input":)" + input + "}";
    return decode_request(Endpoint::Embeddings, body).has_value();
  };
  const auto repeated = [](size_t count, const std::string& entry) {
    std::string list = "[" + entry;
    for (size_t i = 1; i < count; ++i) list += "," + entry;
    return list + "]";
  };
  for (const char* good : {R"("a")", R"(["a","b"])", "[1,2]", "[[1],[2,3]]"}) {
    EXPECT_TRUE(decodes(good)) << good;
  }
  for (const char* bad : {"null", "1", "{}", "[]", "[[]]", "[[1,\"a\"]]", "[1.5]", "[-1]",
                          "[[1],2]", "[null]", "[[[1]]]"}) {
    EXPECT_FALSE(decodes(bad)) << bad;
  }
  EXPECT_TRUE(decodes(repeated(2048, R"("a")")));
  EXPECT_FALSE(decodes(repeated(2049, R"("a")")));
  EXPECT_FALSE(decodes(repeated(2049, "[1]")));
  EXPECT_TRUE(decodes(repeated(4000, "1")));  // the tokens of one input
}

TEST(OpenAiRequest, C16_AKeyThatStandsTwiceIsRefusedHoweverItIsSpelled) {
  for (const char* more : {R"(,"model":"b")", R"(,"m\u006fdel":"b")", R"(,"x":1,"x":2)",
                           R"(,"\u0078":1,"x":2)", R"(,"messages":[])"}) {
    const std::string body = chat_body(more);
    const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
    ASSERT_FALSE(request) << more;
    EXPECT_NE(request.error().message().find("twice"), std::string::npos);
  }
  const std::string role = R"({"model":"m","messages":[{"role":"a","content":"x","role":"b"}]})";
  const Result<chat::Request> request = decode_request(Endpoint::Chat, role);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().param(), "messages[0].role");
}

TEST(OpenAiRequest, FieldsWithoutNumberAreRefusedInBoundedTime) {
  std::string more;
  for (int i = 0; i < 300; ++i) more += ",\"x" + std::to_string(i) + "\":1";
  const std::string body = chat_body(more);
  EXPECT_FALSE(decode_request(Endpoint::Chat, body));
}

TEST(OpenAiRequest, ModelNamesAreBoundedAndPrintable) {
  const auto decodes = [](const std::string& model) {
    const std::string body = R"({"model":")" + model + R"(","messages":[{"role":"u"}]})";
    return decode_request(Endpoint::Chat, body).has_value();
  };
  EXPECT_TRUE(decodes(std::string(256, 'a')));
  EXPECT_FALSE(decodes(std::string(257, 'a')));
  EXPECT_FALSE(decodes("a\\nb"));
  EXPECT_FALSE(decodes("a\\u0000b"));
}

TEST(OpenAiRequest, AG_4_AResponsesBodyIsToldItsRoute) {
  const std::string body = R"({"model":"m","input":"hi"})";
  const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
  ASSERT_FALSE(request);
  EXPECT_NE(request.error().message().find("/v1/responses"), std::string::npos);
}

// Numbers as they were written, escapes, unknown fields, white space.
TEST(OpenAiRequest, TR_1_NothingChangesWhenNothingHasTo) {
  const std::string body =
      "{ \"model\" :\"m\",\r\n\t\"temperature\":0.10, \"seed\":1E0, \"x\":{\"\\u00e9\":[1.0,-0]} ,"
      "\"messages\":[{\"role\":\"user\",\"content\":\"\\u4e16\\/\"}] }\n";
  const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
  ASSERT_TRUE(request) << request.error().message();
  const Pieces pieces = encode_request(*request, {.model = "m", .ask_usage = true});
  EXPECT_EQ(pieces.str(), body);
  EXPECT_EQ(pieces.slices().size(), 1u);
}

TEST(OpenAiRequest, TR_1_OnlyTheModelAndTheUsageRequestAreReplaced) {
  const std::string body = chat_body(R"(,"stream":true)");
  const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
  Pieces pieces = encode_request(*request, {.model = "a/\"b\"", .ask_usage = true});
  const Pieces moved = std::move(pieces);
  EXPECT_EQ(moved.str(), R"({"stream_options":{"include_usage":true},"model":"a/\"b\"","messages":)"
                         R"([{"role":"user","content":"hello"}],"stream":true})");
  EXPECT_EQ(moved.size(), moved.str().size());
  EXPECT_EQ(encode_request(*request, {.model = "m"}).str(), body);
}

TEST(OpenAiRequest, BufferedRequestsAreNeverAskedForUsage) {
  const std::string body = chat_body("");
  const Result<chat::Request> request = decode_request(Endpoint::Chat, body);
  EXPECT_EQ(encode_request(*request, {.model = "m", .ask_usage = true}).str(), body);
}

TEST(OpenAiFaces, ErrorsHaveTheFourFields) {
  EXPECT_EQ(
      encode_error(Error(Outcome::BadRequest, "bad \"n\"", "n")),
      R"({"error":{"message":"bad \"n\"","type":"invalid_request_error","param":"n","code":null}})");
  EXPECT_EQ(
      encode_error(Error(Outcome::Unauthorized, "who?")),
      R"({"error":{"message":"who?","type":"authentication_error","param":null,"code":"invalid_api_key"}})");
  EXPECT_EQ(encode_error_event(Error(Outcome::Truncated, "cut")),
            "data: {\"error\":{\"message\":\"cut\",\"type\":\"api_error\",\"param\":null,"
            "\"code\":\"truncated\"}}\n\n");
}

TEST(OpenAiFaces, EveryOutcomeEncodesToValidJson) {
  for (int i = 0; i < kOutcomeCount; ++i) {
    const std::string body = encode_error(Error(static_cast<Outcome>(i), "x\n\xff"));
    json::Reader reader(body);
    EXPECT_TRUE(json::is_utf8(body) && reader.skip() && reader.finish()) << body;
  }
}

TEST(OpenAiFaces, ModelsAreListedAsOpenAiDoes) {
  const Model models[] = {{"a/b", 5, "acme"}, {"c", 0, "sluice"}};
  EXPECT_EQ(
      encode_models(models),
      R"({"object":"list","data":[{"id":"a/b","object":"model","created":5,"owned_by":"acme"},)"
      R"({"id":"c","object":"model","created":0,"owned_by":"sluice"}]})");
  EXPECT_EQ(encode_model(models[1]),
            R"({"id":"c","object":"model","created":0,"owned_by":"sluice"})");
}

TEST(OpenAiFaces, DISC_5_EstimatesNeverPassTheOutputLimit) {
  EXPECT_EQ(chat::estimate_usage(9, 401, std::nullopt).input(), 3);
  EXPECT_EQ(chat::estimate_usage(9, 401, std::nullopt).output(), 101);
  EXPECT_EQ(chat::estimate_usage(9, 401, 16).output(), 16);
  EXPECT_EQ(chat::estimate_usage(0, 0, 16).output(), 0);
}

}  // namespace
}  // namespace sluice::openai
