#include "providers/lab_request_log.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

// A name may come from a client, and is kept 200,000 times.
constexpr size_t kLongestName = 128;

constexpr std::string_view kEnds[] = {"completed", "refused", "faulted", "cancelled"};

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format(R"(,"{}":)", name);
  append_json(out, text);
}

void append_line(std::string& out, uint64_t seq, const LabRecord& record) {
  const LabUsage& usage = record.usage;
  out += fmt::format(R"({{"seq":{})", seq);
  append_text(out, "x_request_id", record.caller_id);
  append_text(out, "request_id", record.request_id);
  append_text(out, "face", record.face);
  append_text(out, "model", record.model);
  append_text(out, "end", kEnds[static_cast<size_t>(record.end)]);
  out += fmt::format(
      R"(,"prompt_tokens":{},"cached_tokens":{},"cache_write_tokens":{},"completion_tokens":{},)"
      R"("reasoning_tokens":{},"cost_nanos":{}}})",
      usage.prompt, usage.cached, usage.cache_write + usage.cache_write_1h, usage.completion,
      usage.reasoning, record.cost_nanos);
  out += '\n';
}

}  // namespace

void LabRequestLog::add(LabRecord record) {
  if (record.caller_id.size() > kLongestName) record.caller_id.resize(kLongestName);
  if (record.model.size() > kLongestName) record.model.resize(kLongestName);
  const std::lock_guard guard(lock_);
  if (records_.size() == kKept) records_.pop_front();
  records_.push_back(std::move(record));
  ++last_seq_;
}

std::string LabRequestLog::lines(uint64_t since) const {
  const std::lock_guard guard(lock_);
  const uint64_t before_first = last_seq_ - records_.size();
  uint64_t seq = std::min(std::max(since, before_first), last_seq_);
  const uint64_t end = std::min<uint64_t>(last_seq_, seq + kPage);
  std::string out;
  for (; seq < end; ++seq) append_line(out, seq + 1, records_[seq - before_first]);
  return out;
}

void LabRequestLog::reset() {
  const std::lock_guard guard(lock_);
  records_.clear();
  last_seq_ = 0;
}

}  // namespace sluice::providers
