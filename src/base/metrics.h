// Numbers about the running process, in Prometheus' data model.
//
// Every number is an integer: a cell counts units of 10^-decimals (micro-seconds, nano-dollars), so
// sums are exact and equal the ledger's. A series has one cell per lane; a lane belongs to one loop
// thread, which adds without a locked instruction; a scrape sums the lanes. Series live as long as
// the registry, handles are small values.
//
// The number of series is capped. Beyond the cap the open labels of a new series become "other",
// and llm_metrics_overflow_total counts it (acceptance OBS-2).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {

enum class MetricType : uint8_t { Counter, Gauge, Histogram };

struct MetricLabel {
  std::string_view name;
  bool open = false;  // its values come from the configuration: subject to the cap
};

// What a family of series is; constants of the program.
struct MetricDef {
  std::string_view name;
  std::string_view help;
  MetricType type = MetricType::Counter;
  int decimals = 0;  // a cell counts units of 10^-decimals
  std::span<const MetricLabel> labels;
  std::span<const int64_t> bounds;  // of a histogram's buckets, rising, in cell units
};

using MetricCell = std::atomic<int64_t>;

namespace detail {
// Requires: no other thread writes this cell.
inline void add_alone(MetricCell& cell, int64_t n) {
  cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}
}  // namespace detail

// The cells of one series: `count` neighbours in each lane.
struct MetricCells {
  MetricCell* first = nullptr;
  size_t stride = 0;  // cells from one lane to the next
  unsigned lanes = 0;

  MetricCell& at(unsigned lane, size_t i = 0) const { return first[lane * stride + i]; }
  int64_t sum(size_t i = 0) const;
};

class Counter {
 public:
  Counter() = default;
  explicit Counter(MetricCells cells) : cells_(cells) {}
  // Requires: called on the lane's own thread only; n >= 0.
  void add(unsigned lane, int64_t n = 1) const { detail::add_alone(cells_.at(lane), n); }
  // From any thread.
  void add_shared(int64_t n = 1) const { cells_.at(cells_.lanes - 1).fetch_add(n); }
  int64_t value() const { return cells_.sum(); }

 private:
  MetricCells cells_;
};

class Gauge {
 public:
  Gauge() = default;
  explicit Gauge(MetricCells cells) : cells_(cells) {}
  // Requires: called on the lane's own thread only.
  void add(unsigned lane, int64_t n) const { detail::add_alone(cells_.at(lane), n); }
  // From any thread; not together with add().
  void set(int64_t value) const { cells_.at(0).store(value, std::memory_order_relaxed); }
  int64_t value() const { return cells_.sum(); }

 private:
  MetricCells cells_;
};

// Cells: one per bucket, the last for what is above all bounds; then the sum.
class Histogram {
 public:
  Histogram() = default;
  Histogram(MetricCells cells, std::span<const int64_t> bounds) : cells_(cells), bounds_(bounds) {}
  // Requires: called on the lane's own thread only.
  void observe(unsigned lane, int64_t value) const {
    size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    detail::add_alone(cells_.at(lane, bucket), 1);
    detail::add_alone(cells_.at(lane, bounds_.size() + 1), value);
  }
  int64_t count() const;
  int64_t sum() const { return cells_.sum(bounds_.size() + 1); }

 private:
  MetricCells cells_;
  std::span<const int64_t> bounds_;
};

// Thread-safe. Definitions are borrowed for ever.
class Registry {
 public:
  // Requires: lanes >= 1. One lane more is kept for add_shared().
  Registry(unsigned lanes, size_t max_series = 100'000);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  using Values = std::initializer_list<std::string_view>;
  // The series with these label values; the same one for the same values. Not for the hot path.
  Counter counter(const MetricDef& def, Values values = {});
  Gauge gauge(const MetricDef& def, Values values = {});
  Histogram histogram(const MetricDef& def, Values values = {});
  // A counter or gauge that is read when scraped, in cell units. `read` runs under the registry's
  // lock and must stay callable as long as the registry is scraped.
  using Read = std::function<int64_t()>;
  void watch(const MetricDef& def, Values values, Read read);

  // The page Prometheus reads, text format 0.0.4.
  std::string text() const;
  // Series as Prometheus counts them: a histogram is one per bucket and two more.
  size_t series() const;
  unsigned lanes() const { return lanes_; }

 private:
  struct Series;
  struct Family;
  Series& find(const MetricDef& def, Values values);
  Series& make(Family& family, std::string labels, size_t weight);
  MetricCells allocate(size_t cells);

  const unsigned lanes_;
  const size_t max_series_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;
  std::unordered_map<std::string_view, Family*> by_name_;
  std::vector<std::unique_ptr<MetricCell[]>> blocks_;
  size_t block_used_ = 0;
  size_t series_ = 0;
  std::atomic<int64_t> overflow_ = 0;
};

}  // namespace sluice
