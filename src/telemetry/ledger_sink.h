// Writes ledger rows into the tables `exchange`, `name` and `usage_total` (store/schema.cc), on the
// journal's thread; what is about their callers, through CallerSink, and the sums of reports,
// through UsageSums.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/journal.h"
#include "telemetry/caller_sink.h"
#include "telemetry/row.h"
#include "telemetry/usage_sums.h"

namespace sluice::telemetry {

class LedgerSink final : public store::JournalSink {
 public:
  // Names beyond so many are written into each row instead: models of a wildcard route come from
  // clients, who must not fill the table.
  explicit LedgerSink(size_t max_names = 4096) : max_names_(max_names) {}

  Result<void> write(store::Database& database, std::span<const std::string_view> rows) override;
  void committed() override;
  void rolled_back() override;

 private:
  static constexpr size_t kMostColumns = 64;
  struct TargetIds {
    int64_t provider = 0;
    int64_t model = 0;
    int64_t alias = 0;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct LastName {
    std::string text;
    int64_t id = 0;
  };
  using Totals = std::array<std::array<UsageBase, 2>, kRequestResults>;

  Result<void> prepare(store::Database& database);
  Result<void> write_row(const RowView& row);
  Result<void> bind_target(const RowView& row);
  // Binds the id of a name, or the name itself if there is no room for more.
  Result<void> bind_name(int column, std::string_view text);
  Result<int64_t> id_of(std::string_view text);  // 0: no room
  // The same for a column where one row mostly has what the row before had.
  Result<int64_t> id_of(int column, std::string_view text);
  // Binds what a column of names has for this row, and keeps it for the sums.
  void bind_name(int column, NameValue name);
  void add_up(const RowView& row);
  Result<void> write_totals();

  const size_t max_names_;
  std::optional<store::Statement> insert_row_;
  std::optional<store::Statement> insert_name_;
  std::optional<store::Statement> add_total_;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> names_;
  std::unordered_map<const TargetMeters*, TargetIds> targets_;
  std::array<int64_t, kOutcomeCount> outcome_ids_{};
  std::array<int64_t, kRequestResults> result_ids_{};
  std::array<LastName, kMostColumns> last_;
  std::array<NameValue, kMostColumns> bound_;  // of this row, by column
  int64_t caller_ = 0;                         // likewise; 0: none
  CallerSink callers_;
  UsageSums sums_;
  // Of this transaction.
  std::unordered_map<const TargetMeters*, Totals> totals_;
};

}  // namespace sluice::telemetry
