// Comma-separated values (RFC 4180) as they stream in: pieces of any size, one row in memory.
// Quotes, doubled quotes, line ends inside quotes, LF and CRLF, a byte order mark.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::telemetry {

class CsvReader {
 public:
  // False: stop, the row is wrong; whoever said so knows why.
  using OnRow = std::function<bool(std::span<const std::string>)>;

  explicit CsvReader(OnRow on_row) : on_row_(std::move(on_row)) {}

  // Empty lines are no rows. An error: a quote in the wrong place, a row of more than 16 MiB.
  Result<void> feed(std::string_view bytes);
  // A last row without a line end. An error if a quote is open.
  Result<void> finish();
  int64_t row() const { return row_; }  // the one being read, from 1

 private:
  enum class State : uint8_t { Start, Plain, Quoted, QuoteInQuoted };

  Result<void> take(char c);
  Result<void> end_row();
  Error wrong(std::string_view what) const;

  OnRow on_row_;
  State state_ = State::Start;
  std::vector<std::string> fields_{1};
  size_t row_bytes_ = 0;
  int64_t row_ = 1;
  size_t mark_ = 0;  // bytes of the byte order mark seen
  bool stopped_ = false;
};

}  // namespace sluice::telemetry
