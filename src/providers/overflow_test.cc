#include "providers/overflow.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

struct Row {
  std::string_view message;
  std::optional<int64_t> tokens;
  std::optional<int64_t> limit;
};

constexpr Row kRows[] = {
    {"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 "
     "tokens. Please reduce the length of the messages.",
     9000, 8192},
    {"This model's maximum context length is 4097 tokens, however you requested 5360 tokens (1360 "
     "in your prompt; 4000 for the completion).",
     5360, 4097},
    {"This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 "
     "tokens (139000 of text input, 1000 in the output).",
     140000, 131072},
    {"You passed 1015 input tokens and requested 10 output tokens. However, the model's context "
     "length is only 1024 tokens, resulting in a maximum input length of 1014 tokens.",
     1015, 1024},
    {"Your input exceeds the context window of this model. Please adjust your input and try again.",
     std::nullopt, std::nullopt},
    {"prompt is too long: 213462 tokens > 200000 maximum", 213462, 200000},
    {"input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input "
     "length or `max_tokens` and try again",
     210000, 200000},
    {"The input token count (1300000) exceeds the maximum number of tokens allowed (1048575).",
     1300000, 1048575},
    {"The input token count exceeds the maximum number of tokens allowed 1048576.", std::nullopt,
     1048576},
    {"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum "
     "context length",
     40000, 32768},
    {"This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 537812,
     131072},
    {"request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
     5000, 4096},
    {"Please reduce the length of the messages or completion.", std::nullopt, std::nullopt},
    {"Input length (265330) exceeds model's maximum context length (262144).", 265330, 262144},
    {"length of prompt_tokens (163280) must be less than max_seq_len (32768).", 163280, 32768},
    {"Your request exceeded model token limit: 262144 (requested: 300000)", 300000, 262144},
    {"`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 500 "
     "`max_new_tokens`",
     4000, 4096},
    {"Prompt has 300,000 tokens, but the maximum context length is 131,072 tokens", 300000, 131072},
    {"prompt too long; exceeded max context length by 4096 tokens", std::nullopt, std::nullopt},
    {"Input is too long for requested model.", std::nullopt, std::nullopt},
    {"Request too large for model `llama-3.3` in organization `o` on tokens per minute (TPM): "
     "Limit "
     "6000, Requested 7000, please reduce your message size and try again.",
     7000, 6000},
    {"max tokens of 200000 exceeded", std::nullopt, 200000},
};

TEST(Overflow, RET_3_IsRecognisedInEveryKnownWordingWithItsNumbers) {
  for (const Row& row : kRows) {
    const std::optional<Overflow> overflow = read_overflow(row.message);
    ASSERT_TRUE(overflow.has_value()) << row.message;
    EXPECT_EQ(overflow->tokens, row.tokens) << row.message;
    EXPECT_EQ(overflow->limit, row.limit) << row.message;
  }
}

TEST(Overflow, OtherTroubleWithTokensIsNone) {
  for (const std::string_view message :
       {"max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
        "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens",
        "max tokens of 200000 are more than this model writes",
        "Rate limit reached for gpt-5 on tokens per min (TPM): Limit 30000, Used 29000",
        "Request exceeds the maximum size", "Invalid token", ""}) {
    EXPECT_FALSE(read_overflow(message).has_value()) << message;
  }
}

TEST(Overflow, AnAbsurdNumberIsNone) {
  const auto overflow =
      read_overflow("maximum context length is 99999999999999999999 tokens, prompt is too long");
  ASSERT_TRUE(overflow.has_value());
  EXPECT_EQ(overflow->limit, std::nullopt);
}

}  // namespace
}  // namespace sluice::providers
