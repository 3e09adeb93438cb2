#include "providers/lab_memory.h"

#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

constexpr size_t kMaxPrompts = 65'536;
constexpr size_t kMaxKeys = 65'536;
constexpr size_t kMaxKeptBody = 1U << 20U;

bool is_credential(std::string_view name) {
  return net::same_name(name, "authorization") || net::same_name(name, "api-key") ||
         net::same_name(name, "x-api-key") || net::same_name(name, "cookie") ||
         net::same_name(name, "x-portkey-api-key");
}

std::string masked(std::string_view value) {
  return "..." + std::string(value.size() > 8 ? value.substr(value.size() - 4) : "");
}

}  // namespace

int64_t LabMemory::seen_tokens(const std::vector<LabRequest::Part>& parts) {
  const std::lock_guard guard(lock_);
  int64_t seen = 0;
  bool still = true;
  for (const LabRequest::Part& part : parts) {
    const bool known = !prompts_.insert(part.hash).second;
    if (!known) prompts_by_age_.push_back(part.hash);
    still = still && known;
    if (still) seen += part.tokens;
  }
  while (prompts_by_age_.size() > kMaxPrompts) {
    prompts_.erase(prompts_by_age_.front());
    prompts_by_age_.pop_front();
  }
  return seen;
}

int64_t LabMemory::earlier_calls(std::string_view key) {
  const std::lock_guard guard(lock_);
  if (calls_.size() >= kMaxKeys && calls_.find(key) == calls_.end()) calls_.clear();
  return calls_[std::string(key)]++;
}

void LabMemory::keep_last(const net::RequestHead& head, std::string_view body) {
  std::string kept = R"({"method":)";
  append_json(kept, head.method);
  kept += R"(,"target":)";
  append_json(kept, head.target);
  kept += R"(,"headers":[)";
  bool first = true;
  for (const net::Header& header : head.headers) {
    if (!first) kept += ',';
    first = false;
    kept += '[';
    append_json(kept, header.name);
    kept += ',';
    append_json(kept, is_credential(header.name) ? masked(header.value) : header.value);
    kept += ']';
  }
  kept += fmt::format(R"(],"body_bytes":{},"body":)", body.size());
  append_json(kept, body.substr(0, kMaxKeptBody));
  kept += "}\n";
  const std::lock_guard guard(lock_);
  last_ = std::move(kept);
}

void LabMemory::note_last(std::string_view reason) {
  if (reason.empty()) return;
  std::string note = R"(,"refused":)";
  append_json(note, reason);
  const std::lock_guard guard(lock_);
  if (last_.ends_with("}\n")) last_.insert(last_.size() - 2, note);
}

std::string LabMemory::last_json() const {
  const std::lock_guard guard(lock_);
  return last_;
}

void LabMemory::reset() {
  const std::lock_guard guard(lock_);
  prompts_.clear();
  prompts_by_age_.clear();
  calls_.clear();
  last_ = "{}\n";
}

}  // namespace sluice::providers
