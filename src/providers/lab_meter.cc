#include "providers/lab_meter.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

// Names come from clients, so their number is bounded.
constexpr size_t kMaxModels = 1000;
constexpr size_t kMaxCancelled = 1000;

}  // namespace

LabMeter::Counts& LabMeter::counts_of(std::string_view model) {
  const auto found = by_model_.find(model);
  if (found != by_model_.end()) return found->second;
  return by_model_[by_model_.size() < kMaxModels ? std::string(model) : "other"];
}

void LabMeter::began(std::string_view model) {
  const std::lock_guard guard(lock_);
  for (Counts* counts : {&total_, &counts_of(model)}) {
    ++counts->requests;
    ++counts->in_flight;
  }
}

void LabMeter::ended(std::string_view model, std::string_view request_id, LabEnd end,
                     const Delivered& delivered) {
  const std::lock_guard guard(lock_);
  for (Counts* counts : {&total_, &counts_of(model)}) {
    --counts->in_flight;
    counts->completed += end == LabEnd::Completed ? 1 : 0;
    counts->refused += end == LabEnd::Refused ? 1 : 0;
    counts->faulted += end == LabEnd::Faulted ? 1 : 0;
    counts->cancelled += end == LabEnd::Cancelled ? 1 : 0;
    counts->prompt += delivered.usage.prompt;
    counts->cached += delivered.usage.cached;
    counts->cache_write += delivered.usage.cache_write + delivered.usage.cache_write_1h;
    counts->completion += delivered.usage.completion;
    counts->reasoning += delivered.usage.reasoning;
    counts->cost_nanos += lab_cost(delivered.usage, delivered.price);
    counts->texts += delivered.texts;
    counts->most_texts = std::max(counts->most_texts, delivered.texts);
  }
  if (end != LabEnd::Cancelled) return;
  if (cancelled_.size() == kMaxCancelled) cancelled_.pop_front();
  cancelled_.push_back(
      {std::string(model), std::string(request_id), delivered.tokens, delivered.events});
}

void LabMeter::cut_connection() {
  const std::lock_guard guard(lock_);
  ++connections_cut_;
}

void LabMeter::append(std::string& out, const Counts& counts) {
  out += fmt::format(
      R"("requests":{},"completed":{},"refused":{},"faulted":{},"cancelled":{},"in_flight":{},)"
      R"("prompt_tokens":{},"cached_tokens":{},"cache_write_tokens":{},"completion_tokens":{},)"
      R"("reasoning_tokens":{},"cost_nanodollars":{},"embedded_texts":{},)"
      R"("most_texts_per_call":{})",
      counts.requests, counts.completed, counts.refused, counts.faulted, counts.cancelled,
      counts.in_flight, counts.prompt, counts.cached, counts.cache_write, counts.completion,
      counts.reasoning, counts.cost_nanos, counts.texts, counts.most_texts);
}

std::string LabMeter::json() const {
  const std::lock_guard guard(lock_);
  std::string out = R"({"total":{)";
  append(out, total_);
  out += fmt::format(R"(,"connections_cut":{}}},"models":{{)", connections_cut_);
  bool first = true;
  for (const auto& [model, counts] : by_model_) {
    if (!first) out += ',';
    first = false;
    append_json(out, model);
    out += ":{";
    append(out, counts);
    out += '}';
  }
  out += R"(},"cancelled":[)";
  first = true;
  for (const Cancelled& one : cancelled_) {
    if (!first) out += ',';
    first = false;
    out += R"({"model":)";
    append_json(out, one.model);
    out += fmt::format(R"(,"request_id":"{}","tokens":{},"events":{}}})", one.request_id,
                       one.tokens, one.events);
  }
  out += "]}\n";
  return out;
}

void LabMeter::reset() {
  const std::lock_guard guard(lock_);
  const auto clear = [](Counts& counts) {
    const int64_t in_flight = counts.in_flight;
    counts = Counts();
    counts.requests = counts.in_flight = in_flight;
  };
  clear(total_);
  for (auto& [model, counts] : by_model_) clear(counts);
  std::erase_if(by_model_, [](const auto& entry) { return entry.second.in_flight == 0; });
  cancelled_.clear();
  connections_cut_ = 0;
}

}  // namespace sluice::providers
