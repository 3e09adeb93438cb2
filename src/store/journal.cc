#include "store/journal.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace sluice::store {
namespace {

constexpr Nanos kNever = std::numeric_limits<Nanos>::max();
// A failure that passes within this time is nobody's business.
constexpr Nanos kPatience = 2 * kSecond;
constexpr Nanos kFirstBackoff = 50 * kMillisecond;
constexpr Nanos kLongestBackoff = 2 * kSecond;
// Rows in one transaction: enough to make its cost vanish, few enough to keep it short.
constexpr size_t kBatchRows = 4096;
// Pages in the write-ahead log before they are moved into the database: 16 MiB.
constexpr int kCheckpointPages = 2048;
// Of each period, for chores; rows wait meanwhile.
constexpr Nanos kChoreSlice = 10 * kMillisecond;
constexpr Nanos kChoreBackoff = 60 * kSecond;
constexpr auto kLastPause = std::chrono::milliseconds(200);

}  // namespace

Journal::Journal(Database database, JournalSink& sink, const Clock& clock, Logger& log,
                 JournalOptions options)
    : database_(std::move(database)),
      sink_(sink),
      clock_(clock),
      log_(log),
      options_(options),
      stored_until_(clock.monotonic()),
      failing_since_(kNever) {
  const unsigned lanes = std::max(1U, options.lanes);
  for (unsigned i = 0; i < lanes; ++i) {
    lanes_.push_back(std::make_unique<LaneBuffer>(options.cap_bytes / lanes));
  }
}

Journal::~Journal() {
  stop();
}

void Journal::stop() {
  if (std::exchange(stopped_, true)) return;
  if (!thread_.running()) {
    store_last();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Journal::start() {
  thread_ = NamedThread("sluice-journal", [this] { run(); });
}

void Journal::run() {
  // Half the window, so that waiting and storing together stay within it.
  const auto period = std::chrono::milliseconds(std::max(1, options_.flush_window_millis / 2));
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, period, [&] { return stopping_ || asked_ > answers_; });
    const uint64_t asked = asked_;
    const bool urgent = asked > answers_ || stopping_;
    lock.unlock();
    Result<void> attempt;
    if (urgent || clock_.monotonic() >= retry_at_) attempt = drain();
    if (!urgent && failing_since_ == kNever) do_chore();
    lock.lock();
    if (asked > answers_) {
      answers_ = asked;
      answer_ = std::move(attempt);
      answered_.notify_all();
    }
  }
  lock.unlock();
  store_last();
}

void Journal::do_chore() {
  if (options_.chore == nullptr) return;
  Nanos now = clock_.monotonic();
  const Nanos until = now + kChoreSlice;
  for (bool more = true; more && now < until && now >= chore_at_; now = clock_.monotonic()) {
    auto done = options_.chore->step(database_);
    if (done) checkpoint_if_due();
    more = done && *done;
    if (done) continue;
    chore_at_ = now + kChoreBackoff;
    log_.warn("a store cannot be looked after; it is tried again in a minute",
              {{"store", options_.store}, {"reason", done.error().message()}});
  }
}

void Journal::store_last() {
  for (int i = 0; i < options_.last_attempts && !drain(); ++i) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kLastPause);
  }
  if (const size_t lost = queued_bytes(); lost > 0) {
    log_.error("rows lost at shutdown: the store does not take them",
               {{"store", options_.store}, {"bytes", lost}});
  }
}

Result<void> Journal::flush() {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++asked_;
  wake_.notify_one();
  answered_.wait(lock, [&] { return answers_ >= mine; });
  if (!answer_) return Error(answer_.error().outcome(), answer_.error().message());
  return {};
}

Result<void> Journal::drain() {
  const Nanos began = clock_.monotonic();
  if (disk_failed_) return Error(Outcome::Bug, "the disk under the store failed");
  Result<void> attempt = store_taken();  // what an earlier attempt left over comes first
  if (attempt) {
    take_lanes();
    attempt = store_taken();
  }
  note(attempt, began);
  return attempt;
}

void Journal::take_lanes() {
  std::vector<LaneBuffer::Chunk> chunks;
  for (unsigned lane = 0; lane < lanes_.size(); ++lane) {
    chunks.clear();
    lanes_[lane]->take(chunks);
    for (LaneBuffer::Chunk& chunk : chunks) taken_.push_back({lane, std::move(chunk)});
  }
}

// Chunk by chunk from the front, so that what was stored is never offered again.
Result<void> Journal::store_taken() {
  size_t done = 0;
  Result<void> attempt;
  while (done < taken_.size()) {
    const size_t until = gather(done);
    attempt = store_rows();
    if (!attempt) break;
    stored_.fetch_add(rows_.size(), std::memory_order_relaxed);
    for (; done < until; ++done) {
      Taken& taken = taken_[done];
      const size_t size = taken.chunk.size;
      lanes_[taken.lane]->release(size, std::move(taken.chunk));
    }
  }
  taken_.erase(taken_.begin(), taken_.begin() + static_cast<std::ptrdiff_t>(done));
  return attempt;
}

// Puts the rows of as many chunks as make a batch into rows_; returns the chunk after them.
size_t Journal::gather(size_t from) {
  rows_.clear();
  while (from < taken_.size() && rows_.size() < kBatchRows) {
    std::string_view text = taken_[from++].chunk.text();
    while (!text.empty()) {
      uint32_t size = 0;
      std::memcpy(&size, text.data(), kFrameBytes);
      rows_.push_back(text.substr(kFrameBytes, size));
      text.remove_prefix(kFrameBytes + size);
    }
  }
  return from;
}

Result<void> Journal::store_rows() {
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::move(transaction).error();
  Result<void> written = sink_.write(database_, rows_);
  if (written) written = transaction->commit();
  if (!written) {
    sink_.rolled_back();
    return written;
  }
  sink_.committed();
  checkpoint_if_due();
  return {};
}

void Journal::checkpoint_if_due() {
  if (database_.wal_pages() < kCheckpointPages) return;
  // The rows are safe in the write-ahead log; a failure here only lets it grow.
  if (auto moved = database_.checkpoint(); !moved) {
    log_.warn("a checkpoint failed",
              {{"store", options_.store}, {"reason", moved.error().message()}});
  }
}

void Journal::note(const Result<void>& attempt, Nanos began) {
  if (database_.disk_failed() && !disk_failed_) {
    disk_failed_ = true;
    log_.error("the disk under a store failed; nothing more is stored until a restart",
               {{"store", options_.store}});
  }
  if (attempt) {
    if (failing_since_.exchange(kNever) != kNever) {
      log_.info("a store takes rows again", {{"store", options_.store}});
    }
    backoff_ = 0;
    retry_at_ = 0;
    stored_until_ = began;
    return;
  }
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (failing_since_ == kNever) failing_since_ = began;
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kLongestBackoff);
  retry_at_ = clock_.monotonic() + backoff_;
  log_.error("a store takes no rows; they wait in memory", {{"store", options_.store},
                                                            {"reason", attempt.error().message()},
                                                            {"queued_bytes", queued_bytes()}});
}

bool Journal::healthy() const {
  if (disk_failed_) return false;
  const Nanos since = failing_since_;
  if (since != kNever && clock_.monotonic() - since >= kPatience) return false;
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return lane->outstanding() < lane->cap() / 2; });
}

size_t Journal::queued_bytes() const {
  size_t bytes = 0;
  for (const auto& lane : lanes_) bytes += lane->outstanding();
  return bytes;
}

Nanos Journal::lag() const {
  return queued_bytes() == 0 ? 0 : clock_.monotonic() - stored_until_;
}

}  // namespace sluice::store
