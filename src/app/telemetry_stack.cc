#include "app/telemetry_stack.h"

#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "app/config_value.h"
#include "app/file_content.h"
#include "app/version.h"
#include "governance/spend.h"
#include "providers/lab_models.h"
#include "store/schema.h"
#include "telemetry/metric_names.h"

namespace sluice::app {
namespace {

constexpr double kNanosPerDollar = 1e9;

LogStyle style_of(LogFormat format, const LineSink& sink) {
  if (format == LogFormat::Auto) return sink.is_terminal() ? LogStyle::Pretty : LogStyle::Json;
  return format == LogFormat::Json ? LogStyle::Json : LogStyle::Pretty;
}

Level level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return Level::Debug;
    case LogLevel::Info:
      return Level::Info;
    case LogLevel::Warn:
      return Level::Warn;
    case LogLevel::Error:
      break;
  }
  return Level::Error;
}

// Dollars per million tokens as the table counts them.
telemetry::Rate rate_of(const Price& price) {
  if (!price.known) return std::nullopt;
  return std::llround(price.dollars * kNanosPerDollar);
}

// "config 1/4, cached 0.1": other prices are another version.
std::string version_of(const CustomPrice& custom) {
  std::string version = "config " + text_of(custom.input) + "/" + text_of(custom.output);
  for (const auto& [name, price] :
       {std::pair{", cached ", &custom.cached_input}, std::pair{", written ", &custom.cache_write},
        std::pair{", written for 1h ", &custom.cache_write_1h}}) {
    if (price->known) version += name + text_of(*price);
  }
  return version;
}

// FNV-1a in hex: which edition of a file it was.
std::string digest_of(std::string_view text) {
  uint32_t hash = 2'166'136'261;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return fmt::format("{:08x}", hash);
}

// Of this model at every provider.
void add_own_price(const Settings& settings, const CustomPrice& custom, telemetry::Unit unit,
                   telemetry::PriceTable& table) {
  telemetry::Price price;
  price.version = version_of(custom);
  price.unit = unit;
  price.base.input = rate_of(custom.input);
  price.base.output = rate_of(custom.output);
  price.base.cached_input = rate_of(custom.cached_input);
  price.base.cache_write = rate_of(custom.cache_write);
  price.base.cache_write_1h = rate_of(custom.cache_write_1h);
  for (const ProviderSettings& provider : settings.providers)
    table.set(provider.name, custom.model, price);
}

// What the lab's own meter asks, so that its books and ours can be held side by side.
void add_lab_prices(const std::string& provider, telemetry::PriceTable& table) {
  constexpr int64_t kMillion = 1'000'000;
  for (const providers::LabModel& model : providers::lab_models()) {
    telemetry::Price price;
    price.version = "lab";
    price.base.input = model.price.input * kMillion;
    price.base.cached_input = model.price.cached_input * kMillion;
    price.base.output = model.price.output * kMillion;
    table.set(provider, model.name, price);
  }
}

}  // namespace

Result<std::shared_ptr<const telemetry::PriceTable>> load_prices(const Settings& settings) {
  auto table = std::make_shared<telemetry::PriceTable>(telemetry::PriceTable::built_in());
  const std::string& path = settings.prices.file;
  // What a URL shall give may not have come yet.
  const bool awaited = !settings.prices.url.empty() && access(path.c_str(), F_OK) != 0;
  if (!path.empty() && !awaited) {
    const Result<std::string> text = file_content(path);
    if (!text) {
      return Error(Outcome::BadRequest, "cannot read " + path + ": " + text.error().message(),
                   "prices.file");
    }
    Result<telemetry::PriceTable> parsed = telemetry::PriceTable::parse(*text, digest_of(*text));
    if (!parsed)
      return Error(Outcome::BadRequest, path + ": " + parsed.error().message(), "prices.file");
    table->merge(*std::move(parsed));
  }
  for (const ProviderSettings& provider : settings.providers) {
    if (provider.kind == ProviderKind::Lab) add_lab_prices(provider.name, *table);
  }
  for (const CustomPrice& custom : settings.prices.custom)
    add_own_price(settings, custom, telemetry::Unit::Dollars, *table);
  for (const CustomPrice& custom : settings.prices.credits)
    add_own_price(settings, custom, telemetry::Unit::Credits, *table);
  if (const Price& credit = settings.prices.credit; credit.known)
    table->set_credit_price(std::llround(credit.dollars * kNanosPerDollar));
  for (const ProviderSettings& provider : settings.providers) {
    table->set_terms(
        provider.name,
        {.markup_ppm = static_cast<int32_t>(std::llround(provider.markup.percent * 1e4)),
         .upstream_counts = settings.prices.count_upstream});
  }
  return std::shared_ptr<const telemetry::PriceTable>(std::move(table));
}

Result<std::unique_ptr<TelemetryStack>> TelemetryStack::open(const Settings& settings,
                                                             const Clock& clock, unsigned lanes) {
  std::unique_ptr<TelemetryStack> stack(new TelemetryStack(settings, clock, lanes));
  if (Result<void> opened = stack->open_access_log(settings.log.access); !opened)
    return std::move(opened).error();
  if (Result<void> opened = stack->open_ledger(settings); !opened) return std::move(opened).error();
  if (Result<void> opened = stack->open_bodies(settings); !opened) return std::move(opened).error();
  return stack;
}

TelemetryStack::TelemetryStack(const Settings& settings, const Clock& clock, unsigned lanes)
    : clock_(clock),
      lanes_(lanes),
      sink_(std::make_unique<LineSink>(STDOUT_FILENO, LineSinkOptions{.lanes = lanes})),
      log_(std::make_unique<Logger>(*sink_, clock, style_of(settings.log.format, *sink_),
                                    level_of(settings.log.level))),
      registry_(lanes, static_cast<size_t>(settings.metrics.series_limit)) {
  registry_.watch(telemetry::metric::kConfigRevision, {}, [this] { return revision_.load(); });
  registry_.watch(telemetry::metric::kConfigReload, {}, [this] { return reload_ok_.load(); });
  registry_.watch(telemetry::metric::kBuildInfo, {kVersion, kRevision}, [] { return 1; });
}

void TelemetryStack::note_reload(bool ok, uint64_t revision) {
  reload_ok_.store(ok ? 1 : 0);
  revision_.store(static_cast<int64_t>(revision));
}

Result<void> TelemetryStack::open_access_log(const LogSink& sink) {
  if (sink.target == LogTarget::Stdout) access_ = sink_.get();
  if (sink.target != LogTarget::File) return {};
  Result<std::unique_ptr<LineSink>> file =
      LineSink::to_file(sink.path, LineSinkOptions{.lanes = lanes_});
  if (!file) return Error(Outcome::BadRequest, file.error().message(), "log.access");
  access_file_ = *std::move(file);
  access_ = access_file_.get();
  return {};
}

Result<void> TelemetryStack::open_ledger(const Settings& settings) {
  std::error_code failed;
  std::filesystem::create_directories(settings.server.data_dir, failed);
  if (failed) {
    return Error(Outcome::BadRequest,
                 "cannot make " + settings.server.data_dir + ": " + failed.message(),
                 "server.data_dir");
  }
  // Two writers would count past each other: each starts from the sums it finds.
  Result<store::FileLock> lock = store::FileLock::take(settings.ledger.path + ".lock");
  if (!lock) {
    return Error(Outcome::BadRequest,
                 "the ledger is in use or cannot be written: " + lock.error().message() +
                     "; give each gateway a data directory of its own",
                 "server.data_dir");
  }
  ledger_lock_ = *std::move(lock);
  Result<store::Database> database = store::open_store(settings.ledger.path, store::ledger_schema(),
                                                       {.outlives_power_cuts = true});
  if (!database) return Error(Outcome::BadRequest, database.error().message(), "ledger.path");
  if (Result<void> read = read_ledger(*database); !read) return read;
  Result<std::shared_ptr<const telemetry::PriceTable>> prices = load_prices(settings);
  if (!prices) return std::move(prices).error();
  prices_ = *std::move(prices);

  keeper_ = std::make_unique<telemetry::LedgerKeeper>(
      clock_, *log_, telemetry::KeeperOptions{.retention_days = settings.ledger.retention_days});
  watch_keeper();
  store::JournalOptions options;
  options.lanes = lanes_;
  options.cap_bytes = settings.ledger.queue_limit.count;
  options.flush_window_millis = static_cast<int>(settings.ledger.flush_window.count());
  options.chore = keeper_.get();
  journal_ =
      std::make_unique<store::Journal>(*std::move(database), ledger_sink_, clock_, *log_, options);
  const telemetry::LedgerParts parts{.registry = registry_,
                                     .journal = *journal_,
                                     .access = access_,
                                     .log = *log_,
                                     .clock = clock_};
  ledger_ = std::make_unique<telemetry::Ledger>(parts, prices_, std::exchange(base_, {}));
  journal_->start();
  return {};
}

Result<void> TelemetryStack::open_bodies(const Settings& settings) {
  const BodySettings& own = settings.ledger.bodies;
  Result<store::FileLock> lock = store::FileLock::take(own.path + ".lock");
  if (!lock) {
    return Error(Outcome::BadRequest,
                 "the file of bodies is in use or cannot be written: " + lock.error().message(),
                 "ledger.bodies.path");
  }
  bodies_lock_ = *std::move(lock);
  const telemetry::BodyStoreOptions options{
      .path = own.path,
      .limit = own.limit.count,
      .queue_limit = own.queue_limit.count,
      .flush_window_millis = static_cast<int>(settings.ledger.flush_window.count()),
      .keeping = {.retention_days = own.retention_days, .max_size = own.max_size.count}};
  Result<std::unique_ptr<telemetry::BodyStore>> bodies =
      telemetry::BodyStore::open(options, {.clock = clock_, .log = *log_, .registry = registry_});
  if (!bodies) return Error(Outcome::BadRequest, bodies.error().message(), "ledger.bodies.path");
  bodies_ = *std::move(bodies);
  return {};
}

Result<void> TelemetryStack::read_ledger(const store::Database& database) {
  Result<std::vector<telemetry::UsageBase>> base = telemetry::read_usage_base(database);
  if (!base) return std::move(base).error();
  base_ = *std::move(base);
  Result<uint64_t> last_key = telemetry::read_last_key(database);
  if (!last_key) return std::move(last_key).error();
  last_key_ = *last_key;
  const int64_t first =
      governance::quarter_of(clock_.wall_micros()) - governance::Spend::kKeptQuarters;
  Result<std::vector<telemetry::SpendSums>> spent = telemetry::read_spend(database, first);
  if (!spent) return std::move(spent).error();
  spent_ = *std::move(spent);
  return {};
}

void TelemetryStack::watch_keeper() {
  const telemetry::LedgerKeeper& keeper = *keeper_;
  for (size_t table = 0; table < std::size(telemetry::kRemovedFrom); ++table) {
    registry_.watch(telemetry::metric::kLedgerRemoved, {telemetry::kRemovedFrom[table]},
                    [&keeper, table] { return keeper.removed_lines(table); });
  }
  registry_.watch(telemetry::metric::kLedgerFreed, {}, [&keeper] { return keeper.freed_bytes(); });
}

}  // namespace sluice::app
