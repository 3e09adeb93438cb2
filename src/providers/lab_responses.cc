#include "providers/lab_responses.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

constexpr size_t kMaxEntries = 10'000;
constexpr size_t kMaxBytes = 64U << 20U;

bool has(const std::vector<std::string>& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

// The ids of the items of a reply, in their order.
std::vector<std::string> output_ids(const LabCompletion& completion) {
  const LabChoice& choice = completion.choices[0];
  std::vector<std::string> ids;
  const auto add = [&](std::string_view prefix) {
    ids.push_back(lab_item_id(prefix, completion.id, ids.size()));
  };
  if (choice.has_thinking) add("rs");
  if (!choice.text.empty()) add("msg");
  for (const LabCall& call : choice.calls) add(call.custom ? "ctc" : "fc");
  return ids;
}

size_t size_of(const LabResponses::Made& made) {
  return made.body.size() + made.running.size() + made.cancelled.size() + made.events.size();
}

}  // namespace

LabError lab_refusal(int status, std::string code, std::string param, std::string message) {
  LabError error;
  error.status = status;
  error.code = std::move(code);
  error.param = std::move(param);
  error.message = std::move(message);
  return error;
}

std::string lab_item_id(std::string_view prefix, std::string_view response_id, size_t index) {
  return fmt::format("{}_lab{:016x}", prefix, lab_hash(response_id, index));
}

const LabResponses::Entry* LabResponses::find(std::string_view id,
                                              std::string_view credential) const {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.credential != credential) return nullptr;
  return &found->second;
}

std::optional<LabError> LabResponses::join(LabRequest& request) const {
  const std::lock_guard guard(lock_);
  const Entry nothing;
  const Entry* before = &nothing;
  if (!request.previous.empty()) {
    before = find(request.previous, request.credential);
    if (before == nullptr) {
      return lab_refusal(
          400, "previous_response_not_found", "previous_response_id",
          fmt::format("Previous response with id '{}' not found.", request.previous));
    }
  }
  for (const std::string& id : request.items) {
    const auto item = items_.find(id);
    if (item != items_.end() && find(item->second, request.credential) != nullptr) continue;
    return lab_refusal(
        404, "", "input",
        fmt::format("Item with id '{}' not found. Items are not persisted when `store` "
                    "is set to false. Try again with `store` set to true, or remove "
                    "this item from your input.",
                    id));
  }
  for (const std::string& id : request.answered) {
    if (has(request.calls, id) || has(before->calls, id)) continue;
    // A call that an item_reference names cannot be seen from here.
    if (!request.items.empty()) continue;
    return lab_refusal(
        400, "", "input",
        fmt::format("No tool call found for function call output with call_id {}.", id));
  }
  std::vector<std::string> open = before->open;
  open.insert(open.end(), request.calls.begin(), request.calls.end());
  for (const std::string& id : open) {
    if (has(request.answered, id)) continue;
    return lab_refusal(400, "", "input",
                       fmt::format("No tool output found for function call {}.", id));
  }
  request.calls.insert(request.calls.end(), before->calls.begin(), before->calls.end());
  request.parts.insert(request.parts.begin(), before->parts.begin(), before->parts.end());
  request.prompt_tokens += before->tokens;
  return std::nullopt;
}

void LabResponses::forget(const std::string& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  bytes_ -= size_of(found->second.made);
  for (const std::string& item : found->second.output_ids) items_.erase(item);
  entries_.erase(found);
}

void LabResponses::keep(const LabRequest& request, const LabCompletion& completion, Made made) {
  Entry entry;
  entry.credential = request.credential;
  entry.input_items = request.input_items;
  entry.parts = request.parts;
  LabRequest::Part reply;
  reply.hash = lab_hash(completion.id, request.hash);
  reply.tokens = completion.usage.completion - completion.usage.reasoning;
  entry.parts.push_back(reply);
  entry.tokens = request.prompt_tokens + reply.tokens;
  entry.calls = request.calls;
  for (const LabCall& call : completion.choices[0].calls) {
    entry.calls.push_back(call.id);
    entry.open.push_back(call.id);
  }
  entry.made = std::move(made);

  const std::lock_guard guard(lock_);
  if (entries_.contains(completion.id)) return;  // the same request, the same reply
  bytes_ += size_of(entry.made);
  entry.output_ids = output_ids(completion);
  for (const std::string& id : entry.output_ids) items_[id] = completion.id;
  entries_[completion.id] = std::move(entry);
  by_age_.push_back(completion.id);
  while (!by_age_.empty() && (by_age_.size() > kMaxEntries || bytes_ > kMaxBytes)) {
    forget(by_age_.front());
    by_age_.pop_front();
  }
}

void LabResponses::reset() {
  const std::lock_guard guard(lock_);
  entries_.clear();
  items_.clear();
  by_age_.clear();
  bytes_ = 0;
}

}  // namespace sluice::providers
