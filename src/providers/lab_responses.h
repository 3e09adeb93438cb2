// The responses the lab has stored: what is asked below /responses/{id} and by
// `previous_response_id`. Each belongs to the credential it was made with. Bounded: the oldest go.
// May be used from several threads.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "providers/lab_completion.h"
#include "providers/lab_error.h"
#include "providers/lab_request.h"

namespace sluice::providers {

class LabResponses {
 public:
  // Puts what came before in front of the request, and checks that calls, their outputs and items
  // that are only named belong together.
  std::optional<LabError> join(LabRequest& request) const;
  struct Made {
    std::string body;  // the response as it is sent whole
    // Of one that is made in the background: how it looks until `done_at`, and once it was
    // cancelled; and its events, if it was streamed.
    std::string running;
    std::string cancelled;
    std::string events;
    Nanos done_at = 0;
  };
  // Requires: request.store.
  void keep(const LabRequest& request, const LabCompletion& completion, Made made);

  struct Ask {
    std::string_view method;
    std::string_view path;   // "/responses/{id}", with "/cancel" or "/input_items"
    std::string_view query;  // without its mark
    std::string_view credential;
    Nanos now = 0;
  };
  struct Answer {
    std::string body;
    bool is_stream = false;
    std::optional<LabError> error;
  };
  Answer answer(const Ask& ask);
  void reset();

 private:
  struct Entry {
    std::string credential;
    Made made;
    bool is_cancelled = false;
    std::vector<std::string> input_items;
    std::vector<std::string> output_ids;  // of its items
    std::vector<LabRequest::Part> parts;  // of the prompt, then one for the reply
    int64_t tokens = 0;                   // of all parts
    std::vector<std::string> calls;       // ids of all calls so far
    std::vector<std::string> open;        // those without an output
  };
  struct Call;
  static const Call kCalls[];

  const Entry* find(std::string_view id, std::string_view credential) const;
  void forget(const std::string& id);
  Answer retrieve(const std::string& id, const Ask& ask);
  Answer remove(const std::string& id, const Ask& ask);
  Answer cancel(const std::string& id, const Ask& ask);
  Answer list_items(const std::string& id, const Ask& ask);

  mutable std::mutex lock_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::unordered_map<std::string, std::string> items_;  // id of an item: id of its response
  std::deque<std::string> by_age_;
  size_t bytes_ = 0;
};

// Refused by OpenAI in these words. An empty code or param is null.
LabError lab_refusal(int status, std::string code, std::string param, std::string message);

// The id of the item that stands at `index` in the output: "rs_...", "msg_...", "fc_...".
std::string lab_item_id(std::string_view prefix, std::string_view response_id, size_t index);

}  // namespace sluice::providers
