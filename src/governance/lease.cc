#include "governance/lease.h"

#include <algorithm>

namespace sluice::governance {
namespace {

// The store is told of what is held so often, so that it is not given to others.
constexpr Nanos kRenew = kSecond;
// What was heard of the others lately enough to share out the rest by it. If it is older, so much
// of the limit may be used unseen (reliability G12).
constexpr Nanos kFresh = 2 * kSecond;
constexpr int64_t kBlindShare = 20;
// What an instance that is gone, or cut off, may have in its hands at most beyond its needs.
constexpr int64_t kHeadroomShare = 20;
// After "there is no room" nobody asks for so long: refused floods stay here.
constexpr Nanos kDenied = 200 * kMillisecond;

int64_t seconds_until(Nanos then, Nanos now) {
  return then <= now ? 0 : (then - now + kSecond - 1) / kSecond;
}

}  // namespace

Room Ceiling::room(int64_t used, int64_t amount, int64_t limit, Nanos now,
                   const Peers& peers) const {
  if (used > limit - amount) return Room::None;
  const bool believes_store = believes(now, peers);
  const int64_t most = ceiling_ + (believes_store ? 0 : share(limit, peers));
  if (used <= most - amount) return Room::Enough;
  return believes_store && now >= denied_until_ ? Room::AskOthers : Room::None;
}

int64_t Ceiling::share(int64_t limit, const Peers& peers) const {
  if (has_share_) return 0;
  const int64_t even = std::max<int64_t>(limit - others_ - ceiling_, 0) / peers.instances();
  return fresh(peers) ? even : std::min(even, limit / kBlindShare);
}

// Whether the others were heard of shortly before the store, or its memory, was lost. Of what is
// merely held the share is right in any case: all shares add up to the limit.
bool Ceiling::fresh(const Peers& peers) const {
  if (kind_ == Kind::Held || unseen_) return true;
  return heard_at_ >= std::max(peers.lost_at(), forgotten_at_) - kFresh;
}

void Ceiling::begin(bool unseen) {
  *this = Ceiling(kind_);
  unseen_ = unseen;
}

// To a store that is told anew the share is a part of what this instance has: no other gets it.
void Ceiling::claim(CeilingClaim& claim, Nanos now, const Peers& peers) {
  if (believes(now, peers)) {
    ceiling_ = std::min(ceiling_, claim.must + claim.headroom);
  } else {
    ceiling_ += share(claim.limit, peers);
    has_share_ = true;
  }
  claim.had = ceiling_;
  claim.seen = seen_;
}

void Ceiling::take(const CeilingClaim& claim, const CeilingGrant& grant, Nanos now, bool in_touch) {
  const bool believed = in_touch && !grant.forgotten && now >= settled_at_;
  // Nor is there more than the share for whoever is told more by a store that does not know all.
  ceiling_ = believed ? grant.ceiling : std::min(ceiling_, grant.ceiling);
  others_ = believed ? grant.others : std::max(others_, grant.others);
  others_spent_ = grant.others_spent;
  seen_ = grant.version;
  told_ = claim.spent;
  told_at_ = now;
  if (believed) {
    heard_at_ = now;
    unseen_ = false;
  }
  if (in_touch && now >= settled_at_) has_share_ = false;
  if (grant.forgotten && in_touch && now >= settled_at_) forgotten_at_ = now;
  if (grant.forgotten) settled_at_ = now + kSettle;
  denied_until_ = !grant.forgotten && grant.ceiling < claim.must ? now + kDenied : 0;
}

int64_t Ceiling::headroom(int64_t limit, int64_t must, const Peers& peers) const {
  const int64_t rest = std::max<int64_t>(limit - others_ - must, 0);
  return std::min(limit / kHeadroomShare, rest / (4 * peers.instances()));
}

bool Ceiling::due(int64_t spent, int64_t wanted, Nanos now) const {
  return ceiling_ > wanted || told_ != spent || now - told_at_ >= kRenew;
}

Room Batch::room(int64_t amount, Nanos now) const {
  const int64_t left = now < good_until_ ? left_ : 0;
  if (amount <= left) return Room::Enough;
  return now < denied_until_ && amount > left + free_ ? Room::None : Room::AskOthers;
}

void Batch::use(int64_t amount, Nanos now) {
  if (now < good_until_) left_ = std::max<int64_t>(left_ - amount, 0);
}

void Batch::give_back(int64_t amount, Nanos taken) {
  if (amount <= 0) return;
  if (taken >= granted_at_ && taken < good_until_) {
    left_ += amount;
  } else {
    correct(second_ + (taken - granted_at_) / kSecond, -amount);
  }
}

void Batch::charge(int64_t amount) {
  if (amount > 0) correct(second_, amount);
}

void Batch::correct(int64_t second, int64_t amount) {
  if (corrections_.size() < kMostCorrections)
    corrections_.push_back({.second = second, .amount = amount});
}

void Batch::claim(BatchClaim& claim, Nanos now) {
  if (left_ > 0 && now >= good_until_) correct(second_, -std::exchange(left_, 0));
  claim.corrections = std::exchange(corrections_, {});
}

void Batch::take(const BatchClaim& claim, const BatchGrant& grant, Nanos now) {
  used_ = grant.used;
  free_ = std::max<int64_t>(claim.limit - grant.used, 0);
  empty_at_ = now + grant.reset * kSecond;
  if (claim.want == 0) return;
  if (left_ > 0) correct(second_, -left_);
  left_ = grant.granted;
  second_ = grant.second;
  granted_at_ = now;
  good_until_ = now + kGood;
  if (grant.granted >= claim.want) return;
  again_at_ = now + std::max<int64_t>(grant.wait, 1) * kSecond;
  denied_until_ = now + kDenied;
}

int64_t Batch::wait(Nanos now) const {
  return std::max<int64_t>(seconds_until(again_at_, now), 1);
}

int64_t Batch::used(Nanos now) const {
  if (now >= empty_at_) return 0;
  return std::max<int64_t>(used_ - (now < good_until_ ? left_ : 0), 0);
}

int64_t Batch::reset(Nanos now) const {
  return used(now) == 0 ? 0 : seconds_until(empty_at_, now);
}

}  // namespace sluice::governance
