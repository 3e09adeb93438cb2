#include "base/metrics.h"

#include <algorithm>

#include "base/text_out.h"

namespace sluice {
namespace {

constexpr std::string_view kOther = "other";

constexpr MetricDef kSeriesDef{
    .name = "llm_metrics_series", .help = "Time series on this page.", .type = MetricType::Gauge};
constexpr MetricDef kOverflowDef{
    .name = "llm_metrics_overflow_total",
    .help = "Series asked for beyond the cap; they count under the label value other."};

// Cells per lane in one block: 4 KiB, so that lanes write to different cache lines.
constexpr size_t kBlockCells = 512;

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

std::string label_text(const MetricDef& def, Registry::Values values, bool overflow) {
  std::string text;
  size_t i = 0;
  for (const std::string_view value : values) {
    const MetricLabel& label = def.labels[i++];
    if (!text.empty()) text += ',';
    text.append(label.name).append("=\"");
    append_escaped(text, overflow && label.open ? kOther : value, true);
    text += '"';
  }
  return text;
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix,
                   std::string_view labels, std::string_view bound, int64_t value, int decimals) {
  out.append(name).append(suffix);
  if (!labels.empty() || !bound.empty()) {
    out.append("{").append(labels);
    if (!bound.empty()) {
      out.append(labels.empty() ? "le=\"" : ",le=\"").append(bound).append("\"");
    }
    out += '}';
  }
  out += ' ';
  append_decimal(out, value, decimals);
  out += '\n';
}

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
  }
  return "untyped";
}

void append_head(std::string& out, const MetricDef& def) {
  out.append("# HELP ").append(def.name).append(" ");
  append_escaped(out, def.help, false);
  out.append("\n# TYPE ").append(def.name).append(" ").append(type_name(def.type)).append("\n");
}

void append_histogram(std::string& out, const MetricDef& def, std::string_view labels,
                      const MetricCells& cells) {
  int64_t count = 0;
  std::string bound;
  for (size_t i = 0; i < def.bounds.size(); ++i) {
    count += cells.sum(i);
    bound.clear();
    append_decimal(bound, def.bounds[i], def.decimals);
    append_sample(out, def.name, "_bucket", labels, bound, count, 0);
  }
  count += cells.sum(def.bounds.size());
  append_sample(out, def.name, "_bucket", labels, "+Inf", count, 0);
  append_sample(out, def.name, "_sum", labels, "", cells.sum(def.bounds.size() + 1), def.decimals);
  append_sample(out, def.name, "_count", labels, "", count, 0);
}

}  // namespace

int64_t MetricCells::sum(size_t i) const {
  int64_t total = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    total += at(lane, i).load(std::memory_order_relaxed);
  }
  return total;
}

int64_t Histogram::count() const {
  int64_t total = 0;
  for (size_t i = 0; i <= bounds_.size(); ++i) total += cells_.sum(i);
  return total;
}

struct Registry::Series {
  std::string labels;
  MetricCells cells;
  Read read;
};

struct Registry::Family {
  const MetricDef& def;
  std::vector<std::unique_ptr<Series>> series;
  std::unordered_map<std::string_view, Series*> by_labels;
};

Registry::Registry(unsigned lanes, size_t max_series)
    : lanes_(lanes + 1), max_series_(max_series), block_used_(kBlockCells) {
  watch(kSeriesDef, {}, [this] { return static_cast<int64_t>(series_); });
  watch(kOverflowDef, {}, [this] { return overflow_.load(); });
}

Registry::~Registry() = default;

MetricCells Registry::allocate(size_t cells) {
  if (block_used_ + cells > kBlockCells) {
    blocks_.push_back(std::make_unique<MetricCell[]>(kBlockCells * lanes_));
    block_used_ = 0;
  }
  MetricCell* first = blocks_.back().get() + block_used_;
  block_used_ += cells;
  return {.first = first, .stride = kBlockCells, .lanes = lanes_};
}

Registry::Series& Registry::make(Family& family, std::string labels, size_t weight) {
  auto made = std::make_unique<Series>();
  made->labels = std::move(labels);
  const MetricDef& def = family.def;
  made->cells = allocate(def.type == MetricType::Histogram ? def.bounds.size() + 2 : 1);
  family.by_labels.emplace(made->labels, made.get());
  family.series.push_back(std::move(made));
  series_ += weight;
  return *family.series.back();
}

Registry::Series& Registry::find(const MetricDef& def, Values values) {
  auto known = by_name_.find(def.name);
  if (known == by_name_.end()) {
    families_.push_back(std::make_unique<Family>(Family{def, {}, {}}));
    known = by_name_.emplace(def.name, families_.back().get()).first;
  }
  Family& family = *known->second;
  std::string labels = label_text(def, values, false);
  if (const auto found = family.by_labels.find(labels); found != family.by_labels.end()) {
    return *found->second;
  }
  const size_t weight = def.type == MetricType::Histogram ? def.bounds.size() + 3 : 1;
  const bool open = std::any_of(def.labels.begin(), def.labels.end(),
                                [](const MetricLabel& label) { return label.open; });
  if (open && series_ + weight > max_series_) {
    overflow_.fetch_add(1, std::memory_order_relaxed);
    labels = label_text(def, values, true);
    const auto other = family.by_labels.find(labels);
    if (other != family.by_labels.end()) return *other->second;
  }
  return make(family, std::move(labels), weight);
}

Counter Registry::counter(const MetricDef& def, Values values) {
  const std::lock_guard lock(mutex_);
  return Counter(find(def, values).cells);
}

Gauge Registry::gauge(const MetricDef& def, Values values) {
  const std::lock_guard lock(mutex_);
  return Gauge(find(def, values).cells);
}

Histogram Registry::histogram(const MetricDef& def, Values values) {
  const std::lock_guard lock(mutex_);
  return Histogram(find(def, values).cells, def.bounds);
}

void Registry::watch(const MetricDef& def, Values values, Read read) {
  const std::lock_guard lock(mutex_);
  find(def, values).read = std::move(read);
}

size_t Registry::series() const {
  const std::lock_guard lock(mutex_);
  return series_;
}

// Histograms nothing was observed in yet are left out: a target has dozens of them.
std::string Registry::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  out.reserve(series_ * 128);
  for (const auto& family : families_) {
    const MetricDef& def = family->def;
    bool headed = false;
    for (const auto& series : family->series) {
      const bool histogram = def.type == MetricType::Histogram;
      if (histogram && Histogram(series->cells, def.bounds).count() == 0) continue;
      if (!headed) append_head(out, def);
      headed = true;
      if (histogram) {
        append_histogram(out, def, series->labels, series->cells);
      } else {
        const int64_t value = series->read ? series->read() : series->cells.sum();
        append_sample(out, def.name, "", series->labels, "", value, def.decimals);
      }
    }
  }
  return out;
}

}  // namespace sluice
