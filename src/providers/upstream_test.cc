#include "providers/upstream.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

constexpr Nanos kNow = 1000 * kSecond;

UpstreamOptions options_of(Kind kind, std::string base_path, AuthStyle style = AuthStyle::Bearer) {
  UpstreamOptions options;
  options.name = "up";
  options.kind = kind;
  options.base_path = std::move(base_path);
  options.keys.push_back(
      {.label = "#1", .credential = make_static_credential(style, Secret("key-1"))});
  return options;
}

std::string head_of(const Upstream& upstream, const Attempt& attempt,
                    std::initializer_list<net::Header> fields = {}) {
  net::Headers client;
  for (const net::Header& field : fields) client.add(field.name, field.value);
  std::string out;
  EXPECT_TRUE(upstream.append_head(out, attempt, client).has_value());
  return out;
}

bool has_line(const std::string& head, std::string_view line) {
  return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}
size_t count_of(const std::string& head, std::string_view text) {
  size_t count = 0;
  for (size_t at = head.find(text); at != std::string::npos; at = head.find(text, at + 1)) ++count;
  return count;
}

TEST(Upstream, AnOpenAiHeadIsThePathTheKeyAndNothingMore) {
  const Upstream upstream(options_of(Kind::OpenAi, "/v1"));
  EXPECT_EQ(
      head_of(upstream, {.call = Call::Chat}),
      "POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\n"
      "accept-encoding: identity\r\nuser-agent: sluice/1.0\r\nauthorization: Bearer key-1\r\n");
  EXPECT_TRUE(head_of(upstream, {.call = Call::Responses}).starts_with("POST /v1/responses HTTP"));
}

TEST(Upstream, AG_5_WhatACallHasMadeIsBelowItsPath) {
  const Attempt attempt{
      .call = Call::Responses, .method = "DELETE", .below = "/resp_1/input_items?limit=2"};
  const auto line = [&](Kind kind, std::string base) {
    const std::string head = head_of(Upstream(options_of(kind, std::move(base))), attempt);
    EXPECT_TRUE(has_line(head, "authorization: Bearer key-1")) << head;
    return head.substr(0, head.find('\r'));
  };
  EXPECT_EQ(line(Kind::OpenAi, "/v1/"), "DELETE /v1/responses/resp_1/input_items?limit=2 HTTP/1.1");
  EXPECT_EQ(line(Kind::OpenRouter, "/api/v1"),
            "DELETE /api/v1/responses/resp_1/input_items?limit=2 HTTP/1.1");
}

TEST(Upstream, AListIsAskedForWithTheKeyAndTheHeaderFieldsOfEveryRequest) {
  UpstreamOptions options = options_of(Kind::OpenRouter, "/api/v1/");
  options.headers.emplace_back("x-own", Secret("1"));
  std::string head;
  ASSERT_TRUE(Upstream(std::move(options)).append_list_head(head, "?offset=5", 0, 0));
  EXPECT_EQ(head,
            "GET /api/v1/models?offset=5 HTTP/1.1\r\naccept: application/json\r\n"
            "accept-encoding: identity\r\nuser-agent: sluice/1.0\r\nx-own: 1\r\n"
            "authorization: Bearer key-1\r\n");
  head.clear();
  const Upstream cortex(options_of(Kind::Cortex, "/api/v2/cortex/v1", AuthStyle::SnowflakePat));
  ASSERT_TRUE(cortex.append_list_head(head, "", 0, 0));
  EXPECT_TRUE(head.starts_with("GET /api/v2/cortex/models HTTP/1.1\r\n")) << head;
  EXPECT_TRUE(has_line(head, "authorization: Bearer key-1"));
  EXPECT_NE(head.find("PROGRAMMATIC_ACCESS_TOKEN"), std::string::npos);
}

TEST(Upstream, AStreamIsAskedForInTheHeadToo) {
  const Upstream upstream(options_of(Kind::OpenAi, "/v1"));
  EXPECT_TRUE(has_line(head_of(upstream, {.stream = true}), "accept: text/event-stream"));
  EXPECT_FALSE(has_line(head_of(upstream, {}), "accept: text/event-stream"));
}

TEST(Upstream, NET_1_TR_5_FieldsOfAnotherProviderNeverPass) {
  const std::initializer_list<net::Header> fields = {
      {"Authorization", "Bearer client"}, {"Cookie", "a=b"},       {"x-api-key", "client"},
      {"anthropic-beta", "b1"},           {"OpenAI-Project", "p"}, {"tracestate", "t"},
      {"HTTP-Referer", "https://app"}};
  const std::string openai =
      head_of(Upstream(options_of(Kind::OpenAi, "/v1")), {.call = Call::Chat}, fields);
  EXPECT_TRUE(has_line(openai, "OpenAI-Project: p"));
  EXPECT_TRUE(has_line(openai, "tracestate: t"));
  for (const char* foreign : {"client", "Cookie", "anthropic", "Referer"}) {
    EXPECT_EQ(openai.find(foreign), std::string::npos) << foreign;
  }
  const std::string anthropic =
      head_of(Upstream(options_of(Kind::Anthropic, "", AuthStyle::XApiKey)),
              {.call = Call::Messages}, fields);
  EXPECT_TRUE(has_line(anthropic, "anthropic-beta: b1"));
  EXPECT_TRUE(has_line(anthropic, "x-api-key: key-1"));
  for (const char* foreign : {"client", "Cookie", "OpenAI", "Referer", "Bearer"}) {
    EXPECT_EQ(anthropic.find(foreign), std::string::npos) << foreign;
  }
}

TEST(Upstream, AnthropicsVersionIsTheClientsOrOurs) {
  const Upstream upstream(options_of(Kind::Anthropic, "", AuthStyle::XApiKey));
  EXPECT_TRUE(
      has_line(head_of(upstream, {.call = Call::Messages}), "anthropic-version: 2023-06-01"));
  const std::string head =
      head_of(upstream, {.call = Call::CountTokens}, {{"anthropic-version", "2026-10-21"}});
  EXPECT_TRUE(head.starts_with("POST /v1/messages/count_tokens HTTP"));
  EXPECT_TRUE(has_line(head, "anthropic-version: 2026-10-21"));
  EXPECT_EQ(count_of(head, "anthropic-version"), 1U);
}

TEST(Upstream, OpenRouterHearsTheAppsNameOnce) {
  UpstreamOptions options = options_of(Kind::OpenRouter, "/api/v1");
  options.app_url = "https://ours";
  options.app_title = "Ours";
  const Upstream upstream(std::move(options));
  const std::string ours = head_of(upstream, {});
  EXPECT_TRUE(has_line(ours, "http-referer: https://ours"));
  EXPECT_TRUE(has_line(ours, "x-openrouter-title: Ours"));
  const std::string theirs = head_of(upstream, {}, {{"HTTP-Referer", "https://theirs"}});
  EXPECT_TRUE(has_line(theirs, "HTTP-Referer: https://theirs"));
  EXPECT_EQ(theirs.find("https://ours"), std::string::npos);
}

TEST(Upstream, SnowflakeIsAskedBelowItsOwnPath) {
  const Upstream upstream(options_of(Kind::Cortex, "", AuthStyle::SnowflakePat));
  const std::string head = head_of(upstream, {.call = Call::CortexEmbed, .stream = true});
  EXPECT_TRUE(head.starts_with("POST /api/v2/cortex/inference:embed HTTP/1.1\r\n"));
  EXPECT_TRUE(has_line(head, "accept: application/json, text/event-stream"));
  EXPECT_TRUE(has_line(head, "x-snowflake-authorization-token-type: PROGRAMMATIC_ACCESS_TOKEN"));
  EXPECT_TRUE(head_of(upstream, {.call = Call::Messages})
                  .starts_with("POST /api/v2/cortex/v1/messages HTTP/1.1\r\n"));
}

TEST(Upstream, PortkeyHearsWhatTheExchangeIsAbout) {
  UpstreamOptions options = options_of(Kind::Portkey, "/v1", AuthStyle::Portkey);
  options.portkey.provider = "@prod";
  const Upstream upstream(std::move(options));
  const Fact facts[] = {{"_user", "ann"}};
  const std::string head =
      head_of(upstream, {.model = "m", .trace_id = "t1", .facts = facts, .timeout = 2 * kSecond},
              {{"x-portkey-custom-host", "https://evil"}, {"x-portkey-span-id", "s"}});
  EXPECT_TRUE(has_line(head, "x-portkey-api-key: key-1"));
  EXPECT_TRUE(has_line(head, "x-portkey-provider: @prod"));
  EXPECT_TRUE(has_line(head, "x-portkey-trace-id: t1"));
  EXPECT_TRUE(has_line(head, "x-portkey-request-timeout: 2000"));
  EXPECT_TRUE(has_line(head, "x-portkey-metadata: {\"_user\":\"ann\"}"));
  EXPECT_TRUE(has_line(head, "x-portkey-span-id: s"));
  EXPECT_EQ(head.find("evil"), std::string::npos);
}

TEST(Upstream, FieldsOfTheConfigurationTakeThePlaceOfTheClientsAndOfOurs) {
  UpstreamOptions options = options_of(Kind::Anthropic, "", AuthStyle::XApiKey);
  options.headers.emplace_back("anthropic-version", Secret("2026-10-21"));
  options.headers.emplace_back("User-Agent", Secret("mine/1"));
  const std::string head = head_of(Upstream(std::move(options)), {.call = Call::Messages},
                                   {{"anthropic-version", "2023-06-01"}});
  EXPECT_TRUE(has_line(head, "anthropic-version: 2026-10-21"));
  EXPECT_TRUE(has_line(head, "User-Agent: mine/1"));
  EXPECT_EQ(count_of(head, "anthropic-version"), 1U);
  EXPECT_EQ(head.find("sluice/"), std::string::npos);
}

TEST(Upstream, EachKeyHasItsOwnLine) {
  UpstreamOptions options = options_of(Kind::OpenAi, "/v1");
  options.keys.push_back(
      {.label = "#2", .credential = make_static_credential(AuthStyle::Bearer, Secret("key-2"))});
  const Upstream upstream(std::move(options));
  EXPECT_TRUE(has_line(head_of(upstream, {.key = 0}), "authorization: Bearer key-1"));
  EXPECT_TRUE(has_line(head_of(upstream, {.key = 1}), "authorization: Bearer key-2"));
}

TEST(Upstream, WithoutKeysThereIsNoLine) {
  UpstreamOptions options = options_of(Kind::OpenAi, "/v1");
  options.keys.clear();
  const Upstream upstream(std::move(options));
  EXPECT_EQ(head_of(upstream, {}).find("authorization"), std::string::npos);
  EXPECT_FALSE(upstream.has_key());
  EXPECT_EQ(upstream.keys().size(), 0U);
}

TEST(Upstream, RET_5_U33_AnEchoedSecretIsScrubbedFromTheRefusal) {
  const Upstream upstream(options_of(Kind::OpenAi, "/v1"));
  const UpstreamFailure failure = upstream.classify(
      401, {},
      R"({"error":{"message":"Incorrect API key provided: key-1.","code":"invalid_api_key"}})", 0);
  EXPECT_EQ(failure.outcome, Outcome::UpstreamAuth);
  EXPECT_EQ(failure.message, "Incorrect API key provided: ***.");
}

UpstreamFailure failure_of(const Upstream& upstream, int status, std::string_view body,
                           std::string_view retry_after = "") {
  net::Headers headers;
  if (!retry_after.empty()) headers.add("retry-after", retry_after);
  return upstream.classify(status, headers, body, 0);
}

TEST(Upstream, WhatARefusalMeansForTheKey) {
  const Upstream upstream(options_of(Kind::OpenAi, "/v1"));
  using Event = KeyRing::Event;
  using State = KeyRing::State;
  EXPECT_EQ(upstream.note_failure(0, failure_of(upstream, 429, "", "30"), kNow), Event::Rests);
  EXPECT_EQ(upstream.keys().state(0, kNow + 29 * kSecond), State::Resting);
  EXPECT_EQ(upstream.keys().state(0, kNow + 30 * kSecond), State::InService);
  EXPECT_EQ(upstream.note_failure(0, failure_of(upstream, 500, ""), kNow), Event::None);
  EXPECT_EQ(upstream.note_failure(0, failure_of(upstream, 401, ""), kNow), Event::TakenOut);
  EXPECT_EQ(upstream.note_failure(0, failure_of(upstream, 400, ""), kNow), Event::Back);
  EXPECT_EQ(upstream.note_failure(7, failure_of(upstream, 401, ""), kNow), Event::None);
}

TEST(Upstream, RET_14_AUsedUpKeyIsOutUntilItsQuotaIsBack) {
  const std::string_view quota = R"({"error":{"code":"insufficient_quota","message":"m"}})";
  const Upstream told(options_of(Kind::OpenAi, "/v1"));
  EXPECT_EQ(told.note_failure(0, failure_of(told, 429, quota, "3600"), kNow),
            KeyRing::Event::TakenOut);
  EXPECT_EQ(told.keys().pick(kNow + 3599 * kSecond, 0), std::nullopt);
  EXPECT_EQ(told.keys().pick(kNow + 3600 * kSecond, 0), 0U);
  const Upstream untold(options_of(Kind::OpenAi, "/v1"));
  EXPECT_EQ(untold.note_failure(0, failure_of(untold, 429, quota), kNow), KeyRing::Event::TakenOut);
  EXPECT_EQ(untold.keys().pick(kNow + KeyRing::kProbeAfter, 0), 0U);
}

TEST(Upstream, TheUsedUpDayOfOneModelLeavesTheKeyToTheOthers) {
  const Upstream upstream(options_of(Kind::OpenAi, "/v1"));
  const UpstreamFailure failure =
      failure_of(upstream, 429,
                 R"({"error":{"message":"Rate limit reached for model `m` on tokens per day"}})");
  EXPECT_TRUE(failure.lasting);
  EXPECT_EQ(upstream.note_failure(0, failure, kNow), KeyRing::Event::None);
  EXPECT_EQ(upstream.keys().state(0, kNow), KeyRing::State::InService);
}

TEST(Upstream, BehindHostedPortkeyAVendorsRefusalIsNotTheFaultOfOurKey) {
  UpstreamOptions options = options_of(Kind::Portkey, "/v1", AuthStyle::Portkey);
  const std::string_view vendor =
      R"({"error":{"message":"openai error: bad key"},"provider":"openai"})";
  const std::string_view own = R"({"status":"failure","message":"Invalid API Key"})";
  const Upstream hosted(options);
  EXPECT_FALSE(hosted.classify(401, {}, vendor, 0).blames_key);
  EXPECT_TRUE(hosted.classify(401, {}, own, 0).blames_key);
  options.portkey.self_hosted = true;
  EXPECT_TRUE(Upstream(options).classify(401, {}, vendor, 0).blames_key);
}

}  // namespace
}  // namespace sluice::providers
