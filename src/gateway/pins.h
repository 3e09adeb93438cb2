// Which target made the answers that later requests refer to by id: Responses are kept at the
// account that gave them, and nobody else knows them (acceptance AG-5). Thread-safe, bounded: the
// oldest ids are forgotten first.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice::gateway {

class Pins {
 public:
  static constexpr size_t kDefaultMost = 100'000;

  explicit Pins(size_t most = kDefaultMost) : most_(most) {}

  // `target`: "provider/model". A later word about the same id counts.
  void remember(const std::string& id, const std::string& target);
  std::optional<std::string> find(const std::string& id) const;
  void forget(const std::string& id);

 private:
  mutable std::mutex lock_;
  const size_t most_;
  std::unordered_map<std::string, std::string> targets_;
  std::deque<std::string> order_;
};

}  // namespace sluice::gateway
