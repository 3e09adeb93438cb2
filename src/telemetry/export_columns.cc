#include "telemetry/export_columns.h"

#include <array>

namespace sluice::telemetry {
namespace {

using enum Role;
constexpr auto kOpenAi = ExportFormat::OpenAi;
constexpr auto kAnthropic = ExportFormat::Anthropic;
constexpr auto kOpenRouter = ExportFormat::OpenRouter;
constexpr auto kPortkey = ExportFormat::Portkey;
constexpr auto kSnowflake = ExportFormat::Snowflake;

constexpr auto kColumns = std::to_array<Column>({
    {kOpenAi, "start_time_iso", Moment, {}, true},
    {kOpenAi, "start_time", Moment},
    {kOpenAi, "model", Model},
    {kOpenAi, "line_item", LineItem},
    {kOpenAi, "num_model_requests", Count, Figure::Requests, true},
    {kOpenAi, "input_tokens", Count, Figure::Prompt},
    {kOpenAi, "input_cached_tokens", Count, Figure::CacheRead, true},
    {kOpenAi, "output_tokens", Count, Figure::Output},
    {kOpenAi, "amount.value", Money, Figure::Cost, true},
    {kOpenAi, "amount_value", Money, Figure::Cost, true},

    {kAnthropic, "starting_at", Moment, {}, true},
    {kAnthropic, "usage_date_utc", Moment, {}, true},
    {kAnthropic, "model", Model},
    {kAnthropic, "model_version", Model},
    {kAnthropic, "uncached_input_tokens", Count, Figure::Plain},
    {kAnthropic, "usage_input_tokens_no_cache", Count, Figure::Plain},
    {kAnthropic, "cache_read_input_tokens", Count, Figure::CacheRead},
    {kAnthropic, "usage_input_tokens_cache_read", Count, Figure::CacheRead},
    {kAnthropic, "cache_creation.ephemeral_5m_input_tokens", Count, Figure::CacheWrite},
    {kAnthropic, "cache_creation.ephemeral_1h_input_tokens", Count, Figure::CacheWrite},
    {kAnthropic, "usage_input_tokens_cache_write_5m", Count, Figure::CacheWrite},
    {kAnthropic, "usage_input_tokens_cache_write_1h", Count, Figure::CacheWrite},
    {kAnthropic, "output_tokens", Count, Figure::Output},
    {kAnthropic, "usage_output_tokens", Count, Figure::Output},
    {kAnthropic, "amount", Cents, Figure::Cost},
    {kAnthropic, "cost_usd", Money, Figure::Cost},

    {kOpenRouter, "created_at", Moment},
    {kOpenRouter, "date", Moment},
    {kOpenRouter, "model_permaslug", Model, {}, true},
    {kOpenRouter, "model", Model},
    {kOpenRouter, "generation_id", Record, Figure::Requests, true},
    {kOpenRouter, "requests", Count, Figure::Requests},
    {kOpenRouter, "tokens_prompt", Count, Figure::Prompt},
    {kOpenRouter, "prompt_tokens", Count, Figure::Prompt},
    {kOpenRouter, "tokens_cached", Count, Figure::CacheRead},
    {kOpenRouter, "tokens_completion", Count, Figure::Output},
    {kOpenRouter, "completion_tokens", Count, Figure::Output},
    {kOpenRouter, "cost_total", Money, Figure::Cost, true},
    {kOpenRouter, "usage", Money, Figure::Cost},
    {kOpenRouter, "byok_usage_inference", Money, Figure::Upstream, true},

    {kPortkey, "created_at", Moment},
    {kPortkey, "ai_model", Model, {}, true},
    {kPortkey, "id", Record, Figure::Requests},
    {kPortkey, "req_units", Count, Figure::Prompt, true},
    {kPortkey, "res_units", Count, Figure::Output, true},
    {kPortkey, "cost", Cents, Figure::Cost},

    {kSnowflake, "start_time", Moment},
    {kSnowflake, "model_name", Model, {}, true},
    {kSnowflake, "request_id", Record, Figure::Requests},
    {kSnowflake, "tokens", Count, Figure::Tokens},
    {kSnowflake, "token_credits", Money, Figure::Credits, true},
    {kSnowflake, "credits", Money, Figure::Credits},
});

}  // namespace

std::span<const Column> export_columns() {
  return kColumns;
}

}  // namespace sluice::telemetry
