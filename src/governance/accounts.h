// All accounts of the process, by level and name. Those of organisations, teams and keys live as
// long as the process, so that a policy may change under requests in flight; those of end users are
// made by the first request that names them. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "governance/account.h"

namespace sluice::governance {

// What the ledger knows of one subject's spend.
struct SpendHistory {
  std::vector<QuarterSpend> quarters;  // rising
  NanoDollars total = 0;
};

// The one name of a subject in the ledger's sums: "key:prod-gpt4-primary".
std::string ledger_name(Level level, std::string_view subject);
// End users of different organisations are different people.
std::string user_subject(std::string_view organisation, std::string_view user);

class Accounts {
 public:
  // End users beyond so many share one account: names come from callers, who must not fill the
  // memory.
  static constexpr size_t kMostUsers = 100'000;
  static constexpr std::string_view kOtherUsers = "other end users";

  // `history`: by ledger_name, as of the start.
  explicit Accounts(std::unordered_map<std::string, SpendHistory> history = {},
                    size_t most_users = kMostUsers)
      : history_(std::move(history)), most_users_(most_users) {}

  // Accounts made from now on share their limits with other instances. `peers` outlives them.
  void share_with(Peers& peers);

  std::shared_ptr<Account> of(Level level, std::string_view subject);
  // Those that exist, of one level, by name.
  std::vector<std::shared_ptr<Account>> all(Level level) const;

  // Of every end user, from now on.
  void use_for_users(const Policy& policy, int64_t wall_micros);
  // Nothing: there is no policy for end users.
  std::shared_ptr<Account> user(std::string_view organisation, std::string_view user,
                                int64_t wall_micros);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Map = std::unordered_map<std::string, std::shared_ptr<Account>, Hash, std::equal_to<>>;

  std::shared_ptr<Account> make(Level level, std::string_view subject);

  mutable std::mutex mutex_;
  std::array<Map, kLevelCount> maps_;
  std::unordered_map<std::string, SpendHistory> history_;
  Policy user_policy_;
  bool users_counted_ = false;
  Peers* peers_ = nullptr;
  const size_t most_users_;
};

}  // namespace sluice::governance
