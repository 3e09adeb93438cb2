// Who made the answers that later requests refer to by id: Responses are kept at the account that
// gave them, and nobody else knows them (acceptance AG-5). Thread-safe, in memory alone, bounded:
// the oldest ids are forgotten first.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice::gateway {

struct Maker {
  std::string target;  // "provider/model"
  std::string key;     // its label; empty: the provider wants none
  // Whose answer it is, as caller.h's owner_of() says: to others it is not there.
  std::string owner;
  // False: nobody keeps the answer. The gateway wrote it, from one of another dialect.
  bool kept = true;

  friend bool operator==(const Maker&, const Maker&) = default;
};

class Pins {
 public:
  static constexpr size_t kDefaultMost = 100'000;

  explicit Pins(size_t most = kDefaultMost) : most_(most) {}

  // A later word about the same id counts.
  void remember(const std::string& id, const Maker& maker);
  std::optional<Maker> find(const std::string& id) const;
  void forget(const std::string& id);

 private:
  mutable std::mutex lock_;
  const size_t most_;
  std::unordered_map<std::string, Maker> makers_;
  std::deque<std::string> order_;
};

}  // namespace sluice::gateway
