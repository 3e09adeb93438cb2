#include "telemetry/caller_sink.h"

#include <array>

namespace sluice::telemetry {
namespace {

constexpr char kSeparator = '\x1f';
constexpr std::array kNames = {RowText::Organisation, RowText::Team, RowText::Key,
                               RowText::Environment};
constexpr std::array kPurposes = {RowText::Conversation, RowText::Session,   RowText::Workflow,
                                  RowText::Execution,    RowText::McpServer, RowText::Metadata};

constexpr std::string_view kAddSpend =
    "INSERT INTO spend VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT DO UPDATE SET "
    "charged=charged+excluded.charged,requests=requests+excluded.requests,"
    "unpriced=unpriced+excluded.unpriced,input=input+excluded.input,"
    "output=output+excluded.output";

std::string subject(std::string_view level, std::string_view name) {
  std::string out(level);
  out += ':';
  out += name;
  return out;
}

}  // namespace

Result<void> CallerSink::prepare(store::Database& database) {
  if (add_spend_) return {};
  auto find_caller = database.prepare(
      "SELECT id FROM caller WHERE organisation=?1 AND team=?2 AND key=?3 AND environment=?4");
  if (!find_caller) return std::move(find_caller).error();
  auto insert_caller = database.prepare(
      "INSERT INTO caller(organisation, team, key, environment) VALUES(?1,?2,?3,?4) RETURNING id");
  if (!insert_caller) return std::move(insert_caller).error();
  auto insert_attribution =
      database.prepare("INSERT OR IGNORE INTO attribution VALUES(?1,?2,?3,?4,?5,?6,?7)");
  if (!insert_attribution) return std::move(insert_attribution).error();
  auto add_spend = database.prepare(kAddSpend);
  if (!add_spend) return std::move(add_spend).error();
  find_caller_ = std::move(*find_caller);
  insert_caller_ = std::move(*insert_caller);
  insert_attribution_ = std::move(*insert_attribution);
  add_spend_ = std::move(*add_spend);
  return {};
}

Result<std::optional<int64_t>> CallerSink::id_of(const RowView& row) {
  if (row.text(RowText::Key).empty()) return std::optional<int64_t>();
  names_.clear();
  for (const RowText name : kNames) {
    names_ += row.text(name);
    names_ += kSeparator;
  }
  if (names_ == last_) return std::optional(last_id_);
  auto known = ids_.find(names_);
  if (known == ids_.end()) {
    int64_t id = 0;
    for (store::Statement* statement : {&*find_caller_, &*insert_caller_}) {
      for (size_t i = 0; i < kNames.size(); ++i)
        statement->bind(static_cast<int>(i) + 1, row.text(kNames[i]));
      Result<bool> found = statement->step();
      if (!found) return std::move(found).error();
      if (*found) id = statement->integer(0);
      statement->reset();
      if (id != 0) break;
    }
    known = ids_.emplace(names_, id).first;
  }
  last_ = names_;
  last_id_ = known->second;
  return std::optional(last_id_);
}

Result<void> CallerSink::add(const RowView& row) {
  if (Result<void> written = write_attribution(row); !written) return written;
  if (row.text(RowText::Key).empty()) return {};
  const RowHead& head = row.head;
  const int64_t quarter = (head.started_micros + head.duration) / kSpendQuarterMicros;
  const Sum sum{.charged = head.charge.charged,
                .requests = 1,
                .unpriced = head.charge.cost ? 0 : 1,
                .input = head.usage.input(),
                .output = head.usage.output()};
  for (Sum* to : owners_of(row, quarter).sums) {
    if (to != nullptr) *to += sum;
  }
  if (!head.counts_user) return {};
  std::string user(row.text(RowText::Organisation));
  user += '/';
  user += row.text(RowText::User);
  sum_of(subject("user", user), quarter) += sum;
  return {};
}

const CallerSink::Owners& CallerSink::owners_of(const RowView& row, int64_t quarter) {
  if (owners_.caller == last_id_ && owners_.quarter == quarter) return owners_;
  owners_ = {.caller = last_id_, .quarter = quarter};
  owners_.sums[0] = &sum_of(subject("key", row.text(RowText::Key)), quarter);
  if (const std::string_view team = row.text(RowText::Team); !team.empty())
    owners_.sums[1] = &sum_of(subject("team", team), quarter);
  owners_.sums[2] = &sum_of(subject("organisation", row.text(RowText::Organisation)), quarter);
  return owners_;
}

void CallerSink::forget_sums() {
  sums_.clear();
  owners_ = {};
}

Result<void> CallerSink::write_attribution(const RowView& row) {
  store::Statement& to = *insert_attribution_;
  bool any = false;
  for (size_t i = 0; i < kPurposes.size(); ++i) {
    const std::string_view text = row.text(kPurposes[i]);
    const int column = static_cast<int>(i) + 2;
    text.empty() ? to.bind_null(column) : to.bind(column, text);
    any |= !text.empty();
  }
  if (!any) return {};
  to.bind(1, static_cast<int64_t>(row.head.key));
  return to.run();
}

CallerSink::Sum& CallerSink::Sum::operator+=(const Sum& other) {
  charged += other.charged;
  requests += other.requests;
  unpriced += other.unpriced;
  input += other.input;
  output += other.output;
  return *this;
}

Result<void> CallerSink::write_sums() {
  for (const auto& [of, sum] : sums_) {
    for (const int64_t quarter : {of.second, kAllTimeQuarter}) {
      if (Result<void> written = write_sum(of.first, quarter, sum); !written) return written;
    }
  }
  return {};
}

Result<void> CallerSink::write_sum(const std::string& subject, int64_t quarter, const Sum& sum) {
  store::Statement& to = *add_spend_;
  to.bind(1, subject);
  to.bind(2, quarter);
  to.bind(3, sum.charged);
  to.bind(4, sum.requests);
  to.bind(5, sum.unpriced);
  to.bind(6, sum.input);
  to.bind(7, sum.output);
  return to.run();
}

// Ids given out in the lost transaction are not in the file.
void CallerSink::rolled_back() {
  forget_sums();
  last_id_ = 0;
  ids_.clear();
  last_.clear();
  find_caller_.reset();
  insert_caller_.reset();
  insert_attribution_.reset();
  add_spend_.reset();
}

Result<std::vector<SpendSums>> read_spend(const store::Database& database, int64_t first_quarter) {
  auto rows = database.prepare(
      "SELECT subject, quarter, charged FROM spend WHERE quarter >= ?1 OR quarter = ?2"
      " ORDER BY subject, quarter");
  if (!rows) return std::move(rows).error();
  rows->bind(1, first_quarter);
  rows->bind(2, kAllTimeQuarter);
  std::vector<SpendSums> sums;
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return sums;
    if (sums.empty() || sums.back().subject != rows->text(0))
      sums.push_back({.subject = std::string(rows->text(0)), .quarters = {}});
    if (rows->integer(1) == kAllTimeQuarter) {
      sums.back().total = rows->integer(2);
    } else {
      sums.back().quarters.emplace_back(rows->integer(1), rows->integer(2));
    }
  }
}

}  // namespace sluice::telemetry
