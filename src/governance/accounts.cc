#include "governance/accounts.h"

#include <algorithm>

namespace sluice::governance {

std::string ledger_name(Level level, std::string_view subject) {
  std::string name(name_of(level));
  name += ':';
  name += subject;
  return name;
}

std::string user_subject(std::string_view organisation, std::string_view user) {
  std::string subject(organisation);
  subject += '/';
  subject += user;
  return subject;
}

std::shared_ptr<Account> Accounts::make(Level level, std::string_view subject) {
  auto account = std::make_shared<Account>(level, std::string(subject), peers_);
  if (const auto known = history_.find(ledger_name(level, subject)); known != history_.end()) {
    account->seed(known->second.quarters, known->second.total);
    history_.erase(known);
  }
  maps_[static_cast<size_t>(level)].emplace(subject, account);
  return account;
}

void Accounts::share_with(Peers& peers) {
  const std::lock_guard lock(mutex_);
  peers_ = &peers;
}

std::shared_ptr<Account> Accounts::of(Level level, std::string_view subject) {
  const std::lock_guard lock(mutex_);
  const Map& map = maps_[static_cast<size_t>(level)];
  if (const auto known = map.find(subject); known != map.end()) return known->second;
  return make(level, subject);
}

std::vector<std::shared_ptr<Account>> Accounts::all(Level level) const {
  std::vector<std::shared_ptr<Account>> accounts;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, account] : maps_[static_cast<size_t>(level)])
      accounts.push_back(account);
  }
  std::sort(accounts.begin(), accounts.end(),
            [](const auto& a, const auto& b) { return a->subject() < b->subject(); });
  return accounts;
}

void Accounts::use_for_users(const Policy& policy, int64_t wall_micros) {
  {
    const std::lock_guard lock(mutex_);
    user_policy_ = policy;
    users_counted_ = policy != Policy{};
  }
  for (const std::shared_ptr<Account>& account : all(Level::User))
    account->use(policy, wall_micros);
}

std::shared_ptr<Account> Accounts::user(std::string_view organisation, std::string_view user,
                                        int64_t wall_micros) {
  const std::lock_guard lock(mutex_);
  if (!users_counted_) return nullptr;
  const Map& map = maps_[static_cast<size_t>(Level::User)];
  std::string subject = user_subject(organisation, user);
  if (const auto known = map.find(subject); known != map.end()) return known->second;
  if (map.size() >= most_users_) subject = kOtherUsers;
  if (const auto known = map.find(subject); known != map.end()) return known->second;
  const std::shared_ptr<Account> account = make(Level::User, subject);
  account->use(user_policy_, wall_micros);
  return account;
}

}  // namespace sluice::governance
