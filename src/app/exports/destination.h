// What a copy of the ledger is kept in: files, or a table of a database.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "telemetry/change_feed.h"

namespace sluice::app {

struct ExportBatch {
  std::span<const telemetry::ExchangeRow> rows;  // by revision, each request id once
  std::string request_id;                        // names the batch, a UUID
  bool again = false;                            // it may have been written before
};

// Which ledger's which rows.
struct ExportStart {
  std::string id;      // of ledger and destination together
  int64_t done = 0;    // what the ledger believes is there
  int64_t newest = 0;  // the last change of the ledger
  telemetry::FeedWindow window;
};

class Destination {
 public:
  virtual ~Destination() = default;
  // The same for the same place: "postgres://db.example:5432/metrics/public.sluice_exchange".
  virtual const std::string& name() const = 0;
  // Whether a period is part of what it is. Elsewhere a period is sent whole each time, over what
  // is there.
  virtual bool keeps_window() const = 0;
  // Makes what is missing. Gives back the seq up to which it has every change.
  virtual Result<int64_t> prepare(const ExportStart& start) = 0;
  // All of it or nothing; a row that is there is replaced, unless by an older revision.
  virtual Result<void> write(const ExportBatch& batch) = 0;
};

}  // namespace sluice::app
