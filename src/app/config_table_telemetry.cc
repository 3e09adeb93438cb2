// What is written down, and what it costs.
#include <array>

#include "app/config_table_rows.h"

namespace sluice::app {
namespace {

constexpr auto kRows = std::to_array<Property>({
    {.key = "ledger", .slot = Group{}, .doc = "The record of every exchange."},
    {.key = "ledger.path",
     .slot = &at<&S::ledger, &LedgerSettings::path>,
     .derived = "`ledger.db` in `server.data_dir`",
     .doc = "The SQLite file.",
     .reload = Reload::Restart},
    {.key = "ledger.flush_window",
     .slot = &at<&S::ledger, &LedgerSettings::flush_window>,
     .fallback = "100ms",
     .doc = "Rows are committed and synced to the disk in groups this far apart: the most that a "
            "crash or a power cut can lose.",
     .limits = {1, 60 * kSecondMs},
     .reload = Reload::Restart},
    {.key = "ledger.queue_limit",
     .slot = &at<&S::ledger, &LedgerSettings::queue_limit>,
     .fallback = "64MiB",
     .doc = "Memory for rows that wait for the disk.",
     .limits = {1 << 20, 1LL << 40},
     .reload = Reload::Restart},
    {.key = "ledger.retention_days",
     .slot = &at<&S::ledger, &LedgerSettings::retention_days>,
     .fallback = "0",
     .doc = "Rows and sums of earlier days (UTC) are removed, a little at a time; 0 keeps them for "
            "ever. What a running budget still needs is kept whatever this says.",
     .limits = {0, 36'500},
     .reload = Reload::Restart},
    {.key = "log", .slot = Group{}, .doc = "What the gateway says about itself."},
    {.key = "log.level",
     .slot = &at<&S::log, &LogSettings::level>,
     .fallback = "info",
     .doc = "The least important message still written."},
    {.key = "log.format",
     .slot = &at<&S::log, &LogSettings::format>,
     .fallback = "auto",
     .doc = "`auto` is `pretty` on a terminal and `json` elsewhere.",
     .reload = Reload::Restart},
    {.key = "log.access",
     .slot = &at<&S::log, &LogSettings::access>,
     .fallback = "stdout",
     .doc = "Where one JSON line per request goes: a file, `stdout` or `off`.",
     .reload = Reload::Restart},
    {.key = "prices", .slot = Group{}, .doc = "What tokens cost."},
    {.key = "prices.file",
     .slot = &at<&S::prices, &PriceSettings::file>,
     .derived = "with `prices.url`: `prices.json` in `server.data_dir`",
     .doc = "A price catalogue merged over the built-in one; read again when it changes."},
    {.key = "prices.url",
     .slot = &at<&S::prices, &PriceSettings::url>,
     .doc =
         "Where such a catalogue is fetched from. The last good one is kept in `prices.file`, so "
         "starting never needs the network."},
    {.key = "prices.refresh",
     .slot = &at<&S::prices, &PriceSettings::refresh>,
     .fallback = "24h",
     .doc = "How often `prices.url` is fetched, from the start on.",
     .limits = {kSecondMs, 30 * kDayMs}},
    {.key = "prices.custom",
     .slot = Each{},
     .doc = "Prices by model, over both catalogues, in US dollars per million tokens.",
     .word = Word::Model},
    {.key = "prices.custom.*", .slot = Group{}, .doc = "One model's prices."},
    {.key = "prices.custom.*.input",
     .slot = &of_price<&CustomPrice::input>,
     .doc = "Input tokens that were not cached.",
     .required = true},
    {.key = "prices.custom.*.output",
     .slot = &of_price<&CustomPrice::output>,
     .doc = "Output tokens, reasoning included. Embedding models have none: write 0.",
     .required = true},
    {.key = "prices.custom.*.cached_input",
     .slot = &of_price<&CustomPrice::cached_input>,
     .doc = "Input tokens read from the provider's cache. Left out: as `input`."},
    {.key = "prices.custom.*.cache_write",
     .slot = &of_price<&CustomPrice::cache_write>,
     .doc = "Input tokens written to the provider's cache. Left out: as `input`."},
    {.key = "prices.custom.*.cache_write_1h",
     .slot = &of_price<&CustomPrice::cache_write_1h>,
     .doc = "Input tokens written to it for an hour. Left out: as `cache_write`."},
    {.key = "prices.credits",
     .slot = Each{},
     .doc = "Prices by model as `prices.custom`, but in Snowflake credits per million tokens.",
     .word = Word::Model},
    {.key = "prices.credits.*", .slot = Group{}, .doc = "One model's prices in credits."},
    {.key = "prices.credits.*.input",
     .slot = &of_credits<&CustomPrice::input>,
     .doc = "Input tokens that were not cached.",
     .required = true},
    {.key = "prices.credits.*.output",
     .slot = &of_credits<&CustomPrice::output>,
     .doc = "Output tokens, reasoning included. Embedding models have none: write 0.",
     .required = true},
    {.key = "prices.credits.*.cached_input",
     .slot = &of_credits<&CustomPrice::cached_input>,
     .doc = "Input tokens read from the provider's cache. Left out: as `input`."},
    {.key = "prices.credit",
     .slot = &at<&S::prices, &PriceSettings::credit>,
     .doc =
         "What a Snowflake credit costs by your contract, in US dollars. Left out: models priced "
         "in credits have their credits counted and an unknown cost."},
    {.key = "prices.markup",
     .slot = &at<&S::prices, &PriceSettings::markup>,
     .fallback = "0%",
     .doc = "Added to what providers take before it counts towards budgets and is shown to holders "
            "of keys. The ledger's cost stays the provider's.",
     .limits = {0, 1000}},
    {.key = "prices.count_upstream",
     .slot = &at<&S::prices, &PriceSettings::count_upstream>,
     .fallback = "true",
     .doc = "Where an intermediary calls a provider with your own account there (`is_byok` of "
            "OpenRouter), what that provider charges counts towards budgets beside the "
            "intermediary's own charge."},
    {.key = "metrics", .slot = Group{}, .doc = "The /metrics page."},
    {.key = "metrics.series_limit",
     .slot = &at<&S::metrics, &MetricsSettings::series_limit>,
     .fallback = "100000",
     .doc =
         "Most series on the page, every bucket counted: a target takes about 450. Targets beyond "
         "it are counted as `other`.",
     .limits = {10, 10'000'000},
     .reload = Reload::Restart},
});

}  // namespace

std::span<const Property> telemetry_rows() {
  return kRows;
}

}  // namespace sluice::app
