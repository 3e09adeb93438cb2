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

LabError refusal(int status, std::string code, std::string param, std::string message) {
  LabError error;
  error.status = status;
  error.code = std::move(code);
  error.param = std::move(param);
  error.message = std::move(message);
  return error;
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

}  // namespace

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
      return refusal(400, "previous_response_not_found", "previous_response_id",
                     fmt::format("Previous response with id '{}' not found.", request.previous));
    }
  }
  for (const std::string& id : request.items) {
    const auto item = items_.find(id);
    if (item != items_.end() && find(item->second, request.credential) != nullptr) continue;
    return refusal(404, "", "input",
                   fmt::format("Item with id '{}' not found. Items are not persisted when `store` "
                               "is set to false. Try again with `store` set to true, or remove "
                               "this item from your input.",
                               id));
  }
  for (const std::string& id : request.answered) {
    if (has(request.calls, id) || has(before->calls, id)) continue;
    // A call that an item_reference names cannot be seen from here.
    if (!request.items.empty()) continue;
    return refusal(400, "", "input",
                   fmt::format("No tool call found for function call output with call_id {}.", id));
  }
  std::vector<std::string> open = before->open;
  open.insert(open.end(), request.calls.begin(), request.calls.end());
  for (const std::string& id : open) {
    if (has(request.answered, id)) continue;
    return refusal(400, "", "input", fmt::format("No tool output found for function call {}.", id));
  }
  request.calls.insert(request.calls.end(), before->calls.begin(), before->calls.end());
  request.parts.insert(request.parts.begin(), before->parts.begin(), before->parts.end());
  request.prompt_tokens += before->tokens;
  return std::nullopt;
}

void LabResponses::forget(const std::string& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  bytes_ -= found->second.body.size();
  for (const std::string& item : found->second.output_ids) items_.erase(item);
  entries_.erase(found);
}

void LabResponses::keep(const LabRequest& request, const LabCompletion& completion,
                        std::string body) {
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
  entry.body = std::move(body);

  const std::lock_guard guard(lock_);
  if (entries_.contains(completion.id)) return;  // the same request, the same reply
  bytes_ += entry.body.size();
  entry.output_ids = output_ids(completion);
  for (const std::string& id : entry.output_ids) items_[id] = completion.id;
  entries_[completion.id] = std::move(entry);
  by_age_.push_back(completion.id);
  while (!by_age_.empty() && (by_age_.size() > kMaxEntries || bytes_ > kMaxBytes)) {
    forget(by_age_.front());
    by_age_.pop_front();
  }
}

std::string LabResponses::items_body(const Entry& entry) {
  std::string out = R"({"object":"list","data":[)";
  // The newest first, as the real provider lists them.
  for (auto item = entry.input_items.rbegin(); item != entry.input_items.rend(); ++item) {
    if (item != entry.input_items.rbegin()) out += ',';
    out += *item;
  }
  return out + R"(],"has_more":false})" + "\n";
}

LabResponses::Answer LabResponses::answer(std::string_view method, std::string_view path,
                                          std::string_view credential) {
  constexpr std::string_view kItems = "/input_items";
  constexpr std::string_view kBefore = "/responses/";
  const bool items = path.ends_with(kItems);
  path.remove_prefix(kBefore.size());
  if (items) path.remove_suffix(kItems.size());
  const std::string id(path);
  Answer answer;
  const std::lock_guard guard(lock_);
  const Entry* const entry = find(id, credential);
  if (entry == nullptr) {
    answer.error = refusal(404, "", "", fmt::format("Response with id '{}' not found.", id));
  } else if (method == "DELETE") {
    forget(id);
    answer.body = fmt::format(R"({{"id":"{}","object":"response","deleted":true}})", id) + "\n";
  } else {
    answer.body = items ? items_body(*entry) : entry->body;
  }
  return answer;
}

void LabResponses::reset() {
  const std::lock_guard guard(lock_);
  entries_.clear();
  items_.clear();
  by_age_.clear();
  bytes_ = 0;
}

}  // namespace sluice::providers
