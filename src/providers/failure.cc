#include "providers/failure.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "providers/portkey.h"

namespace sluice::providers {
namespace {

// What else a row says of the failure.
enum Mark : uint8_t {
  kPlain = 0,
  kLasting = 1,
  kKey = 2,         // the key is at fault
  kOnlyInside = 4,  // says less than a status does, so only for an error inside a 2xx
};

struct StatusRow {
  int status;
  Outcome outcome;
  uint8_t marks;
};
constexpr StatusRow kStatuses[] = {
    {401, Outcome::UpstreamAuth, kLasting | kKey}, {402, Outcome::UpstreamAuth, kLasting | kKey},
    {403, Outcome::UpstreamAuth, kLasting | kKey}, {408, Outcome::FirstByteTimeout, kPlain},
    {409, Outcome::UpstreamError, kPlain},         {429, Outcome::UpstreamRateLimit, kPlain},
    {446, Outcome::ContentPolicy, kPlain},  // Portkey's guardrail
    {503, Outcome::UpstreamOverloaded, kPlain},    {529, Outcome::UpstreamOverloaded, kPlain},
};

// Words in the fields made for them: more exact than the status. The first row that fits counts, so
// rarer words stand first. What must be told apart by its wording is not here.
struct WordRow {
  std::string_view word;
  Outcome outcome;
  uint8_t marks;
};
constexpr WordRow kWords[] = {
    {"context_length_exceeded", Outcome::ContextOverflow, kPlain},
    {"exceed_context_size_error", Outcome::ContextOverflow, kPlain},      // llama.cpp
    {"model_context_window_exceeded", Outcome::ContextOverflow, kPlain},  // Z.ai
    {"token_limit_exceeded", Outcome::ContextOverflow, kPlain},           // OpenRouter
    {"content_filter", Outcome::ContentPolicy, kPlain},                   // Azure
    {"responsibleaipolicyviolation", Outcome::ContentPolicy, kPlain},     // Azure
    {"content_policy_violation", Outcome::ContentPolicy, kPlain},
    {"moderation_blocked", Outcome::ContentPolicy, kPlain},
    {"refusal", Outcome::ContentPolicy, kPlain},                 // OpenRouter
    {"prohibited_content", Outcome::ContentPolicy, kPlain},      // Google
    {"data_inspection_failed", Outcome::ContentPolicy, kPlain},  // Qwen
    {"insufficient_quota", Outcome::UpstreamRateLimit, kLasting | kKey},
    {"billing_hard_limit_reached", Outcome::UpstreamRateLimit, kLasting | kKey},
    {"billing_not_active", Outcome::UpstreamRateLimit, kLasting | kKey},
    {"exceeded_current_quota_error", Outcome::UpstreamRateLimit, kLasting | kKey},  // Moonshot
    {"contract_spend_limit_reached", Outcome::UpstreamRateLimit, kLasting | kKey},  // Anthropic
    {"billing_error", Outcome::UpstreamAuth, kLasting | kKey},                      // Anthropic
    {"payment_required", Outcome::UpstreamAuth, kLasting | kKey},                   // OpenRouter
    {"invalid_api_key", Outcome::UpstreamAuth, kLasting | kKey},
    {"api_key_invalid", Outcome::UpstreamAuth, kLasting | kKey},  // Google
    {"authentication_error", Outcome::UpstreamAuth, kLasting | kKey},
    {"authentication", Outcome::UpstreamAuth, kLasting | kKey},  // OpenRouter
    {"account_deactivated", Outcome::UpstreamAuth, kLasting | kKey},
    {"390144", Outcome::UpstreamAuth, kLasting | kKey},  // Snowflake: bad JWT
    {"390112", Outcome::UpstreamAuth, kLasting | kKey},  // Snowflake: session expired
    {"390114", Outcome::UpstreamAuth, kLasting | kKey},  // Snowflake: token expired
    {"390318", Outcome::UpstreamAuth, kLasting | kKey},  // Snowflake: OAuth token expired
    {"unsupported_country_region_territory", Outcome::UpstreamAuth, kLasting},
    {"rate_limit_exceeded", Outcome::UpstreamRateLimit, kPlain},
    {"rate_limit_error", Outcome::UpstreamRateLimit, kPlain},
    {"rate_limited", Outcome::UpstreamRateLimit, kPlain},
    {"too_many_requests", Outcome::UpstreamRateLimit, kPlain},
    {"resource_exhausted", Outcome::UpstreamRateLimit, kPlain},  // Google
    {"overloaded_error", Outcome::UpstreamOverloaded, kPlain},   // Anthropic
    {"engine_overloaded_error", Outcome::UpstreamOverloaded, kPlain},
    {"provider_overloaded", Outcome::UpstreamOverloaded, kPlain},  // OpenRouter
    {"overloaded", Outcome::UpstreamOverloaded, kPlain},
    {"slow_down", Outcome::UpstreamOverloaded, kPlain},
    {"service_unavailable", Outcome::UpstreamOverloaded, kPlain},
    // OpenRouter has the model and nobody who serves it now: not the request's fault.
    {"no_endpoints", Outcome::UpstreamError, kLasting},
    {"model_deprecated", Outcome::UpstreamError, kLasting},
    {"model_unavailable_upstream", Outcome::UpstreamError, kLasting},
    {"provider_unavailable", Outcome::UpstreamError, kPlain},
    {"timeout_error", Outcome::FirstByteTimeout, kOnlyInside},
    {"timeout", Outcome::FirstByteTimeout, kOnlyInside},
    {"permission_error", Outcome::UpstreamAuth, kLasting | kKey | kOnlyInside},
    {"permission_denied", Outcome::UpstreamAuth, kLasting | kKey | kOnlyInside},
    {"not_found_error", Outcome::UpstreamRejected, kOnlyInside},
    {"model_not_found", Outcome::UpstreamRejected, kOnlyInside},
    {"invalid_request_error", Outcome::UpstreamRejected, kOnlyInside},
    {"invalid_request", Outcome::UpstreamRejected, kOnlyInside},
    {"invalid_prompt", Outcome::UpstreamRejected, kOnlyInside},
    {"invalid_argument", Outcome::UpstreamRejected, kOnlyInside},
    {"request_too_large", Outcome::UpstreamRejected, kOnlyInside},
};

// In lower case, as they stand in messages. For providers that tell by the message alone, and those
// whose status says something else.
constexpr WordRow kWordings[] = {
    {"content management policy", Outcome::ContentPolicy, kPlain},                // Azure
    {"content filtering policy", Outcome::ContentPolicy, kPlain},                 // Anthropic
    {"flagged as potentially violating", Outcome::ContentPolicy, kPlain},         // OpenAI
    {"rejected by the safety system", Outcome::ContentPolicy, kPlain},            // OpenAI
    {"violates usage guidelines", Outcome::ContentPolicy, kPlain},                // xAI
    {"requires moderation", Outcome::ContentPolicy, kPlain},                      // OpenRouter
    {"input was flagged", Outcome::ContentPolicy, kPlain},                        // OpenRouter
    {"content exists risk", Outcome::ContentPolicy, kPlain},                      // DeepSeek
    {"credit balance is too low", Outcome::UpstreamAuth, kLasting | kKey},        // Anthropic, 400
    {"insufficient balance", Outcome::UpstreamAuth, kLasting | kKey},             // DeepSeek
    {"specified api usage limits", Outcome::UpstreamRateLimit, kLasting | kKey},  // Anthropic, 400
    {"exceeded your current quota", Outcome::UpstreamRateLimit, kLasting | kKey},
    {"free-models-per-day", Outcome::UpstreamRateLimit, kLasting | kKey},  // OpenRouter
    {"tokens per day", Outcome::UpstreamRateLimit, kLasting},              // Groq: of one model
    {"requests per day", Outcome::UpstreamRateLimit, kLasting},
    {"monthly limit", Outcome::UpstreamRateLimit, kLasting | kKey},
    {"spend limit", Outcome::UpstreamRateLimit, kLasting | kKey},
    {"spending limit", Outcome::UpstreamRateLimit, kLasting | kKey},
    {"incorrect api key", Outcome::UpstreamAuth, kLasting | kKey},  // xAI, 400
    {"api key not valid", Outcome::UpstreamAuth, kLasting | kKey},  // Google, 400
    {"currently overloaded", Outcome::UpstreamOverloaded, kPlain},
    {"model is overloaded", Outcome::UpstreamOverloaded, kPlain},
};

// What is back so soon is a rate limit, even where it is called a quota (Gemini does).
constexpr Nanos kLongestPause = 120 * kSecond;

struct Verdict {
  Outcome outcome;
  uint8_t marks;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

// One reply, read.
struct Reading {
  int status;   // of the reply, or of the error inside a 2xx; 0 where that has no number
  bool inside;  // the error stands inside a 2xx
  ErrorBody body;
  std::string text;  // all that was said, in lower case
};

// Numbers as codes are statuses: OpenRouter's, Google's, vLLM's.
int status_inside(const ErrorBody& body) {
  int status = 0;
  const char* const end = body.code.data() + body.code.size();
  const auto [stop, error] = std::from_chars(body.code.data(), end, status);
  if (error != std::errc() || stop != end || status < 400 || status > 599) return 0;
  return status;
}

Reading read(int status, std::string_view bytes) {
  const bool inside = status >= 200 && status <= 299;
  Reading reading{.status = status, .inside = inside, .body = read_error_body(bytes), .text = ""};
  if (inside) reading.status = status_inside(reading.body);
  reading.text = lower(reading.body.message) + "\n" + lower(reading.body.raw);
  return reading;
}

Verdict verdict_of_status(const Reading& reading) {
  const ErrorBody& body = reading.body;
  const bool says_something = body.shape != ErrorShape::None || !body.message.empty();
  if (reading.inside && (body.is_html || !says_something || !body.is_json))
    return {Outcome::UpstreamBadReply, kPlain};
  const auto* const row =
      std::find_if(std::begin(kStatuses), std::end(kStatuses),
                   [&](const StatusRow& each) { return each.status == reading.status; });
  if (row != std::end(kStatuses)) return {row->outcome, row->marks};
  if (reading.status >= 500 || reading.status == 0) return {Outcome::UpstreamError, kPlain};
  // A page for people is from something before the API, and says nothing of the request.
  if (reading.status >= 400 && reading.status != 413 && body.is_html)
    return {Outcome::UpstreamBadReply, kPlain};
  if (reading.status >= 400) return {Outcome::UpstreamRejected, kPlain};
  return {Outcome::UpstreamBadReply, kPlain};  // a redirect is not followed, and 1xx is no reply
}

// Wordings go first, since codes are often too broad: a used-up day is "rate_limit_exceeded" too.
// One that takes a key out must stand before any quotation, or a client could have it said by
// asking for a field of that name.
Verdict verdict_of(const Reading& reading) {
  const std::string_view all = reading.text;
  const std::string_view unquoted = all.substr(0, all.find_first_of("'\"`"));
  for (const WordRow& row : kWordings) {
    if (has((row.marks & kKey) != 0 ? unquoted : all, row.word)) return {row.outcome, row.marks};
  }
  for (const WordRow& row : kWords) {
    if ((row.marks & kOnlyInside) != 0 && (!reading.inside || reading.status != 0)) continue;
    if (reading.body.says(row.word)) return {row.outcome, row.marks};
  }
  return verdict_of_status(reading);
}

bool may_be_overflow(const Reading& reading) {
  const int status = reading.status;
  return status != 401 && status != 402 && status != 403 && status != 408 && !reading.body.is_html;
}

std::optional<Overflow> overflow_of(const Reading& reading, Outcome outcome) {
  if (!may_be_overflow(reading)) return std::nullopt;
  std::optional<Overflow> overflow = read_overflow(reading.text);
  const bool too_large = reading.status == 413 && has(reading.text, "token");
  if (!overflow && (outcome == Outcome::ContextOverflow || too_large)) overflow.emplace();
  if (!overflow) return std::nullopt;
  if (!overflow->tokens) overflow->tokens = reading.body.prompt_tokens;
  if (!overflow->limit) overflow->limit = reading.body.context_size;
  return overflow;
}

std::optional<Nanos> pause_of(const Reading& reading, Outcome outcome, const net::Headers& headers,
                              int64_t wall_micros) {
  if (const auto told = parse_retry_after(headers, wall_micros)) return told;
  if (outcome != Outcome::UpstreamRateLimit && outcome != Outcome::UpstreamOverloaded)
    return std::nullopt;
  if (const auto told = parse_duration(reading.body.retry_delay)) return told;
  if (const auto told = parse_spoken_reset(reading.body.message, wall_micros)) return told;
  return parse_limit_reset(headers, wall_micros);
}

// Whether a 403 leaves the key without blame: one for a model it may not use, for what was asked,
// or from a firewall. Else anybody's prompt could take a key from everybody.
bool clears_key(const Reading& reading) {
  if (reading.status != 403) return false;
  constexpr std::string_view kAboutElse[] = {"model",  "moderation", "policy", "flagged",
                                             "safety", "guardrail",  "region", "country"};
  return reading.body.is_html ||
         std::any_of(std::begin(kAboutElse), std::end(kAboutElse),
                     [&](std::string_view words) { return has(reading.text, words); });
}

void apply(const Verdict& verdict, const Reading& reading, UpstreamFailure* failure) {
  failure->outcome = verdict.outcome;
  failure->lasting = (verdict.marks & kLasting) != 0;
  failure->blames_key = (verdict.marks & kKey) != 0 && !clears_key(reading);
}

// Portkey's own trouble leaves the model without blame; what it refuses for good stays refused.
void blame_portkey(const Reading& reading, UpstreamFailure* failure) {
  failure->outcome = Outcome::IntermediaryError;
  failure->blames_key = reading.status >= 401 && reading.status <= 403;
  failure->lasting = reading.status >= 400 && reading.status < 500 && reading.status != 429;
}

}  // namespace

UpstreamFailure classify(Kind kind, int status, const net::Headers& headers, std::string_view body,
                         int64_t wall_micros) {
  Reading reading = read(status, body);
  UpstreamFailure failure;
  apply(verdict_of(reading), reading, &failure);
  failure.shape = reading.body.shape;
  if (kind == Kind::Portkey && is_portkeys_own(status, headers, reading.body)) {
    blame_portkey(reading, &failure);
    failure.retry_after = parse_retry_after(headers, wall_micros);
  } else {
    failure.overflow = overflow_of(reading, failure.outcome);
    if (failure.overflow) apply({Outcome::ContextOverflow, kPlain}, reading, &failure);
    if (failure.outcome == Outcome::UpstreamRejected)
      failure.wanted = read_wanted_field(reading.body);
    failure.retry_after = pause_of(reading, failure.outcome, headers, wall_micros);
  }
  const bool soon = failure.retry_after && *failure.retry_after <= kLongestPause;
  const bool by_code = reading.body.says("insufficient_quota");
  if (failure.outcome == Outcome::UpstreamRateLimit && soon && !by_code) {
    failure.lasting = false;
    failure.blames_key = false;
  }
  failure.message = std::move(reading.body.message);
  failure.code = std::move(reading.body.code);
  return failure;
}

}  // namespace sluice::providers
