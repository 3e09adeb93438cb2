#include "wire/tokenizers.h"

#include <gtest/gtest.h>
#include <string>

#include "wire/anthropic.h"
#include "wire/anthropic_conversation.h"
#include "wire/prompt_count.h"
#include "wire/text_estimate.h"

namespace sluice::tokens {
namespace {

int64_t estimate(const std::string& body) {
  const Result<chat::Conversation> conversation = anthropic::read_conversation(body);
  const Tokenizers none;
  return conversation ? TokenCounter(none).prompt("claude", *conversation).tokens : -1;
}

// Reference: the vendor's tokenizer counts 59 for the text, and "Hello" is 8 as a message.
TEST(TokenEstimate, AG_2_EnglishComesOutWithinATenth) {
  EXPECT_EQ(estimate(R"({"model":"m","messages":[{"role":"user","content":"Hello"}]})"), 8);
  const int64_t trip = estimate(
      R"({"model":"m","messages":[{"role":"user","content":"Hi! Could you help me plan a three-day )"
      R"(trip to Lisbon? We're two adults and a 6-year-old; budget is about $1,500. We'd love good )"
      R"(food, not too much walking, and one day at the beach. Thanks a lot!\n"}]})");
  EXPECT_NEAR(static_cast<double>(trip), 59 + 7, 6);
}

// Reference: the vendor's documentation counts 403 for this request.
TEST(TokenEstimate, AG_2_ToolsCostTheirInstructionsAndTheirSchema) {
  const int64_t tokens = estimate(
      R"({"model":"m","tools":[{"name":"get_weather","description":"Get the current weather in a )"
      R"(given location","input_schema":{"type":"object","properties":{"location":{"type":"string",)"
      R"("description":"The city and state, e.g. San Francisco, CA"}},"required":["location"]}}],)"
      R"("messages":[{"role":"user","content":"What's the weather like in San Francisco?"}]})");
  EXPECT_NEAR(static_cast<double>(tokens), 403, 40);
}

TEST(TokenEstimate, AG_2_ThoughtsFromBeforeTheUsersLastWordsAreForgotten) {
  const std::string head = R"({"model":"m","messages":[{"role":"user","content":"Hi"},)";
  const std::string thought =
      R"({"type":"thinking","thinking":"a long thought indeed","signature":"S"},)";
  const auto chat = [&](const std::string& inner, const std::string& last) {
    return estimate(head + R"({"role":"assistant","content":[)" + inner +
                    R"({"type":"tool_use","id":"t","name":"f","input":{}}]},)"
                    R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t"})" +
                    last + "]}]}");
  };
  EXPECT_GT(chat(thought, ""), chat("", ""));
  const std::string words = R"(,{"type":"text","text":"Go on"})";
  EXPECT_EQ(chat(thought, words), chat("", words));
}

TEST(TokenEstimate, AG_2_ImagesCountWhateverTheirBase64Weighs) {
  const auto image = [](const std::string& data) {
    return estimate(
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"image","source":)"
        R"({"type":"base64","media_type":"image/png","data":")" +
        data + R"("}}]}]})");
  };
  EXPECT_EQ(image("AAAA"), image(std::string(40000, 'A')));
  EXPECT_GT(image("AAAA"), 1000);
}

chat::Conversation asking(const std::string& text) {
  chat::Conversation conversation;
  conversation.messages.push_back({.role = chat::Role::User, .parts = {{.text = text}}});
  return conversation;
}

TEST(Tokenizers, AModelsNameSaysItsTokenizer) {
  struct Case {
    std::string_view model;
    std::optional<EncodingName> encoding;
  };
  constexpr auto kO200k = EncodingName::O200kBase;
  constexpr auto kCl100k = EncodingName::Cl100kBase;
  for (const Case& one : {Case{"gpt-4o", kO200k},
                          Case{"gpt-4o-mini-2024-07-18", kO200k},
                          Case{"gpt-4.1-nano", kO200k},
                          Case{"gpt-5", kO200k},
                          Case{"gpt-5.1-codex", kO200k},
                          Case{"openai/gpt-5-mini", kO200k},
                          Case{"ft:gpt-4o:acme::7p4lURel", kO200k},
                          Case{"o1", kO200k},
                          Case{"o3-pro", kO200k},
                          Case{"o4-mini", kO200k},
                          Case{"openai/gpt-oss-120b:free", kO200k},
                          Case{"gpt-4", kCl100k},
                          Case{"gpt-4-turbo", kCl100k},
                          Case{"gpt-35-turbo", kCl100k},
                          Case{"gpt-3.5-turbo-16k", kCl100k},
                          Case{"text-embedding-3-large", kCl100k},
                          Case{"text-embedding-ada-002", kCl100k},
                          Case{"gpt-4.7", std::nullopt},
                          Case{"gpt-6", std::nullopt},
                          Case{"o10", std::nullopt},
                          Case{"claude-sonnet-4-5", std::nullopt},
                          Case{"meta-llama/llama-3.3-70b", std::nullopt},
                          Case{"", std::nullopt}}) {
    const std::optional<ModelTokenizer> tokenizer = tokenizer_of(one.model);
    EXPECT_EQ(tokenizer.has_value(), one.encoding.has_value()) << one.model;
    if (tokenizer && one.encoding) EXPECT_EQ(tokenizer->encoding, *one.encoding) << one.model;
  }
  EXPECT_FALSE(tokenizer_of("gpt-oss-20b")->known_format);
}

TEST(Tokenizers, AnEncodingIsThereOnceItWasWantedAndLoaded) {
  Tokenizers tokenizers;
  ASSERT_TRUE(tokenizers.load_wanted());
  EXPECT_EQ(tokenizers.find(EncodingName::Cl100kBase), nullptr);
  ASSERT_TRUE(tokenizers.load_wanted());
  const Encoding* loaded = tokenizers.find(EncodingName::Cl100kBase);
  ASSERT_NE(loaded, nullptr);
  tokenizers.want(EncodingName::Cl100kBase);
  ASSERT_TRUE(tokenizers.load_wanted());
  EXPECT_EQ(tokenizers.find(EncodingName::Cl100kBase), loaded);
  EXPECT_EQ(tokenizers.find(EncodingName::O200kBase), nullptr);
}

// With both encodings unpacked.
class TokenCounts : public testing::Test {
 protected:
  TokenCounts() {
    tokenizers_.want(EncodingName::O200kBase);
    tokenizers_.want(EncodingName::Cl100kBase);
    EXPECT_TRUE(tokenizers_.load_wanted());
  }

  Tokenizers tokenizers_;
  TokenCounter counter_{tokenizers_};
};

TEST(Tokenizers, CountsAreEstimatesUntilTheEncodingIsThere) {
  Tokenizers tokenizers;
  TokenCounter counter(tokenizers);
  EXPECT_FALSE(counter.text("gpt-4o", "Hello, world!").exact);
  ASSERT_TRUE(tokenizers.load_wanted());
  EXPECT_EQ(counter.text("gpt-4o", "Hello, world!"), (Count{4, true}));
}

// Reference: "num_tokens_from_messages" of the vendor's cookbook, and what its API has billed for
// the same six messages: 124 with gpt-4o, 129 with gpt-4.
TEST_F(TokenCounts, AChatOfTextsIsExact) {
  chat::Conversation conversation;
  const auto say = [&](const std::string& name, const std::string& text) {
    conversation.messages.push_back(
        {.role = chat::Role::System, .name = name, .parts = {{.text = text}}});
  };
  say("",
      "You are a helpful, pattern-following assistant that translates corporate jargon into "
      "plain English.");
  say("example_user", "New synergies will help drive top-line growth.");
  say("example_assistant", "Things working well together will increase revenue.");
  say("example_user",
      "Let's circle back when we have more bandwidth to touch base on opportunities for increased "
      "leverage.");
  say("example_assistant", "Let's talk later when we're less busy about how to do better.");
  say("", "This late pivot means we don't have time to boil the ocean for the client deliverable.");
  EXPECT_EQ(counter_.prompt("gpt-4o", conversation), (Count{124, true}));
  EXPECT_EQ(counter_.prompt("gpt-4", conversation), (Count{129, true}));
}

TEST_F(TokenCounts, WhatIsNotPublishedMakesACountAnEstimate) {
  const chat::Conversation plain = asking("What is in it?");
  const Count exact = counter_.prompt("gpt-5", plain);
  EXPECT_TRUE(exact.exact);
  EXPECT_FALSE(counter_.prompt("gpt-oss-20b", plain).exact);
  EXPECT_FALSE(counter_.prompt("claude-opus-4-5", plain).exact);
  chat::Conversation picture = plain;
  picture.messages[0].parts.push_back({.kind = chat::Part::Kind::Image, .url = "https://x/y.png"});
  EXPECT_EQ(counter_.prompt("gpt-5", picture), (Count{exact.tokens + kOpenaiFormat.image, false}));
  picture.messages[0].parts[1].detail = "low";
  EXPECT_EQ(counter_.prompt("gpt-5", picture),
            (Count{exact.tokens + kOpenaiFormat.low_image, false}));
  chat::Conversation tool = plain;
  tool.tools.push_back({.name = "look", .parameters = "{}"});
  EXPECT_FALSE(counter_.prompt("gpt-5", tool).exact);
  EXPECT_GT(counter_.prompt("gpt-5", tool).tokens, exact.tokens);
  chat::Conversation schema = plain;
  schema.format.schema = R"({"type":"object"})";
  EXPECT_FALSE(counter_.prompt("gpt-5", schema).exact);
  chat::Conversation two = plain;
  two.messages[0].parts.push_back({.text = "And here?"});
  EXPECT_FALSE(counter_.prompt("gpt-5", two).exact);
}

TEST_F(TokenCounts, MoreTextThanAnyModelTakesIsEstimated) {
  const Count count = counter_.prompt("gpt-5", asking(std::string(kMostCounted + 1, ' ')));
  EXPECT_FALSE(count.exact);
  EXPECT_LE(count.tokens, most_tokens(kMostCounted));
}

TEST_F(TokenCounts, NoTextHasMoreTokensThanBytes) {
  for (const std::string text : {"", "\x01", "\xf0\x9f\x98\x80", "zqxj kvb", "\t\t \n"}) {
    EXPECT_LE(counter_.text("gpt-4o", text).tokens, most_tokens(static_cast<int64_t>(text.size())));
  }
}

}  // namespace
}  // namespace sluice::tokens
