// The write-behind journal: rows are handed over in memory and stored a moment later, many in one
// transaction, by one thread, so that no request ever waits for a disk.
//
// What it promises:
// - a row is committed within the flush window while the store works; after SIGKILL every row
//   older than that is there, none twice;
// - while the store does not work (disk full, locked, slow) rows wait, up to a cap in bytes, and
//   are tried again; healthy() turns false before anything is dropped, and true again by itself;
// - past half the cap rows are asked to be slim, at the cap they are dropped and counted;
// - stop() and destruction store what is queued, or say what was lost.
// It knows nothing of what the rows mean: the sink does.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/lane_buffer.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/time.h"
#include "store/sqlite.h"

namespace sluice::store {

// Turns rows into SQL. Used by the journal's thread only.
class JournalSink {
 public:
  virtual ~JournalSink() = default;
  // Inside a transaction. Rows may come again after a failure, also ones that were stored after
  // all: writing a row twice must be the same as once.
  virtual Result<void> write(Database& database, std::span<const std::string_view> rows) = 0;
  // What write() did since the last of these two calls is in the file, or was undone.
  virtual void committed() = 0;
  virtual void rolled_back() = 0;
};

// What the journal's thread does between two flushes, in pieces that are short beside the flush
// window: looking after the same file from another connection would make both wait for the lock.
class JournalChore {
 public:
  virtual ~JournalChore() = default;
  // One piece, in transactions of its own. False: there is no more to do for now.
  virtual Result<bool> step(Database& database) = 0;
};

struct JournalOptions {
  unsigned lanes = 1;
  size_t cap_bytes = 64 << 20;        // over all lanes
  int flush_window_millis = 100;      // a row is stored at most so much later
  int last_attempts = 5;              // at shutdown, while the store does not work
  JournalChore* chore = nullptr;      // borrowed; null: none
  std::string_view store = "ledger";  // what it is called in the log; outlives the journal
};

// What a row may carry.
enum class Room : uint8_t {
  Plenty,
  Tight,  // figures only, texts left out
};

class Journal {
 public:
  // Borrows sink, clock and log. Requires: the database is migrated.
  Journal(Database database, JournalSink& sink, const Clock& clock, Logger& log,
          JournalOptions options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Starts the thread. Without it drain() does its work, in tests.
  void start();
  // Stores what is queued, or logs what was lost; afterwards nothing is stored. Whoever owns what
  // rows point at calls it before that goes.
  void stop();

  // write(char* out, Room) puts at most `bound` bytes and returns how many. False: dropped and
  // counted. Any thread; each loop thread should use its own lane.
  template <class Write>
  bool append(unsigned lane, size_t bound, Write&& write) {
    LaneBuffer& buffer = *lanes_[lane % lanes_.size()];
    const bool fits = buffer.append(bound + kFrameBytes, [&](char* out, size_t outstanding) {
      const Room room = outstanding < buffer.cap() / 2 ? Room::Plenty : Room::Tight;
      const auto size = static_cast<uint32_t>(write(out + kFrameBytes, room));
      std::memcpy(out, &size, kFrameBytes);
      return kFrameBytes + size;
    });
    if (!fits) dropped_.fetch_add(1, std::memory_order_relaxed);
    return fits;
  }

  // One attempt to store everything queued so far. With the thread running, use flush().
  Result<void> drain();
  // The same, made by the thread; waits for it.
  Result<void> flush();

  // False: rows are in danger of being dropped; the instance should leave service.
  bool healthy() const;
  size_t queued_bytes() const;
  // An upper bound of the age of the oldest row that is not stored yet; 0 if there is none.
  Nanos lag() const;
  uint64_t stored_rows() const { return stored_.load(std::memory_order_relaxed); }
  uint64_t dropped_rows() const { return dropped_.load(std::memory_order_relaxed); }
  uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
  // Counts a row that was made slim.
  void count_slim() { slim_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t slim_rows() const { return slim_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kFrameBytes = sizeof(uint32_t);
  struct Taken {
    unsigned lane;
    LaneBuffer::Chunk chunk;
  };

  void run();
  void do_chore();
  void store_last();
  void take_lanes();
  Result<void> store_taken();
  Result<void> store_rows();
  void checkpoint_if_due();
  size_t gather(size_t from);
  void note(const Result<void>& attempt, Nanos began);

  Database database_;
  JournalSink& sink_;
  const Clock& clock_;
  Logger& log_;
  const JournalOptions options_;
  std::vector<std::unique_ptr<LaneBuffer>> lanes_;

  // Of the storing thread.
  std::vector<Taken> taken_;
  std::vector<std::string_view> rows_;
  Nanos backoff_ = 0;
  Nanos retry_at_ = 0;
  Nanos chore_at_ = 0;

  std::atomic<Nanos> stored_until_;   // what was appended before is stored
  std::atomic<Nanos> failing_since_;  // kNever while the store works
  std::atomic<bool> disk_failed_ = false;
  std::atomic<uint64_t> stored_ = 0;
  std::atomic<uint64_t> dropped_ = 0;
  std::atomic<uint64_t> slim_ = 0;
  std::atomic<uint64_t> failures_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable answered_;
  uint64_t asked_ = 0;
  uint64_t answers_ = 0;
  Result<void> answer_;
  bool stopping_ = false;
  bool stopped_ = false;  // of the owner's thread
  NamedThread thread_;
};

}  // namespace sluice::store
