// What refusals have taught about the fields a model takes: kept for the life of the provider's
// configuration, so that only the first request pays for the lesson (acceptance TR-2). Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "providers/wanted_field.h"

namespace sluice::providers {

struct Learned {
  std::optional<bool> old_max_tokens;  // wants max_tokens; false: max_completion_tokens
  bool fixed_sampling = false;         // refuses temperature and top_p
  bool no_stream_options = false;      // refuses stream_options
};

class LearnedFields {
 public:
  static constexpr size_t kMostModels = 1000;

  // False until something was learned: then there is nothing to ask for.
  bool any() const { return any_.load(std::memory_order_acquire); }
  Learned of(std::string_view model) const;
  // False: nothing new, so sending the request again would be refused again.
  bool learn(std::string_view model, const WantedField& wanted);

 private:
  std::atomic<bool> any_ = false;
  mutable std::mutex lock_;
  std::map<std::string, Learned, std::less<>> by_model_;
};

}  // namespace sluice::providers
