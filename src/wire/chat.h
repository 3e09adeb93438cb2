// The middle form: what every dialect decodes to and encodes from. Values only, no I/O.
//
// A request keeps the client's own bytes beside what was decoded from them: when client and target
// speak the same dialect those bytes are forwarded, with only the fields the gateway owns replaced
// (acceptance TR-1).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"

namespace sluice::chat {

// The class of service a call was billed at, in the words of OpenAI and Anthropic alike.
enum class ServiceTier : uint8_t { Unsaid, Standard, Batch, Flex, Priority, Fast, Other };

// Of `service_tier`: "default" and "standard" are the same, "auto" says nothing, an unknown word is
// Other.
ServiceTier service_tier_named(std::string_view word);
// "", "standard", "batch", "flex", "priority", "fast", "other".
std::string_view name_of(ServiceTier tier);

// Token counts in disjoint buckets (acceptance TOK-1): input() and output() are the provider's own
// totals, no token is in two buckets, none is negative.
struct Usage {
  int64_t plain_input = 0;     // text input, not from a cache, not written to one
  int64_t cache_read = 0;      // input served from the provider's prompt cache
  int64_t cache_write = 0;     // input written to it, short lifetime (5 min; 30 min at OpenAI)
  int64_t cache_write_1h = 0;  // input written to it, one hour
  int64_t audio_input = 0;
  int64_t visible_output = 0;
  int64_t reasoning = 0;  // output the caller does not see; billed as output
  int64_t audio_output = 0;
  // What the provider itself says the call cost, in USD; absent unless positive (acceptance
  // COST-7).
  std::optional<double> provider_cost;
  // The call ran on the caller's own account at the upstream (OpenRouter's is_byok): provider_cost
  // is the intermediary's charge alone and may be 0. What the upstream charged, where that is told.
  bool own_key = false;
  std::optional<double> upstream_cost;
  ServiceTier tier = ServiceTier::Unsaid;

  int64_t input() const {
    return plain_input + cache_read + cache_write + cache_write_1h + audio_input;
  }
  int64_t output() const { return visible_output + reasoning + audio_output; }
  friend bool operator==(const Usage&, const Usage&) = default;
};

// Where the numbers of a Usage come from: the label of the ledger's usage_source column.
enum class UsageSource : uint8_t { None, Reported, Estimated };

enum class Endpoint : uint8_t { Chat, Completions, Embeddings, Responses, Messages, CountTokens };

inline constexpr size_t kEndpointCount = 6;

// "chat", "completions", "embeddings", "responses", "messages", "count_tokens".
std::string_view name_of(Endpoint endpoint);

// Half-open range of bytes in a body.
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool empty() const { return begin == end; }
};

// Under which name a chat request limits its output.
enum class OutputLimit : uint8_t { None, MaxTokens, MaxCompletionTokens, Both };
// What a Responses request refers to that only the upstream account knows that made it: the request
// goes there or is refused (acceptance AG-5).
struct References {
  std::string previous_response;       // previous_response_id
  std::string conversation;            // its id
  std::string prompt;                  // id of a prompt template kept at the provider
  std::vector<std::string> items;      // of item_reference: the items themselves are not sent
  std::vector<std::string> reasoning;  // ids of reasoning items that are sent along
  bool encrypted = false;              // some of those only their maker can read
  // Reasoning items this gateway made from an answer of another dialect, as ranges of the body: no
  // Responses upstream knows them, so none is sent them.
  std::vector<Span> own_reasoning;

  bool empty() const {
    return previous_response.empty() && conversation.empty() && prompt.empty() && items.empty() &&
           reasoning.empty() && !encrypted && own_reasoning.empty();
  }
};

// One request. `body` borrows the bytes the client sent; they outlive the Request.
struct Request {
  Endpoint endpoint = Endpoint::Chat;
  std::string_view body;
  std::string model;
  std::string
      user;  // end user as the client names it: `safety_identifier`, else `user`; may be empty
  bool stream = false;
  bool asked_usage = false;  // stream_options.include_usage was true
  std::optional<int64_t> max_output_tokens;
  OutputLimit output_limit = OutputLimit::None;
  bool reasons = false;  // asks the model to think before it speaks
  int64_t choices = 1;   // `n`
  bool has_metadata = false;
  ServiceTier tier = ServiceTier::Unsaid;  // asked for; the reply tells which one it was
  // Rough size of the prompt for estimates (acceptance DISC-5): bytes of text in it, without images
  // or audio.
  int64_t prompt_bytes = 0;
  // No picture, document or sound in it: each of its tokens takes a byte of the body at least.
  bool only_text = true;

  // Of Responses only.
  bool background = false;  // answered later, to be asked for by id
  bool store = false;       // the provider keeps the answer, so that later requests can refer to it
  std::shared_ptr<const References> references;  // null: none

  // Where in `body` the fields stand that the gateway may have to replace.
  Span model_value;           // the JSON string, quotes included
  Span stream_options_value;  // the JSON value; empty when absent
  Span include_usage_value;   // inside stream_options; empty when absent
  uint32_t object_open = 0;   // offset of the byte after the body's opening brace
};

// What a buffered reply says about itself.
struct Reply {
  std::optional<Usage> usage;
  std::string model;  // the model that answered, as the provider names it
  bool has_content = false;
  bool is_error = false;  // an error object inside a 200 (acceptance FB-10)
  std::string error_message;
  std::string error_code;
  std::string error_type;
  Outcome error_outcome = Outcome::UpstreamError;  // what that error means, if is_error
  int64_t output_bytes = 0;  // bytes of text, reasoning and tool arguments, unescaped
  // Of Responses only: the names under which a later request may refer to this answer.
  std::string response_id;
  std::vector<std::string> item_ids;
};

// About 4 bytes of text a token, rounded up.
int64_t estimate_tokens(int64_t text_bytes);
// The same, and never more output than the limit: for exchanges whose upstream reported no usage.
// Good to a third for English, off by more for other scripts.
Usage estimate_usage(int64_t prompt_bytes, int64_t output_bytes, std::optional<int64_t> max_output);

}  // namespace sluice::chat
