#include "app/exports/export_run.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sluice::app {
namespace {

using telemetry::PendingBatch;

class Run {
 public:
  Run(store::Database& ledger, Destination& destination, const ExportPlan& plan,
      telemetry::ExportCursor cursor, telemetry::ChangeFeed feed, ExportSummary& summary)
      : ledger_(ledger),
        destination_(destination),
        plan_(plan),
        cursor_(std::move(cursor)),
        feed_(std::move(feed)),
        summary_(summary),
        remembers_(plan.window.whole() || destination.keeps_window()) {}

  Result<void> go(const ShowExport& show);

 private:
  Result<void> catch_up(int64_t from);
  Result<void> send_again();
  Result<void> next();
  Result<void> write(const telemetry::FeedBatch& batch, const PendingBatch& as, bool again);
  Result<void> note(int64_t end, int64_t missed);

  store::Database& ledger_;
  Destination& destination_;
  const ExportPlan& plan_;
  telemetry::ExportCursor cursor_;
  telemetry::ChangeFeed feed_;
  ExportSummary& summary_;
  // Otherwise the whole period is sent, and what the cursor says is left alone.
  const bool remembers_;
  int64_t at_ = 0;
  int64_t last_ = 0;
};

Result<void> Run::go(const ShowExport& show) {
  ExportStart start;
  start.id = cursor_.id();
  start.done = remembers_ ? cursor_.done() : 0;
  start.window = plan_.window;
  auto last = feed_.newest();
  if (!last) return std::move(last).error();
  last_ = *last;
  start.newest = last_;
  summary_.missed_ever = cursor_.missed();
  auto from = destination_.prepare(start);
  if (!from) return std::move(from).error();
  if (auto known = catch_up(*from); !known) return known;
  const int64_t first = at_;
  if (auto sent = send_again(); !sent) return sent;
  const auto whole = static_cast<double>(std::max<int64_t>(1, last_ - first));
  while (at_ < last_) {
    if (auto sent = next(); !sent) return sent;
    show(std::min(1.0, static_cast<double>(at_ - first) / whole));
  }
  return {};
}

// A batch that is there, and was not noted as done, was the last before a kill.
Result<void> Run::catch_up(int64_t from) {
  at_ = from;
  if (!remembers_ || from <= cursor_.done()) return {};
  auto there = feed_.read(cursor_.done(), plan_.batch, from);
  if (!there) return std::move(there).error();
  return note(from, there->missed);
}

Result<void> Run::send_again() {
  const std::optional<PendingBatch> pending = cursor_.pending();
  if (!remembers_ || !pending || pending->end <= at_) return {};
  auto batch = feed_.read(at_, plan_.batch, pending->end);
  if (!batch) return std::move(batch).error();
  return write(*batch, *pending, true);
}

Result<void> Run::next() {
  auto batch = feed_.read(at_, plan_.batch);
  if (!batch) return std::move(batch).error();
  PendingBatch as;
  as.end = batch->end;
  if (remembers_) {
    auto begun = cursor_.begin(batch->end);
    if (!begun) return std::move(begun).error();
    as = *std::move(begun);
  } else {
    auto id = telemetry::new_uuid(ledger_);
    if (!id) return std::move(id).error();
    as.request_id = *std::move(id);
  }
  return write(*batch, as, false);
}

Result<void> Run::write(const telemetry::FeedBatch& batch, const PendingBatch& as, bool again) {
  if (!batch.rows.empty()) {
    ExportBatch out;
    out.rows = batch.rows;
    out.request_id = as.request_id;
    out.again = again;
    if (auto written = destination_.write(out); !written) return written;
    summary_.rows += static_cast<int64_t>(batch.rows.size());
  }
  at_ = as.end;
  return remembers_ ? note(as.end, batch.missed) : Result<void>();
}

Result<void> Run::note(int64_t end, int64_t missed) {
  if (auto finished = cursor_.finish(end, missed); !finished) return finished;
  summary_.missed += missed;
  summary_.missed_ever = cursor_.missed();
  return {};
}

}  // namespace

Result<void> run_export(store::Database& ledger, Destination& destination, const ExportPlan& plan,
                        const ShowExport& show, ExportSummary& summary) {
  auto cursor = telemetry::ExportCursor::open(ledger, destination.name());
  if (!cursor) return std::move(cursor).error();
  auto feed = telemetry::ChangeFeed::open(ledger, plan.window);
  if (!feed) return std::move(feed).error();
  return Run(ledger, destination, plan, *std::move(cursor), *std::move(feed), summary).go(show);
}

}  // namespace sluice::app
