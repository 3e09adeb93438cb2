#include "providers/kind.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

using chat::Endpoint;

std::optional<Call> call_of(Kind kind, Endpoint client, std::string_view model = "m") {
  return call_for(kind, calls_of(kind), client, model);
}

TEST(Kind, NamesReadBack) {
  for (size_t i = 0; i < kKindCount; ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_EQ(kind_named(name_of(kind)), kind);
  }
  EXPECT_EQ(kind_named("OpenAI"), std::nullopt);
}

TEST(Kind, TheSameEndpointIsPreferredSinceItsBytesPassThrough) {
  for (size_t k = 0; k < kKindCount; ++k) {
    const auto kind = static_cast<Kind>(k);
    for (size_t c = 0; c < kCallCount; ++c) {
      const auto call = static_cast<Call>(c);
      const std::optional<Endpoint> endpoint = endpoint_of(call);
      if (!endpoint || !calls_of(kind).has(call)) continue;
      EXPECT_EQ(call_of(kind, *endpoint, "claude-x"), call) << name_of(kind) << name_of(call);
    }
  }
}

TEST(Kind, OtherEndpointsAreTranslatedToWhatTheUpstreamHas) {
  EXPECT_EQ(call_of(Kind::OpenAi, Endpoint::Messages), Call::Chat);
  EXPECT_EQ(call_of(Kind::Anthropic, Endpoint::Chat), Call::Messages);
  EXPECT_EQ(call_of(Kind::Anthropic, Endpoint::Responses), Call::Messages);
  EXPECT_EQ(call_of(Kind::Cortex, Endpoint::Responses), Call::Chat);
  EXPECT_EQ(call_of(Kind::Cortex, Endpoint::Embeddings), Call::CortexEmbed);
}

TEST(Kind, WhatCannotBeTranslatedIsNotServed) {
  EXPECT_EQ(call_of(Kind::Anthropic, Endpoint::Embeddings), std::nullopt);
  EXPECT_EQ(call_of(Kind::Anthropic, Endpoint::Completions), std::nullopt);
  EXPECT_EQ(call_of(Kind::OpenAi, Endpoint::CountTokens), std::nullopt);
}

TEST(Kind, SnowflakesMessagesEndpointKnowsClaudeOnly) {
  EXPECT_EQ(call_of(Kind::Cortex, Endpoint::Messages, "claude-sonnet-4-5"), Call::Messages);
  EXPECT_EQ(call_of(Kind::Cortex, Endpoint::Messages, "llama3.1-70b"), Call::Chat);
}

TEST(Kind, SpeaksNarrowsWhatAServerIsAskedFor) {
  const CallSet only_chat{Call::Chat};
  EXPECT_EQ(call_for(Kind::OpenAi, only_chat, Endpoint::Responses, "m"), Call::Chat);
  EXPECT_EQ(call_for(Kind::OpenAi, only_chat, Endpoint::Embeddings, "m"), std::nullopt);
  const CallSet native{Call::CortexComplete};
  EXPECT_EQ(call_for(Kind::Cortex, native, Endpoint::Chat, "m"), Call::CortexComplete);
}

TEST(Kind, SpeaksIsReadFromNamesAndAWrongOneIsTold) {
  const std::string good[] = {"chat", "count_tokens"};
  const Result<CallSet> calls = calls_named(good);
  ASSERT_TRUE(calls.has_value());
  EXPECT_EQ(*calls, (CallSet{Call::Chat, Call::CountTokens}));
  const std::string bad[] = {"chat", "respones"};
  const Result<CallSet> refused = calls_named(bad);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message(),
            "'respones' is nothing an upstream speaks; did you mean 'responses'?");
}

TEST(Kind, BasePathsAreTakenAsPeopleWriteThem) {
  struct Row {
    Kind kind;
    std::string_view written;
    std::string_view path;
  };
  const Row rows[] = {
      {Kind::OpenAi, "/v1", "/v1"},
      {Kind::OpenAi, "/v1/", "/v1"},
      {Kind::OpenAi, "", ""},
      {Kind::Anthropic, "", "/v1"},
      {Kind::Anthropic, "/v1", "/v1"},
      {Kind::Anthropic, "/anthropic", "/anthropic/v1"},
      {Kind::Cortex, "", "/api/v2/cortex"},
      {Kind::Cortex, "/", "/api/v2/cortex"},
      {Kind::Cortex, "/api/v2/cortex/v1", "/api/v2/cortex"},
      {Kind::Cortex, "/api/v2/cortex", "/api/v2/cortex"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(base_path_of(row.kind, row.written), row.path) << row.written;
  }
}

}  // namespace
}  // namespace sluice::providers
