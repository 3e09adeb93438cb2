#include "providers/pass_list.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

PassList usual(Kind kind, Dialect dialect) {
  return PassList(kind, dialect, {}, {});
}

TEST(PassList, NET_1_FieldsGoToTheProviderTheyAreMeantFor) {
  const PassList openai = usual(Kind::OpenAi, Dialect::OpenAi);
  const PassList anthropic = usual(Kind::Anthropic, Dialect::Anthropic);
  const PassList openrouter = usual(Kind::OpenRouter, Dialect::OpenAi);
  const PassList portkey = usual(Kind::Portkey, Dialect::OpenAi);
  struct Row {
    std::string_view name;
    bool to_openai;
    bool to_anthropic;
    bool to_openrouter;
    bool to_portkey;
  };
  const Row rows[] = {
      {"OpenAI-Organization", true, false, false, true},
      {"OpenAI-Beta", true, false, false, true},
      {"anthropic-version", false, true, false, false},
      {"anthropic-beta", false, true, false, false},
      {"HTTP-Referer", false, false, true, false},
      {"X-Title", false, false, true, false},
      {"X-OpenRouter-Title", false, false, true, false},
      {"x-portkey-span-id", false, false, false, true},
      {"tracestate", true, true, true, true},
      {"Idempotency-Key", true, true, true, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(openai.has(row.name), row.to_openai) << row.name;
    EXPECT_EQ(anthropic.has(row.name), row.to_anthropic) << row.name;
    EXPECT_EQ(openrouter.has(row.name), row.to_openrouter) << row.name;
    EXPECT_EQ(portkey.has(row.name), row.to_portkey) << row.name;
  }
}

TEST(PassList, NET_1_AnthropicsFieldsGoToEveryTargetThatSpeaksItsDialect) {
  for (const Kind kind : {Kind::Anthropic, Kind::Portkey, Kind::OpenRouter, Kind::Cortex}) {
    EXPECT_TRUE(usual(kind, Dialect::Anthropic).has("anthropic-beta")) << name_of(kind);
    EXPECT_FALSE(usual(kind, Dialect::OpenAi).has("anthropic-beta")) << name_of(kind);
  }
}

TEST(PassList, NET_1_NothingMakesACredentialPass) {
  const std::vector<std::string> all = {
      "Authorization",  "X-Api-Key",         "api-key", "Cookie",     "host",
      "x-goog-api-key", "x-portkey-api-key", "te",      "connection", "transfer-encoding",
      "accept",         "content-length"};
  const PassList list(Kind::OpenAi, Dialect::OpenAi, all, {});
  for (const std::string& name : all) EXPECT_FALSE(list.has(name)) << name;
}

TEST(PassList, NothingMakesAClientSteerPortkey) {
  const std::vector<std::string> all = {"x-portkey-config", "x-portkey-custom-host",
                                        "x-portkey-provider", "x-portkey-virtual-key"};
  const PassList list(Kind::Portkey, Dialect::OpenAi, all, {});
  for (const std::string& name : all) EXPECT_FALSE(list.has(name)) << name;
}

TEST(PassList, NET_1_ListsOfTheConfigurationAddAndTakeAway) {
  const PassList list(Kind::OpenAi, Dialect::OpenAi, {"X-Extra", "openai-beta"}, {"OpenAI-Beta"});
  EXPECT_TRUE(list.has("x-extra"));
  EXPECT_FALSE(list.has("openai-beta"));
  EXPECT_FALSE(list.has(std::string(64, 'x')));
}

TEST(PassList, AFieldThatConnectionNamesIsAboutTheConnection) {
  net::Headers client;
  client.add("Connection", "close, X-Extra");
  client.add("X-Extra", "1");
  client.add("X-Other", "2");
  const PassList list(Kind::OpenAi, Dialect::OpenAi, {"x-extra", "x-other"}, {});
  std::string out;
  list.append(out, client);
  EXPECT_EQ(out, "X-Other: 2\r\n");
}

}  // namespace
}  // namespace sluice::providers
