#include "app/price_refresh.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "app/file_content.h"
#include "telemetry/metric_names.h"
#include "telemetry/price.h"

namespace sluice::app {
namespace {

constexpr Nanos kFirstPause = 5 * kSecond;  // after a failure, then doubled
constexpr int kOk = 200;
constexpr int kNotModified = 304;

Nanos nanos(Duration duration) {
  return duration.count() * kMillisecond;
}

bool same_source(const PriceSettings& a, const PriceSettings& b) {
  return a.url == b.url && a.file == b.file;
}

}  // namespace

PriceRefresh::PriceRefresh(Logger& log, Registry& registry, const Clock& clock)
    : log_(log), registry_(registry), clock_(clock) {}

PriceRefresh::~PriceRefresh() {
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
  }
  wake_.notify_one();
}

void PriceRefresh::follow(const PriceSettings& prices) {
  {
    const std::lock_guard lock(mutex_);
    due_ = due_ || pause_ != 0 || !same_source(prices_, prices);
    prices_ = prices;
  }
  if (!thread_.running() && !prices.url.empty()) thread_ = NamedThread("prices", [this] { run(); });
  wake_.notify_one();
}

void PriceRefresh::run() {
  std::unique_lock lock(mutex_);
  PriceSettings before;
  while (await_due(lock)) {
    due_ = false;
    const PriceSettings prices = prices_;
    lock.unlock();
    if (!same_source(before, prices)) etag_.clear();
    before = prices;
    const std::optional<Error> failed = fetch(prices);
    if (!stop_.stop_requested()) note(failed);
    lock.lock();
    pause_ = !failed ? 0 : std::min(std::max(2 * pause_, kFirstPause), nanos(prices_.refresh));
  }
}

bool PriceRefresh::await_due(std::unique_lock<std::mutex>& lock) {
  const auto news = [this] { return stop_.stop_requested() || (due_ && !prices_.url.empty()); };
  if (prices_.url.empty()) {
    wake_.wait(lock, news);
  } else {
    const Nanos pause = pause_ != 0 ? pause_ : nanos(prices_.refresh);
    wake_.wait_for(lock, std::chrono::nanoseconds(pause), news);
  }
  return !stop_.stop_requested();
}

std::optional<Error> PriceRefresh::fetch(const PriceSettings& prices) {
  if (prices.url.empty()) return std::nullopt;
  Result<std::shared_ptr<const net::Origin>> origin = origin_of(prices.url, prices.url_proxy);
  if (!origin) return std::move(origin).error();
  std::string head = fmt::format("GET {} HTTP/1.1\r\naccept: application/json\r\n",
                                 prices.url.path.empty() ? "/" : prices.url.path);
  if (!etag_.empty()) head += fmt::format("if-none-match: {}\r\n", etag_);
  const Result<CallAnswer> answer = blocking_call(
      {.origin = *std::move(origin), .head = std::move(head), .body = ""}, stop_.get_token());
  if (!answer) return Error(answer.error().outcome(), answer.error().message());
  if (answer->status == kNotModified && !etag_.empty()) return std::nullopt;
  if (answer->status != kOk)
    return Error(Outcome::UpstreamBadReply, fmt::format("status {}", answer->status));
  return keep(prices.file, *answer);
}

std::optional<Error> PriceRefresh::keep(const std::string& file, const CallAnswer& answer) {
  const Result<telemetry::PriceTable> table = telemetry::PriceTable::parse(answer.body, "");
  if (!table) return Error(Outcome::UpstreamBadReply, table.error().message());
  // The same content is no change that a reload would be worth.
  const Result<std::string> kept = file_content(file);
  if (!kept || *kept != answer.body) {
    if (Result<void> written = replace_file(file, answer.body); !written)
      return Error(Outcome::Bug, file + ": " + written.error().message());
    log_.info("new prices were fetched", {{"file", file}, {"bytes", answer.body.size()}});
  }
  etag_ = answer.etag;
  return std::nullopt;
}

void PriceRefresh::note(const std::optional<Error>& failed) {
  registry_.counter(telemetry::metric::kPriceRefreshes, {failed ? "error" : "ok"}).add_shared();
  if (!failed) {
    reason_.clear();
    if (fetched_at_.exchange(clock_.monotonic()) == 0) {
      registry_.watch(telemetry::metric::kPriceRefreshAge, {},
                      [this] { return (clock_.monotonic() - fetched_at_.load()) / kSecond; });
    }
    return;
  }
  if (std::exchange(reason_, failed->message()) == failed->message()) return;
  log_.warn("prices could not be fetched; the last good ones stay",
            {{"outcome", name_of(failed->outcome())}, {"because", failed->message()}});
}

}  // namespace sluice::app
