#include "providers/overflow.h"

#include <algorithm>
#include <array>
#include <string>

namespace sluice::providers {
namespace {

// In lower case, as they stand in messages. Beside each who says so.
constexpr std::string_view kWordings[] = {
    "maximum context length",           // OpenAI, OpenRouter, DeepSeek, vLLM, TensorRT-LLM
    "context length is only",           // vLLM
    "context_length_exceeded",          // OpenAI's code inside another's message
    "exceeds the context window",       // OpenAI, Responses
    "context window exceeds limit",     // MiniMax
    "context window is full",           // LM Studio
    "greater than the context length",  // LM Studio
    "context length exceeded",          // several
    "exceeds context length",           // Ollama
    "exceeded max context length",      // Ollama
    "exceeded context length",          // Ollama
    "available context size",           // llama.cpp
    "context size has been exceeded",   // llama.cpp
    "exceed_context_size",              // llama.cpp
    "prompt is too long",               // Anthropic
    "prompt too long",                  // Ollama, Snowflake
    "exceed context limit",             // Anthropic: prompt and max_tokens together
    "input is too long",                // Bedrock
    "input too long",                   // Snowflake
    "input token count",                // Gemini
    "maximum prompt length is",         // xAI
    "reduce the length of the",         // Groq, OpenAI, vLLM
    "too large for model with",         // Mistral
    "must be less than max_seq_len",    // SiliconFlow
    "maximum allowed input length",     // TGI and others
    "longer than the model's context",  // SGLang, Together
    "max_new_tokens` must be <=",       // TGI
    "exceeded model token limit",       // Moonshot
    "range of input length should be",  // Qwen
    "too many tokens in the prompt",    // Snowflake, Cohere
    "too many tokens: total length",    // Cohere
    "max tokens exceeded",              // Snowflake
    "model_context_window_exceeded",    // Z.ai
    "model token limit",                // several
};

// Wordings in two parts, with something between.
struct Halves {
  std::string_view first;
  std::string_view second;
};
constexpr Halves kHalves[] = {
    // A request larger than a whole minute's allowance never fits either, whatever the pause.
    {"request too large for", "tokens per min"},
    {"max tokens of ", " exceeded"},  // Snowflake: "max tokens of 200000 exceeded"
};

// Behind these words, with nothing but blanks, brackets or colons between, stands the number.
constexpr std::string_view kBeforeLimit[] = {
    "maximum context length is",
    "maximum context length of",
    "maximum context length (",
    "context length is only",
    "context length (",
    "context window of",
    "maximum number of tokens allowed",
    "maximum prompt length is",
    "too large for model with",
    "available context size (",
    "must be less than max_seq_len",
    "maximum allowed input length of",
    "must be <=",
    "exceeded model token limit:",
    "range of input length should be [1,",
    "size limit exceeded:",
    "max tokens of",
    "): limit",  // "(TPM): Limit 6000, Requested 7000"
    ">",         // "210000 tokens > 200000 maximum"
};
constexpr std::string_view kBeforeTokens[] = {
    "prompt is too long:",
    "resulted in",
    "your request has",
    "the request contains",
    "request contains",
    "the request has",
    "you passed",
    "you requested about",
    "you requested",
    "input token count",
    "prompt contains",
    "prompt has",
    "length of prompt_tokens",
    "input length",
    "the request (",
    "request (",
    "(requested:",
    "requested",
    "given:",
    "input (",
    "exceed context limit:",
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The number `text` begins with, behind blanks and brackets; commas may group its digits.
std::optional<int64_t> number_at(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" (:~"), text.size()));
  int64_t value = 0;
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool groups = text[i] == ',' && i + 1 < text.size() && is_digit(text[i + 1]);
    if (groups && digits > 0) continue;
    if (!is_digit(text[i]) || ++digits > 12) break;
    value = value * 10 + (text[i] - '0');
  }
  if (digits == 0 || digits > 12) return std::nullopt;
  return value;
}

std::optional<int64_t> number_behind(std::string_view text, std::string_view words) {
  for (size_t at = text.find(words); at != std::string_view::npos;
       at = text.find(words, at + words.size())) {
    if (const auto number = number_at(text.substr(at + words.size()))) return number;
  }
  return std::nullopt;
}

template <size_t N>
std::optional<int64_t> first_number(std::string_view text, const std::string_view (&words)[N]) {
  for (const std::string_view each : words) {
    if (const auto number = number_behind(text, each)) return number;
  }
  return std::nullopt;
}

// "exceed context limit: 190000 + 20000 > 200000": what was asked for is the sum.
std::optional<int64_t> sum_behind(std::string_view text, std::string_view words) {
  const size_t at = text.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + words.size());
  const size_t plus = rest.find('+');
  const auto first = number_at(rest);
  if (!first || plus > rest.find('>')) return std::nullopt;
  const auto second = number_at(rest.substr(plus + 1));
  if (!second) return std::nullopt;
  return *first + *second;
}

}  // namespace

std::optional<Overflow> read_overflow(std::string_view message) {
  const std::string text = lower(message);
  const auto says = [&text](std::string_view words) {
    return text.find(words) != std::string::npos;
  };
  const bool known = std::any_of(std::begin(kWordings), std::end(kWordings), says) ||
                     std::any_of(std::begin(kHalves), std::end(kHalves), [&](const Halves& words) {
                       return says(words.first) && says(words.second);
                     });
  if (!known) return std::nullopt;
  Overflow overflow;
  overflow.limit = first_number(text, kBeforeLimit);
  overflow.tokens = sum_behind(text, "exceed context limit:");
  if (!overflow.tokens) overflow.tokens = first_number(text, kBeforeTokens);
  return overflow;
}

}  // namespace sluice::providers
