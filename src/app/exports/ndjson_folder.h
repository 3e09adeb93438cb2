// A copy of the ledger as files of newline-delimited JSON in a folder.
//
//   exchanges-0000000000000001-0000000000001000.ndjson   rows of the revisions 1 to 1000
//   export.json                                          whose export it is, and of which period
//
// A file appears whole, under its own name, and never changes again. The names say how far the
// export has come, so that a file and the knowledge of it cannot come apart. A row that has changed
// stands again in a later file, with a higher revision: the highest counts.
#pragma once

#include <string>

#include "app/exports/destination.h"

namespace sluice::app {

class NdjsonFolder final : public Destination {
 public:
  // `folder` absolute.
  NdjsonFolder(std::string folder, uint64_t max_file);

  const std::string& name() const override { return name_; }
  bool keeps_window() const override { return true; }
  Result<int64_t> prepare(const ExportStart& start) override;
  Result<void> write(const ExportBatch& batch) override;

 private:
  Result<void> claim(const ExportStart& start, bool has_files) const;
  Result<void> put(const std::string& lines, int64_t first, int64_t last) const;

  std::string folder_;
  std::string name_;
  uint64_t max_file_;
};

}  // namespace sluice::app
