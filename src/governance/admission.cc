#include "governance/admission.h"

#include <algorithm>

namespace sluice::governance {

Admission& Admission::operator=(Admission&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  subjects_ = std::exchange(other.subjects_, {});
  ask_ = other.ask_;
  taken_ = other.taken_;
  lacks_ = std::move(other.lacks_);
  return *this;
}

bool Admission::holds() const {
  return std::any_of(subjects_.begin(), subjects_.end(),
                     [](const auto& account) { return account != nullptr; });
}

std::optional<Refusal> Admission::take(const Subjects& subjects, const Ask& ask, Moment now,
                                       std::vector<Refusal>* would_refuse) {
  give_back();
  lacks_ = nullptr;
  ask_ = ask;
  taken_ = now;
  for (size_t level = kLevelCount; level-- > 0;) {
    if (subjects[level] == nullptr) continue;
    std::optional<Refusal> refused = subjects[level]->take(ask, now, would_refuse);
    if (refused) {
      give_back();
      if (refused->ask_others) lacks_ = subjects[level];
      return refused;
    }
    subjects_[level] = subjects[level];
  }
  return std::nullopt;
}

void Admission::settle(const Used& used, Moment now, std::vector<Crossing>* crossings) {
  for (std::shared_ptr<Account>& account : subjects_) {
    if (account == nullptr) continue;
    account->settle(ask_, taken_, used, now, crossings);
    account.reset();
  }
}

void Admission::give_back() {
  for (std::shared_ptr<Account>& account : subjects_) {
    if (account == nullptr) continue;
    account->give_back(ask_, taken_);
    account.reset();
  }
}

}  // namespace sluice::governance
