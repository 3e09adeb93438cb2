#include "telemetry/csv_reader.h"

#include <fmt/format.h>

namespace sluice::telemetry {
namespace {

constexpr size_t kLongestRow = 16 << 20;
constexpr std::string_view kMark = "\xEF\xBB\xBF";

}  // namespace

Error CsvReader::wrong(std::string_view what) const {
  return Error(Outcome::BadRequest, fmt::format("row {}: {}", row_, what));
}

Result<void> CsvReader::end_row() {
  const bool empty = fields_.size() == 1 && fields_.front().empty() && state_ == State::Start;
  if (!empty) stopped_ = !on_row_(fields_);
  fields_.assign(1, "");
  row_bytes_ = 0;
  ++row_;
  state_ = State::Start;
  return {};
}

Result<void> CsvReader::take(char c) {
  if (++row_bytes_ > kLongestRow) return wrong("is longer than 16 MiB");
  switch (state_) {
    case State::Quoted:
      if (c == '"') {
        state_ = State::QuoteInQuoted;
      } else {
        fields_.back() += c;
      }
      return {};
    case State::QuoteInQuoted:
      if (c == '"') {
        fields_.back() += c;
        state_ = State::Quoted;
        return {};
      }
      if (c != ',' && c != '\r' && c != '\n') return wrong("text after a closing quote");
      break;
    case State::Start:
      if (c == '"') {
        state_ = State::Quoted;
        return {};
      }
      break;
    case State::Plain:
      break;
  }
  if (c == '\n') return end_row();
  if (c == '\r') return {};
  if (c == ',') {
    fields_.emplace_back();
    state_ = State::Start;
    return {};
  }
  fields_.back() += c;
  state_ = State::Plain;
  return {};
}

Result<void> CsvReader::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (stopped_) return {};
    if (row_ == 1 && mark_ < kMark.size() && c == kMark[mark_]) {
      ++mark_;
      continue;
    }
    mark_ = kMark.size();
    if (auto taken = take(c); !taken) return taken;
  }
  return {};
}

Result<void> CsvReader::finish() {
  if (stopped_) return {};
  if (state_ == State::Quoted) return wrong("a quote is not closed");
  return end_row();
}

}  // namespace sluice::telemetry
