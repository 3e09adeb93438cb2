// From names to targets, and what happens when one fails.
#include <array>

#include "app/config_table_rows.h"

namespace sluice::app {
namespace {

constexpr auto kRows = std::to_array<Property>({
    {.key = "tiers",
     .slot = Each{},
     .doc = "Ordered fallback lists. Clients send a tier's name as `model`.",
     .word = Word::Name},
    {.key = "tiers.*",
     .slot = &tier_of,
     .doc = "Targets in the order they are tried: `provider/model`, or the name of another tier or "
            "alias, whose targets take its place.",
     .limits = {1, 1000},
     .word = Word::Target},
    {.key = "aliases",
     .slot = Each{},
     .doc = "Other names for models. Clients send one as `model`.",
     .word = Word::Model},
    {.key = "aliases.*",
     .slot = &alias_of,
     .doc = "What the name stands for: `provider/model`, a tier or another alias.",
     .limits = {1, 1},
     .word = Word::Target},
    {.key = "default_provider",
     .slot = &at<&S::default_provider>,
     .derived = "the only provider, or the first from the environment; else none",
     .doc = "Who gets plain model names that nobody lists. With none, such a name is answered 400.",
     .word = Word::Name},
    {.key = "resilience", .slot = Group{}, .doc = "What happens when a provider fails."},
    {.key = "resilience.attempts",
     .slot = &at<&S::resilience, &ResilienceSettings::attempts>,
     .fallback = "3",
     .doc = "Most attempts for one request, over all its targets.",
     .limits = {1, 20}},
    {.key = "resilience.backoff",
     .slot = &at<&S::resilience, &ResilienceSettings::backoff>,
     .fallback = "exponential",
     .doc = "Pause before the same target is tried again. `exponential` doubles it each time, "
            "with jitter."},
    {.key = "resilience.backoff_base",
     .slot = &at<&S::resilience, &ResilienceSettings::backoff_base>,
     .fallback = "100ms",
     .doc = "The first pause.",
     .limits = kSoon},
    {.key = "resilience.backoff_cap",
     .slot = &at<&S::resilience, &ResilienceSettings::backoff_cap>,
     .fallback = "5s",
     .doc = "The longest pause.",
     .limits = kSoon},
    {.key = "timeouts",
     .slot = Group{},
     .doc = "Patience with providers. The defaults allow ten minutes of silent reasoning."},
    {.key = "timeouts.connect",
     .slot = &at<&S::timeouts, &Timeouts::connect>,
     .fallback = "5s",
     .doc = "For the name, the connection and the TLS handshake together.",
     .limits = kSoon},
    {.key = "timeouts.first_byte",
     .slot = &at<&S::timeouts, &Timeouts::first_byte>,
     .fallback = "600s",
     .doc = "From the request's last byte to the reply's first.",
     .limits = kDay},
    {.key = "timeouts.idle",
     .slot = &at<&S::timeouts, &Timeouts::idle>,
     .fallback = "300s",
     .doc = "Between two pieces of a reply.",
     .limits = kDay},
    {.key = "timeouts.total",
     .slot = &at<&S::timeouts, &Timeouts::total>,
     .fallback = "900s",
     .doc = "For the whole exchange, all attempts included.",
     .limits = kDay},
    {.key = "stream", .slot = Group{}, .doc = "Streamed replies."},
    {.key = "stream.heartbeat",
     .slot = &at<&S::stream, &StreamSettings::heartbeat>,
     .fallback = "15s",
     .doc = "Silence after which a sign of life is sent, so that nothing between us and the client "
            "gives up. 0: never.",
     .limits = kDayOrOff},
    {.key = "stream.heartbeat_mode",
     .slot = &at<&S::stream, &StreamSettings::heartbeat_mode>,
     .fallback = "comment",
     .doc = "The sign of life: an SSE `comment`, an empty `chunk` for clients that stumble over "
            "comments, or `off`."},
    {.key = "stream.max_event",
     .slot = &at<&S::stream, &StreamSettings::max_event>,
     .fallback = "1MiB",
     .doc = "Largest single event accepted from a provider.",
     .limits = kModestSize},
});

}  // namespace

std::span<const Property> routing_rows() {
  return kRows;
}

}  // namespace sluice::app
