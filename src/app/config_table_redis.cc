// What several instances share.
#include <array>

#include "app/config_table_rows.h"

namespace sluice::app {
namespace {

constexpr auto kRows = std::to_array<Property>({
    {.key = "redis",
     .slot = Group{},
     .doc = "A Redis through which several instances keep limits and budgets together. Without it "
            "they hold for each instance on its own."},
    {.key = "redis.url",
     .slot = &at<&S::redis, &RedisSettings::url>,
     .derived = "none",
     .doc = "redis://[user:password@]host[:6379][/db]; redis+sentinel://host,host/service; "
            "redis+cluster://host,host; unix:///path. With `rediss` in place of `redis`: over TLS.",
     .reload = Reload::Restart,
     .secret = true},
    {.key = "redis.prefix",
     .slot = &at<&S::redis, &RedisSettings::prefix>,
     .fallback = "sluice",
     .doc = "What all keys begin with. Instances with the same prefix are one.",
     .word = Word::Name,
     .reload = Reload::Restart},
    {.key = "redis.lease",
     .slot = &at<&S::redis, &RedisSettings::lease>,
     .fallback = "3s",
     .doc = "After so long the others may use what an instance held that has died.",
     .limits = {2 * kSecondMs, kHourMs},
     .reload = Reload::Restart},
    {.key = "redis.deadline",
     .slot = &at<&S::redis, &RedisSettings::deadline>,
     .fallback = "50ms",
     .doc = "How long a request waits for Redis at most. Then each instance keeps to its share.",
     .limits = {1, 10 * kSecondMs},
     .reload = Reload::Restart},
});

}  // namespace

std::span<const Property> redis_rows() {
  return kRows;
}

}  // namespace sluice::app
