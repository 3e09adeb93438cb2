// The responses the lab has stored: what GET and DELETE of /responses/{id} and
// `previous_response_id` are about. Each belongs to the credential it was made with. Bounded: the
// oldest go. May be used from several threads.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "providers/lab_completion.h"
#include "providers/lab_error.h"
#include "providers/lab_request.h"

namespace sluice::providers {

class LabResponses {
 public:
  // Puts what came before in front of the request, and checks that calls, their outputs and items
  // that are only named belong together.
  std::optional<LabError> join(LabRequest& request) const;
  // Requires: request.store. `body`: the response as it is sent whole.
  void keep(const LabRequest& request, const LabCompletion& completion, std::string body);

  struct Answer {
    std::string body;
    std::optional<LabError> error;
  };
  // GET or DELETE of "/responses/{id}" and "/responses/{id}/input_items".
  Answer answer(std::string_view method, std::string_view path, std::string_view credential);
  void reset();

 private:
  struct Entry {
    std::string credential;
    std::string body;
    std::vector<std::string> input_items;
    std::vector<std::string> output_ids;  // of its items
    std::vector<LabRequest::Part> parts;  // of the prompt, then one for the reply
    int64_t tokens = 0;                   // of all parts
    std::vector<std::string> calls;       // ids of all calls so far
    std::vector<std::string> open;        // those without an output
  };
  const Entry* find(std::string_view id, std::string_view credential) const;
  void forget(const std::string& id);
  static std::string items_body(const Entry& entry);

  mutable std::mutex lock_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::unordered_map<std::string, std::string> items_;  // id of an item: id of its response
  std::deque<std::string> by_age_;
  size_t bytes_ = 0;
};

// The id of the item that stands at `index` in the output: "rs_...", "msg_...", "fc_...".
std::string lab_item_id(std::string_view prefix, std::string_view response_id, size_t index);

}  // namespace sluice::providers
