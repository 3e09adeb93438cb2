#include "wire/cortex_embed.h"

#include <bit>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>

#include "wire/openai_write_embeddings.h"

namespace sluice::cortex {
namespace {

using Vectors = std::vector<std::string_view>;

std::string reply(const std::string& data, const std::string& usage = R"({"total_tokens":4})") {
  return R"({"object":"list","data":[)" + data + R"(],"model":"m","usage":)" + usage + "}";
}
std::string entry(int index, const std::string& embedding) {
  return R"({"object":"embedding","index":)" + std::to_string(index) + R"(,"embedding":)" +
         embedding + "}";
}
std::string fault_of(const std::string& body, size_t inputs = 1) {
  const Result<EmbedReply> read = read_embed_reply(body, inputs);
  if (read) return "accepted";
  return std::string(name_of(read.error().outcome())) + ": " + read.error().message();
}

TEST(CortexEmbed, TheRequestHoldsTheTextsInOrder) {
  const std::vector<std::string> inputs = {"a", "\"b\""};
  EXPECT_EQ(write_embed_request(inputs, "e5-base-v2"),
            R"({"model":"e5-base-v2","text":["a","\"b\""]})");
}

TEST(CortexEmbed, NestedAndFlatVectorsComeInTheOrderOfTheInputs) {
  const std::string body = reply(entry(1, "[[0.5, -1]]") + "," + entry(0, "[1,2e-3]"));
  const Result<EmbedReply> read = read_embed_reply(body, 2);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->vectors, (Vectors{"[1,2e-3]", "[0.5, -1]"}));
  EXPECT_EQ(read->model, "m");
  EXPECT_EQ(read->tokens, 4);
}

TEST(CortexEmbed, UsageThatIsMissingIsUnknown) {
  for (const char* usage : {"null", "{}", R"({"total_tokens":-1})", R"({"total_tokens":0})"}) {
    const std::string body = reply(entry(0, "[1]"), usage);
    EXPECT_EQ(read_embed_reply(body, 1)->tokens, std::nullopt) << usage;
  }
}

TEST(CortexEmbed, AVectorThatIsMissingTwiceThereOrNoneIsABadReply) {
  EXPECT_EQ(fault_of(reply(entry(0, "[1]")), 2),
            "upstream_bad_reply: the upstream's reply has no vector with the index 1");
  EXPECT_EQ(fault_of(reply(entry(0, "[1]") + "," + entry(0, "[2]")), 2),
            "upstream_bad_reply: the upstream's reply has two vectors with the index 0");
  EXPECT_EQ(fault_of(reply(entry(7, "[1]"))),
            "upstream_bad_reply: the upstream's reply has a vector with the index 7 of 1");
  const std::string none =
      "upstream_bad_reply: the upstream's reply has no vector of numbers at index 0";
  for (const char* bad :
       {"[]", "[[]]", "[[1],[2]]", "[\"a\"]", "null", "[1e39]", "[[[1]]]", "[[1],2]"}) {
    EXPECT_EQ(fault_of(reply(entry(0, bad))), none) << bad;
  }
  EXPECT_EQ(fault_of("{}"), "upstream_bad_reply: the upstream's reply has no `data`");
  EXPECT_EQ(fault_of(R"({"message":"no such model","code":"400"})"),
            "upstream_rejected: no such model");
}

TEST(CortexEmbed, OneReplyIsSplitOverItsCallersWithoutLosingAToken) {
  EmbedReply whole;
  whole.vectors = {"[0]", "[1]", "[2]", "[3]", "[4]", "[5]"};
  whole.model = "m";
  for (int64_t tokens = 0; tokens < 200; ++tokens) {
    whole.tokens = tokens;
    const EmbedShare shares[] = {{.inputs = 1, .estimated_tokens = 3},
                                 {.inputs = 3, .estimated_tokens = 9},
                                 {.inputs = 2, .estimated_tokens = 0}};
    const std::vector<EmbedReply> parts = split_embed_reply(whole, shares);
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(parts[0].vectors, Vectors{"[0]"});
    EXPECT_EQ(parts[1].vectors, (Vectors{"[1]", "[2]", "[3]"}));
    EXPECT_EQ(parts[2].vectors, (Vectors{"[4]", "[5]"}));
    int64_t sum = 0;
    for (const EmbedReply& part : parts) {
      EXPECT_EQ(part.model, "m");
      EXPECT_GE(*part.tokens, 0);
      sum += *part.tokens;
    }
    EXPECT_EQ(sum, tokens);
    EXPECT_LE(*parts[0].tokens, *parts[1].tokens);
  }
  whole.tokens.reset();
  const EmbedShare all[] = {{.inputs = 6, .estimated_tokens = 1}};
  EXPECT_EQ(split_embed_reply(whole, all).at(0).tokens, std::nullopt);
}

TEST(OpenAiEmbeddings, InputsAreReadAsText) {
  const Result<openai::EmbeddingsCall> one =
      openai::read_embeddings(R"({"model":"m","input":"a","encoding_format":"base64"})");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->inputs, std::vector<std::string>{"a"});
  EXPECT_TRUE(one->base64);
  EXPECT_TRUE(one->unmapped.empty());
  const Result<openai::EmbeddingsCall> more =
      openai::read_embeddings(R"({"model":"m","input":["a","b"],"dimensions":256,"user":null})");
  ASSERT_TRUE(more);
  EXPECT_EQ(more->inputs, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(more->base64);
  EXPECT_EQ(more->unmapped, std::vector<std::string>{"dimensions"});
}

TEST(OpenAiEmbeddings, TokensAndUnknownFormatsAreRefusedByName) {
  for (const char* input : {"[1,2]", "[[1],[2]]"}) {
    const Result<openai::EmbeddingsCall> call =
        openai::read_embeddings(std::string(R"({"model":"m","input":)") + input + "}");
    ASSERT_FALSE(call);
    EXPECT_EQ(call.error().param(), "input");
  }
  const Result<openai::EmbeddingsCall> call =
      openai::read_embeddings(R"({"model":"m","input":"a","encoding_format":"int8"})");
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().param(), "encoding_format");
}

TEST(OpenAiEmbeddings, FloatsAreWrittenAsTheyStandAndBase64AsFloat32LittleEndian) {
  const Vectors vectors = {"[1,-2.5]", "[0.1, 3e2]"};
  const openai::Embeddings embeddings{.vectors = vectors, .model = "m", .tokens = 4};
  EXPECT_EQ(openai::write_embeddings(embeddings, false),
            R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,-2.5]},)"
            R"({"object":"embedding","index":1,"embedding":[0.1, 3e2]}],"model":"m",)"
            R"("usage":{"prompt_tokens":4,"total_tokens":4}})");
  // 1 is 00 00 80 3f, -2.5 is 00 00 20 c0; 0.1 is cd cc cc 3d, 300 is 00 00 96 43.
  EXPECT_EQ(
      openai::write_embeddings(embeddings, true),
      R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAIMA="},)"
      R"({"object":"embedding","index":1,"embedding":"zczMPQAAlkM="}],"model":"m",)"
      R"("usage":{"prompt_tokens":4,"total_tokens":4}})");
}

TEST(OpenAiEmbeddings, AVectorOf1536NumbersIs8192Characters) {
  std::string vector = "[0.25";
  for (int i = 1; i < 1536; ++i) vector += ",0.25";
  vector += "]";
  const Vectors vectors = {vector};
  const std::string body = openai::write_embeddings({.vectors = vectors, .model = "m"}, true);
  const std::string_view key = R"("embedding":")";
  const size_t begin = body.find(key) + key.size();
  EXPECT_EQ(body.find('"', begin) - begin, 8192u);
  EXPECT_EQ(body.find("usage"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cortex
