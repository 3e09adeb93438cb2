#include "telemetry/ledger_sink.h"

namespace sluice::telemetry {
namespace {

// In the order of the table. Bound by number below: keep both in step.
constexpr std::string_view kInsertRow =
    "INSERT OR IGNORE INTO exchange VALUES("
    "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"
    "?21,?22,?23,?24,?25,?26,?27,?28,?29,?30,?31,?32,?33,?34,?35,?36,?37,?38,?39,?40,?41,?42,"
    "?43,?44,?45,?46,?47,?48,?49)";

enum Column : int {
  kKey = 1,
  kRequestTail,
  kStarted,
  kTraceId,
  kClientRequestId,
  kEndpoint,
  kAskedModel,
  kAlias,
  kProvider,
  kModel,
  kAnsweredModel,
  kUser,
  kOutcome,
  kResult,
  kStatus,
  kStream,
  kPlainInput,
  kCacheRead,
  kCacheWrite,
  kCacheWrite1h,
  kAudioInput,
  kVisibleOutput,
  kReasoning,
  kAudioOutput,
  kUsageSource,
  kCost,
  kCostSource,
  kTableCost,
  kPriceNotes,
  kPriceVersion,
  kDuration,
  kTtft,
  kUpstream,
  kOverhead,
  kBytesIn,
  kBytesOut,
  kEvents,
  kAttempts,
  kError,
  kSlim,
  kTask,
  kReason,
  kCaller,
  kCharged,
  kAttemptsCost,
  kAttemptsUnknown,
  kServiceTier,
  kUpstreamCost,
  kCredits,
};
static_assert(kCredits == 49);

constexpr std::string_view kAddTotal =
    "INSERT INTO usage_total VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12) "
    "ON CONFLICT DO UPDATE SET requests=requests+excluded.requests,"
    "unpriced=unpriced+excluded.unpriced,input=input+excluded.input,"
    "cached=cached+excluded.cached,output=output+excluded.output,"
    "reasoning=reasoning+excluded.reasoning,cost=cost+excluded.cost";

void bind_text(store::Statement& to, int column, std::string_view text) {
  text.empty() ? to.bind_null(column) : to.bind(column, text);
}

void bind_maybe(store::Statement& to, int column, std::optional<int64_t> value) {
  value ? to.bind(column, *value) : to.bind_null(column);
}

void bind_figures(store::Statement& to, const RowHead& head) {
  const chat::Usage& usage = head.usage;
  to.bind(kStatus, head.status);
  to.bind(kStream, head.stream ? 1 : 0);
  to.bind(kPlainInput, usage.plain_input);
  to.bind(kCacheRead, usage.cache_read);
  to.bind(kCacheWrite, usage.cache_write);
  to.bind(kCacheWrite1h, usage.cache_write_1h);
  to.bind(kAudioInput, usage.audio_input);
  to.bind(kVisibleOutput, usage.visible_output);
  to.bind(kReasoning, usage.reasoning);
  to.bind(kAudioOutput, usage.audio_output);
  to.bind(kUsageSource, static_cast<int64_t>(head.usage_source));
  bind_maybe(to, kCost, head.charge.cost);
  to.bind(kCostSource, static_cast<int64_t>(head.charge.source));
  bind_maybe(to, kTableCost, head.charge.table_cost);
  to.bind(kPriceNotes, head.charge.notes);
  to.bind(kAttemptsCost, head.charge.attempts_cost);
  to.bind(kAttemptsUnknown, head.charge.attempts_unknown);
  const bool told = usage.tier != chat::ServiceTier::Unsaid;
  bind_maybe(to, kServiceTier,
             told ? std::optional(static_cast<int64_t>(usage.tier)) : std::nullopt);
  bind_maybe(to, kUpstreamCost, head.charge.upstream_cost);
  bind_maybe(to, kCredits, head.charge.credits);
  to.bind(kDuration, head.duration);
  bind_maybe(to, kTtft, head.ttft < 0 ? std::nullopt : std::optional(head.ttft));
  to.bind(kUpstream, head.upstream);
  to.bind(kOverhead, head.overhead);
  to.bind(kBytesIn, static_cast<int64_t>(head.bytes_in));
  to.bind(kBytesOut, static_cast<int64_t>(head.bytes_out));
  to.bind(kEvents, static_cast<int64_t>(head.events));
  to.bind(kSlim, head.slim ? 1 : 0);
}

}  // namespace

Result<void> LedgerSink::prepare(store::Database& database) {
  if (auto prepared = callers_.prepare(database); !prepared) return prepared;
  if (insert_row_) return {};
  auto insert_row = database.prepare(kInsertRow);
  if (!insert_row) return std::move(insert_row).error();
  auto insert_name = database.prepare("INSERT INTO name(id, text) VALUES(?1, ?2)");
  if (!insert_name) return std::move(insert_name).error();
  auto add_total = database.prepare(kAddTotal);
  if (!add_total) return std::move(add_total).error();
  auto names = database.prepare("SELECT id, text FROM name");
  if (!names) return std::move(names).error();
  for (auto row = names->step();; row = names->step()) {
    if (!row) return std::move(row).error();
    if (!*row) break;
    names_.emplace(names->text(1), names->integer(0));
  }
  insert_name_ = std::move(*insert_name);
  add_total_ = std::move(*add_total);
  insert_row_ = std::move(*insert_row);
  return {};
}

Result<void> LedgerSink::write(store::Database& database, std::span<const std::string_view> rows) {
  if (auto prepared = prepare(database); !prepared) return prepared;
  for (const std::string_view bytes : rows) {
    const RowView row = read_row(bytes);
    const int64_t before = database.total_changes();
    if (auto written = write_row(row); !written) return written;
    // A row that came twice changes nothing, and must not be summed twice.
    if (database.total_changes() == before) continue;
    add_up(row);
    if (auto added = callers_.add(row); !added) return added;
  }
  if (auto written = callers_.write_sums(); !written) return written;
  if (auto written = sums_.write(database); !written) return written;
  return write_totals();
}

Result<void> LedgerSink::write_row(const RowView& row) {
  store::Statement& to = *insert_row_;
  to.bind(kKey, static_cast<int64_t>(row.head.key));
  to.bind(kRequestTail, static_cast<int64_t>(row.head.request_tail));
  to.bind(kStarted, row.head.started_micros);
  const std::string_view trace = row.text(RowText::TraceId);
  trace.empty() ? to.bind_null(kTraceId) : to.bind_blob(kTraceId, trace);
  bind_text(to, kClientRequestId, row.text(RowText::ClientRequestId));
  bind_text(to, kAskedModel, row.text(RowText::AskedModel));
  bind_text(to, kUser, row.text(RowText::User));
  bind_text(to, kAttempts, row.text(RowText::Attempts));
  bind_text(to, kError, row.text(RowText::Error));
  bind_figures(to, row.head);
  if (auto bound = bind_name(kEndpoint, row.text(RowText::Endpoint)); !bound) return bound;
  if (auto bound = bind_name(kTask, row.text(RowText::Task)); !bound) return bound;
  const std::string_view reason = row.text(RowText::Reason);
  if (!row.head.common_reason) {
    bind_text(to, kReason, reason);
  } else if (auto bound = bind_name(kReason, reason); !bound) {
    return bound;
  }
  if (auto bound = bind_target(row); !bound) return bound;
  auto caller = callers_.id_of(row);
  if (!caller) return std::move(caller).error();
  caller_ = caller->value_or(0);
  bind_maybe(to, kCaller, *caller);
  bind_maybe(to, kCharged, *caller ? std::optional(row.head.charge.charged) : std::nullopt);

  int64_t& outcome = outcome_ids_[static_cast<size_t>(row.head.outcome)];
  int64_t& result = result_ids_[static_cast<size_t>(row.head.result)];
  if (outcome == 0) {
    auto id = id_of(name_of(row.head.outcome));
    if (!id) return std::move(id).error();
    outcome = *id;
  }
  if (result == 0) {
    auto id = id_of(name_of(row.head.result));
    if (!id) return std::move(id).error();
    result = *id;
  }
  bind_name(kOutcome, {.id = outcome, .text = name_of(row.head.outcome)});
  result == 0 ? to.bind(kResult, name_of(row.head.result)) : to.bind(kResult, result);
  return to.run();
}

Result<void> LedgerSink::bind_target(const RowView& row) {
  const TargetMeters& meters = *row.head.meters;
  auto [known, fresh] = targets_.try_emplace(&meters);
  TargetIds& ids = known->second;
  if (fresh) {
    for (auto [id, text] :
         {std::pair{&ids.provider, &meters.provider()}, std::pair{&ids.model, &meters.model()},
          std::pair{&ids.alias, &meters.alias()}}) {
      auto found = text->empty() ? Result<int64_t>(0) : id_of(*text);
      if (!found) return std::move(found).error();
      *id = *found;
    }
  }
  const auto bind = [&](int column, std::string_view own, int64_t id, const std::string& label) {
    if (!own.empty()) return bind_name(column, own);
    bind_name(column, {.id = id, .text = label});
    return Result<void>();
  };
  if (auto bound = bind(kProvider, row.text(RowText::Provider), ids.provider, meters.provider());
      !bound) {
    return bound;
  }
  if (auto bound = bind(kModel, row.text(RowText::Model), ids.model, meters.model()); !bound) {
    return bound;
  }
  if (auto bound = bind(kAlias, {}, ids.alias, meters.alias()); !bound) return bound;
  if (auto bound = bind_name(kAnsweredModel, row.text(RowText::AnsweredModel)); !bound) {
    return bound;
  }
  const Price* price = row.head.price;
  return bind_name(kPriceVersion, price == nullptr ? "" : price->version);
}

Result<void> LedgerSink::bind_name(int column, std::string_view text) {
  auto id = text.empty() ? Result<int64_t>(0) : id_of(column, text);
  if (!id) return std::move(id).error();
  bind_name(column, NameValue{.id = *id, .text = text});
  return {};
}

void LedgerSink::bind_name(int column, NameValue name) {
  name.id == 0 ? bind_text(*insert_row_, column, name.text) : insert_row_->bind(column, name.id);
  bound_[static_cast<size_t>(column)] = name;
}

Result<int64_t> LedgerSink::id_of(int column, std::string_view text) {
  LastName& last = last_[static_cast<size_t>(column)];
  if (last.id != 0 && last.text == text) return last.id;
  auto id = id_of(text);
  if (!id) return id;
  last.text = text;
  last.id = *id;
  return id;
}

Result<int64_t> LedgerSink::id_of(std::string_view text) {
  if (const auto known = names_.find(text); known != names_.end()) return known->second;
  if (names_.size() >= max_names_) return 0;
  const auto id = static_cast<int64_t>(names_.size()) + 1;
  insert_name_->bind(1, id);
  insert_name_->bind(2, text);
  if (auto inserted = insert_name_->run(); !inserted) return std::move(inserted).error();
  names_.emplace(text, id);
  return id;
}

void LedgerSink::add_up(const RowView& row) {
  const auto result = static_cast<size_t>(row.head.result);
  UsageBase& sum = totals_[row.head.meters][result][row.head.stream ? 1 : 0];
  const TokenCounts tokens = count_tokens(row.head.usage);
  sum.requests += 1;
  sum.tokens.input += tokens.input;
  sum.tokens.cached += tokens.cached;
  sum.tokens.output += tokens.output;
  sum.tokens.reasoning += tokens.reasoning;
  sum.unpriced += row.head.charge.cost ? 0 : 1;
  sum.cost += row.head.charge.cost.value_or(0);
  sums_.add({.key = row.head.key,
             .provider = bound_[kProvider],
             .model = bound_[kModel],
             .alias = bound_[kAlias],
             .outcome = bound_[kOutcome],
             .caller = caller_,
             .user = row.text(RowText::User)},
            {.requests = 1,
             .failed = row.head.outcome == Outcome::Ok ? 0 : 1,
             .unpriced = row.head.charge.cost ? 0 : 1,
             .estimated = row.head.usage_source == chat::UsageSource::Estimated ? 1 : 0,
             .tokens = tokens,
             .cost = row.head.charge.cost.value_or(0),
             .credits = row.head.charge.credits.value_or(0)});
}

Result<void> LedgerSink::write_totals() {
  for (const auto& [meters, by_result] : totals_) {
    for (size_t result = 0; result < by_result.size(); ++result) {
      for (size_t stream = 0; stream < 2; ++stream) {
        const UsageBase& sum = by_result[result][stream];
        if (sum.requests == 0) continue;
        store::Statement& to = *add_total_;
        to.bind(1, meters->provider());
        to.bind(2, meters->model());
        to.bind(3, meters->alias());
        to.bind(4, static_cast<int64_t>(result));
        to.bind(5, static_cast<int64_t>(stream));
        to.bind(6, sum.requests);
        to.bind(7, sum.unpriced);
        to.bind(8, sum.tokens.input);
        to.bind(9, sum.tokens.cached);
        to.bind(10, sum.tokens.output);
        to.bind(11, sum.tokens.reasoning);
        to.bind(12, sum.cost);
        if (auto added = to.run(); !added) return added;
      }
    }
  }
  return {};
}

void LedgerSink::committed() {
  callers_.committed();
  sums_.committed();
  totals_.clear();
}

// Ids given out in the lost transaction are not in the file: everything is learnt again.
void LedgerSink::rolled_back() {
  callers_.rolled_back();
  sums_.rolled_back();
  totals_.clear();
  targets_.clear();
  names_.clear();
  last_ = {};
  outcome_ids_ = {};
  result_ids_ = {};
  insert_row_.reset();
  insert_name_.reset();
  add_total_.reset();
}

}  // namespace sluice::telemetry
