// Every llm_* metric the ledger keeps, in one table: name, help, unit, labels, buckets. Durations
// are counted in micro-seconds and money in nano-dollars; the page shows seconds and dollars.
#pragma once

#include "base/metrics.h"

namespace sluice::telemetry::metric {

inline constexpr int kMicro = 6;
inline constexpr int kNano = 9;

inline constexpr MetricLabel kProvider{"provider", true};
inline constexpr MetricLabel kModel{"model", true};
inline constexpr MetricLabel kAlias{"alias", true};
inline constexpr MetricLabel kOutcome{"outcome"};

inline constexpr MetricLabel kRequestLabels[] = {kProvider, kModel, kAlias, kOutcome, {"stream"}};
inline constexpr MetricLabel kDurationLabels[] = {kProvider, kModel, kAlias, kOutcome};
inline constexpr MetricLabel kStreamLabels[] = {kProvider, kModel, kOutcome};
inline constexpr MetricLabel kUpstreamLabels[] = {kProvider, kModel, {"attempt"}, kOutcome};
inline constexpr MetricLabel kTargetLabels[] = {kProvider, kModel};
inline constexpr MetricLabel kCostLabels[] = {kProvider, kModel, kAlias};
inline constexpr MetricLabel kTokenLabels[] = {kModel, {"type"}};
inline constexpr MetricLabel kProviderLabels[] = {kProvider};
inline constexpr MetricLabel kCauseLabels[] = {kProvider, {"cause"}};
inline constexpr MetricLabel kFallbackLabels[] = {{"from", true}, {"to", true}};
inline constexpr MetricLabel kRefusalLabels[] = {{"level"}, {"limit"}, {"mode"}};
inline constexpr MetricLabel kTableLabels[] = {{"table"}};
inline constexpr MetricLabel kPhaseLabels[] = {{"phase"}};
inline constexpr MetricLabel kBuildLabels[] = {{"version"}, {"revision"}};

// 0.01 s doubling to 81.92 s as in the GenAI conventions, three more for long reasoning.
inline constexpr int64_t kDurationBounds[] = {
    10'000,     20'000,     40'000,      80'000,      160'000,    320'000,
    640'000,    1'280'000,  2'560'000,   5'120'000,   10'240'000, 20'480'000,
    40'960'000, 81'920'000, 163'840'000, 327'680'000, 655'360'000};
inline constexpr int64_t kFirstTokenBounds[] = {
    1'000,     5'000,      10'000,     20'000,     40'000,    60'000,    80'000,
    100'000,   250'000,    500'000,    750'000,    1'000'000, 2'500'000, 5'000'000,
    7'500'000, 10'000'000, 15'000'000, 30'000'000, 60'000'000};
inline constexpr int64_t kTokenGapBounds[] = {10'000,  25'000,    50'000,   75'000,  100'000,
                                              150'000, 200'000,   300'000,  400'000, 500'000,
                                              750'000, 1'000'000, 2'500'000};
inline constexpr int64_t kOverheadBounds[] = {25,    50,    100,    250,    500,   1'000,
                                              2'500, 5'000, 10'000, 25'000, 50'000};
// 0.000001 to 10 dollars in steps of the square root of ten.
inline constexpr int64_t kCostBounds[] = {1'000,         3'162,         10'000,        31'623,
                                          100'000,       316'228,       1'000'000,     3'162'278,
                                          10'000'000,    31'622'777,    100'000'000,   316'227'766,
                                          1'000'000'000, 3'162'277'660, 10'000'000'000};

inline constexpr MetricDef kRequests{.name = "llm_requests_total",
                                     .help = "Requests by how they ended for the client.",
                                     .labels = kRequestLabels};
inline constexpr MetricDef kDuration{.name = "llm_request_duration_seconds",
                                     .help = "From the request's first byte to the reply's last.",
                                     .type = MetricType::Histogram,
                                     .decimals = kMicro,
                                     .labels = kDurationLabels,
                                     .bounds = kDurationBounds};
inline constexpr MetricDef kFirstToken{
    .name = "llm_time_to_first_token_seconds",
    .help = "From the request to the first content of a streamed reply.",
    .type = MetricType::Histogram,
    .decimals = kMicro,
    .labels = kStreamLabels,
    .bounds = kFirstTokenBounds};
inline constexpr MetricDef kTokenGap{
    .name = "llm_time_per_output_token_seconds",
    .help = "Mean time between output tokens after the first, of streamed replies.",
    .type = MetricType::Histogram,
    .decimals = kMicro,
    .labels = kStreamLabels,
    .bounds = kTokenGapBounds};
inline constexpr MetricDef kUpstream{.name = "llm_upstream_duration_seconds",
                                     .help = "One attempt at an upstream, from start to end.",
                                     .type = MetricType::Histogram,
                                     .decimals = kMicro,
                                     .labels = kUpstreamLabels,
                                     .bounds = kDurationBounds};
inline constexpr MetricDef kOverhead{.name = "llm_gateway_overhead_seconds",
                                     .help = "The gateway's own share of a request.",
                                     .type = MetricType::Histogram,
                                     .decimals = kMicro,
                                     .labels = kPhaseLabels,
                                     .bounds = kOverheadBounds};
inline constexpr MetricDef kCostPerRequest{
    .name = "llm_cost_per_request_dollars",
    .help = "Cost of requests whose cost is known and not zero.",
    .type = MetricType::Histogram,
    .decimals = kNano,
    .labels = kTargetLabels,
    .bounds = kCostBounds};
inline constexpr MetricDef kCost{
    .name = "llm_cost_dollars_total",
    .help = "Cost as in the ledger, since the ledger began. Unpriced requests are not in it.",
    .decimals = kNano,
    .labels = kCostLabels};
inline constexpr MetricDef kUnpriced{.name = "llm_unpriced_requests_total",
                                     .help = "Requests whose cost nobody knows.",
                                     .labels = kTargetLabels};
inline constexpr MetricDef kPriceDrift{
    .name = "llm_price_drift_total",
    .help = "Requests whose cost by the provider is more than 5 % off the price table's.",
    .labels = kTargetLabels};
inline constexpr MetricDef kTokens{
    .name = "llm_tokens_total",
    .help = "Tokens; the types do not overlap: input is what came from no cache.",
    .labels = kTokenLabels};
inline constexpr MetricDef kAttempts{.name = "llm_attempts_total",
                                     .help = "Calls, or tries to call, an upstream.",
                                     .labels = kProviderLabels};
inline constexpr MetricDef kErrors{
    .name = "llm_errors_total", .help = "Attempts that failed.", .labels = kCauseLabels};
inline constexpr MetricDef kRetries{
    .name = "llm_retries_total",
    .help = "Attempts at the same target after a failure, by its cause.",
    .labels = kCauseLabels};
inline constexpr MetricDef kRefusals{
    .name = "llm_limit_refusals_total",
    .help = "Requests that a limit or budget refused, or in shadow would have.",
    .labels = kRefusalLabels};
inline constexpr MetricDef kFallbacks{.name = "llm_fallbacks_total",
                                      .help = "Attempts at another target after a failure.",
                                      .labels = kFallbackLabels};
inline constexpr MetricDef kInFlight{.name = "llm_requests_in_flight",
                                     .help = "Requests an upstream is working on.",
                                     .type = MetricType::Gauge,
                                     .labels = kProviderLabels};
inline constexpr MetricDef kBuildInfo{.name = "llm_build_info",
                                      .help = "Always 1; the labels say what runs.",
                                      .type = MetricType::Gauge,
                                      .labels = kBuildLabels};
inline constexpr MetricDef kConfigRevision{.name = "llm_config_revision",
                                           .help = "Number of the configuration in force.",
                                           .type = MetricType::Gauge};
inline constexpr MetricDef kConfigReload{
    .name = "llm_config_last_reload_success",
    .help = "1 if the last attempt to load the configuration succeeded.",
    .type = MetricType::Gauge};
inline constexpr MetricDef kCatalogAge{.name = "llm_price_catalog_age_seconds",
                                       .help = "Age of the price catalog.",
                                       .type = MetricType::Gauge};
inline constexpr MetricLabel kRefreshLabels[] = {kOutcome};
inline constexpr MetricDef kPriceRefreshes{
    .name = "llm_price_refreshes_total",
    .help = "Tries to fetch the price catalog of prices.url, by how they ended.",
    .labels = kRefreshLabels};
inline constexpr MetricDef kPriceRefreshAge{
    .name = "llm_price_refresh_age_seconds",
    .help = "Since the price catalog of prices.url was last fetched well.",
    .type = MetricType::Gauge};
inline constexpr MetricLabel kListLabels[] = {kProvider, kOutcome};
inline constexpr MetricDef kListRefreshes{
    .name = "llm_model_list_refreshes_total",
    .help = "Tries to fetch a provider's own list of models and prices, by how they ended.",
    .labels = kListLabels};
inline constexpr MetricDef kListAge{.name = "llm_model_list_age_seconds",
                                    .help = "Since a provider's list was last fetched well.",
                                    .type = MetricType::Gauge,
                                    .labels = kProviderLabels};
inline constexpr MetricLabel kEnvironmentLabels[] = {{"environment", true}};
inline constexpr MetricLabel kEscLabels[] = {{"environment", true}, kOutcome};
inline constexpr MetricDef kEscRefreshes{
    .name = "llm_esc_refreshes_total",
    .help = "Tries to open a Pulumi ESC environment anew, by how they ended.",
    .labels = kEscLabels};
inline constexpr MetricDef kEscAge{.name = "llm_esc_age_seconds",
                                   .help = "Since an ESC environment was last opened well.",
                                   .type = MetricType::Gauge,
                                   .labels = kEnvironmentLabels};
inline constexpr MetricDef kJournalBytes{.name = "llm_journal_queue_bytes",
                                         .help = "Ledger rows waiting to be stored.",
                                         .type = MetricType::Gauge};
inline constexpr MetricDef kJournalLag{
    .name = "llm_journal_lag_seconds",
    .help = "Upper bound of the age of the oldest ledger row not yet stored.",
    .type = MetricType::Gauge,
    .decimals = kNano};
inline constexpr MetricDef kJournalRows{.name = "llm_journal_rows_total",
                                        .help = "Ledger rows stored by this process."};
inline constexpr MetricDef kJournalDropped{
    .name = "llm_journal_dropped_rows_total",
    .help = "Ledger rows dropped because the queue was full."};
inline constexpr MetricDef kJournalDroppedCost{
    .name = "llm_journal_dropped_cost_dollars_total",
    .help = "Cost of dropped ledger rows: in llm_cost_dollars_total, not in the ledger.",
    .decimals = kNano};
inline constexpr MetricDef kJournalSlim{
    .name = "llm_journal_slim_rows_total",
    .help = "Ledger rows stored without their texts because the queue was nearly full."};
inline constexpr MetricDef kJournalFailures{.name = "llm_journal_failures_total",
                                            .help = "Failed attempts to store ledger rows."};
inline constexpr MetricDef kLedgerRemoved{
    .name = "llm_ledger_removed_rows_total",
    .help = "Rows that retention removed from the ledger, by table.",
    .labels = kTableLabels};
inline constexpr MetricDef kLedgerFreed{
    .name = "llm_ledger_freed_bytes_total",
    .help = "Bytes of the ledger's file given back after rows were removed."};
inline constexpr MetricDef kBodiesKept{.name = "llm_bodies_kept_total",
                                       .help =
                                           "Exchanges whose bodies were handed over to be "
                                           "stored."};
inline constexpr MetricDef kBodiesDropped{
    .name = "llm_bodies_dropped_total",
    .help = "Exchanges whose bodies were dropped because there was no room for them."};
inline constexpr MetricDef kBodiesBytes{
    .name = "llm_bodies_memory_bytes",
    .help = "Bodies to be stored: of requests in hand, and waiting for the disk.",
    .type = MetricType::Gauge};
inline constexpr MetricDef kBodiesRemoved{
    .name = "llm_bodies_removed_total",
    .help = "Exchanges whose bodies retention or the limit of the file removed."};
inline constexpr MetricDef kLogDropped{
    .name = "llm_log_dropped_lines_total",
    .help = "Log lines dropped because their sink was too slow."};

}  // namespace sluice::telemetry::metric
