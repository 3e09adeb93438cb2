#include "app/shared_stack.h"

#include <unistd.h>
#include <utility>

#include "app/secret_file.h"
#include "gateway/admit.h"
#include "net/tls.h"

namespace sluice::app {
namespace {

constexpr MetricDef kUp{
    .name = "llm_redis_up", .help = "1 while Redis answers.", .type = MetricType::Gauge};
constexpr MetricDef kInstances{.name = "llm_shared_instances",
                               .help = "Instances that share limits, at the last contact.",
                               .type = MetricType::Gauge};
constexpr MetricDef kRoundTrips{.name = "llm_redis_round_trips_total",
                                .help = "Commands that Redis answered."};
constexpr MetricDef kFailures{.name = "llm_redis_failures_total",
                              .help = "Commands without an answer, or not sent: it was down."};
constexpr MetricDef kLatency{.name = "llm_redis_latency_seconds",
                             .help = "How long Redis takes to answer, smoothed.",
                             .type = MetricType::Gauge,
                             .decimals = 9};
constexpr MetricDef kAsked{.name = "llm_shared_waits_total",
                           .help = "Requests that waited for the other instances' leave."};
constexpr MetricDef kCalls{.name = "llm_shared_calls_total",
                           .help = "Calls to Redis about limits and budgets."};

Nanos nanos(Duration duration) {
  return duration.count() * kMillisecond;
}

Result<net::RedisOptions> redis_options(const RedisSettings& settings) {
  Result<net::RedisUrl> url = net::parse_redis_url(settings.url.reveal());
  if (!url) return Error(Outcome::BadRequest, url.error().message(), "redis.url");
  net::RedisOptions options;
  options.url = *std::move(url);
  options.deadline = nanos(settings.deadline);
  // All must be back before what they tell again is believed to be all.
  options.last_pause = governance::Ceiling::kSettle / 3;
  if (options.url.tls) {
    Result<std::shared_ptr<const net::TlsClientContext>> tls = net::TlsClientContext::make(
        {.ca_file = {}, .cert_file = {}, .key_file = {}, .http = false});
    if (!tls) return Error(Outcome::BadRequest, tls.error().message(), "redis.url");
    options.tls = *std::move(tls);
  }
  return options;
}

}  // namespace

Result<std::unique_ptr<SharedStack>> SharedStack::open(const Settings& settings, Parts parts) {
  Result<net::RedisOptions> options = redis_options(settings.redis);
  if (!options) return std::move(options).error();
  const std::string where = options->url.text();
  Result<Secret> instance = kept_secret(settings.server.data_dir + "/instance-id");
  if (!instance) return std::move(instance).error();
  std::unique_ptr<SharedStack> stack(new SharedStack(parts.clock));
  SharedStack& made = *stack;
  made.redis_ = std::make_unique<net::RedisClient>(made.loop_, parts.resolver, *std::move(options));
  governance::ShareOptions share{.prefix = settings.redis.prefix,
                                 .instance = std::string(instance->reveal().substr(0, 16)),
                                 .lease = nanos(settings.redis.lease),
                                 .tell = [&ledger = parts.ledger](const auto& crossing) {
                                   gateway::note_crossing(ledger, crossing);
                                 }};
  made.limits_ = std::make_unique<governance::SharedLimits>(
      made.loop_, *made.redis_, parts.accounts, parts.peers, std::move(share));
  made.revocations_ = std::make_unique<governance::Revocations>(
      made.loop_, *made.redis_, settings.redis.prefix, parts.revoked, std::move(parts.heard));
  made.show(parts.registry);
  made.thread_ = NamedThread("shared-limits", [&made] { made.loop_.run(); });
  made.limits_->await_introduction();
  const governance::ShareStatus status = made.status();
  if (status.up) {
    parts.log.info("limits and budgets are shared",
                   {{"redis", where}, {"instances", status.instances}});
  } else {
    parts.log.warn("Redis does not answer: until it does, limits and budgets are this instance's",
                   {{"redis", where}, {"because", status.reason}});
  }
  return stack;
}

void SharedStack::stop() {
  loop_.stop();
  thread_.join();
}

void SharedStack::show(Registry& registry) {
  using governance::ShareStatus;
  const struct {
    const MetricDef& def;
    int64_t (*read)(const ShareStatus&);
  } shown[] = {
      {kUp, [](const ShareStatus& s) -> int64_t { return s.up ? 1 : 0; }},
      {kInstances, [](const ShareStatus& s) { return s.instances; }},
      {kRoundTrips, [](const ShareStatus& s) { return static_cast<int64_t>(s.redis.round_trips); }},
      {kFailures,
       [](const ShareStatus& s) {
         return static_cast<int64_t>(s.redis.failures + s.redis.rejected);
       }},
      {kLatency, [](const ShareStatus& s) -> int64_t { return s.redis.latency; }},
      {kAsked, [](const ShareStatus& s) { return static_cast<int64_t>(s.asked); }},
      {kCalls, [](const ShareStatus& s) { return static_cast<int64_t>(s.calls); }},
  };
  for (const auto& each : shown) {
    const auto read = each.read;
    registry.watch(each.def, {}, [this, read] { return read(status()); });
  }
}

}  // namespace sluice::app
