// What one request holds of the accounts it counts against: taken before it is sent, settled when
// it has ended, given back if it never was sent. However it ends, nothing stays held.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "governance/account.h"

namespace sluice::governance {

// By Level; null: nothing of that level counts.
using Subjects = std::array<std::shared_ptr<Account>, kLevelCount>;

class Admission {
 public:
  Admission() = default;
  Admission(Admission&& other) noexcept
      : subjects_(std::exchange(other.subjects_, {})),
        ask_(other.ask_),
        taken_(other.taken_),
        lacks_(std::move(other.lacks_)) {}
  Admission& operator=(Admission&& other) noexcept;
  ~Admission() { give_back(); }

  // Of every subject or of none. On a refusal: by the narrowest subject that has no room.
  std::optional<Refusal> take(const Subjects& subjects, const Ask& ask, Moment now,
                              std::vector<Refusal>* would_refuse);
  // What was taken is replaced by what was used. Nothing is held any more.
  void settle(const Used& used, Moment now, std::vector<Crossing>* crossings);

  // Whose part was used up in the last take(), which then held nothing: to be asked for before the
  // next. Null: nobody's.
  const std::shared_ptr<Account>& lacks() const { return lacks_; }

  bool holds() const;
  const Ask& ask() const { return ask_; }

 private:
  void give_back();

  Subjects subjects_;
  Ask ask_;
  Moment taken_;
  std::shared_ptr<Account> lacks_;
};

}  // namespace sluice::governance
