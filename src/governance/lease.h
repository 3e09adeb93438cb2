// This instance's part of a limit that several instances share. What each may use on its own adds
// up to no more than the limit, so that nobody has to ask for each request (acceptance BUD-1).
//
// A ceiling is for what is spent or held at one time: money of a budget, parallel requests. A batch
// is for what is taken in a minute: a number that may be used within a second. Plain arithmetic;
// their account's lock guards them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "governance/peers.h"

namespace sluice::governance {

enum class Room : uint8_t {
  Enough,
  AskOthers,  // this instance's part is used up; the others may have left some
  None,
};

// What an instance tells of a limit, and wants of it.
struct CeilingClaim {
  std::string key;
  int64_t limit = 0;
  int64_t spent = 0;
  int64_t must = 0;      // spent, held, and what waits
  int64_t headroom = 0;  // on top, where there is plenty
  int64_t had = 0;       // the ceiling before
  int64_t keep_millis = 0;
  int64_t seen = 0;  // the version that the store told last; 0: none
};
struct CeilingGrant {
  int64_t ceiling = 0;
  int64_t others = 0;        // what the others have spent, or may
  int64_t others_spent = 0;  // what they have told to be spent
  int64_t version = 0;
  bool forgotten = false;  // the store does not know what it told last
};

class Ceiling {
 public:
  // Where the store forgot something the others need so long to tell it again.
  static constexpr Nanos kSettle = 1'500 * kMillisecond;
  // What is used here counts for good, as money does; or only as long as it is held.
  enum class Kind : uint8_t { Spent, Held };
  explicit Ceiling(Kind kind = Kind::Spent) : kind_(kind) {}

  // For `amount` more, when `used` is spent and held here already.
  Room room(int64_t used, int64_t amount, int64_t limit, Nanos now, const Peers& peers) const;
  // Completes a claim. Until the answer comes no more is used than the claim says.
  void claim(CeilingClaim& claim, Nanos now, const Peers& peers);
  // Out of touch, what the store knows of the others may be too little: then the larger counts.
  void take(const CeilingClaim& claim, const CeilingGrant& grant, Nanos now, bool in_touch);
  // Nobody knows whether the store took the claim.
  void doubt() { seen_ = 0; }
  // A new window. `unseen`: it begins while the store is away, so that nobody has used any of it.
  void begin(bool unseen);
  // The limit is another one.
  void hope() { denied_until_ = 0; }
  // Whether the store should hear of it: there is more than is needed, or it was long ago.
  bool due(int64_t spent, int64_t wanted, Nanos now) const;
  // Nothing is held, and the store knows it.
  bool quiet(int64_t spent) const { return ceiling_ <= spent && told_ == spent; }

  // What is worth having on top of `must`: a twentieth of the limit, and less as the rest of it
  // grows small, so that little lies idle where another instance could use it.
  int64_t headroom(int64_t limit, int64_t must, const Peers& peers) const;

  int64_t others() const { return others_; }
  int64_t others_spent() const { return others_spent_; }

 private:
  bool fresh(const Peers& peers) const;
  bool believes(Nanos now, const Peers& peers) const {
    return peers.in_touch(now) && now >= settled_at_;
  }
  // Of what nobody had a right to at the last contact; an even part of it.
  int64_t share(int64_t limit, const Peers& peers) const;

  Kind kind_;
  int64_t ceiling_ = 0;
  int64_t others_ = 0;
  int64_t others_spent_ = 0;
  int64_t seen_ = 0;
  int64_t told_ = 0;  // spent, as the store knows it
  Nanos told_at_ = 0;
  Nanos denied_until_ = 0;
  Nanos settled_at_ = 0;
  Nanos heard_at_ = 0;      // of the others
  Nanos forgotten_at_ = 0;  // by a store that was in touch
  bool unseen_ = false;     // began while the store was away
  bool has_share_ = false;  // in the ceiling: it is not taken twice
};

// By the store's seconds. More: was used beyond what was taken, and counts from now on. Less: goes
// back to that second.
struct Correction {
  int64_t second = 0;
  int64_t amount = 0;
};
struct BatchClaim {
  std::string key;
  int64_t limit = 0;
  int64_t want = 0;   // what waits, together
  int64_t most = 0;   // the largest of what waits
  int64_t extra = 0;  // on top, where there is plenty
  std::vector<Correction> corrections;
};
struct BatchGrant {
  int64_t granted = 0;
  int64_t second = 0;  // what it counts for, on the store's clock
  int64_t used = 0;    // in the minute, this grant included
  int64_t wait = 0;    // seconds until `most` fits; 0: it does
  int64_t reset = 0;   // seconds until nothing counts any more
};

class Batch {
 public:
  // How long a grant may be used.
  static constexpr Nanos kGood = kSecond;

  Room room(int64_t amount, Nanos now) const;
  void use(int64_t amount, Nanos now);
  void give_back(int64_t amount, Nanos taken);
  void charge(int64_t amount);
  void claim(BatchClaim& claim, Nanos now);
  void take(const BatchClaim& claim, const BatchGrant& grant, Nanos now);
  // Whether the store should hear of something.
  bool due(Nanos now) const { return !corrections_.empty() || (left_ > 0 && now >= good_until_); }
  void forget() { corrections_.clear(); }
  void hope() { denied_until_ = 0; }

  // Seconds until it is worth coming again; after Room::None.
  int64_t wait(Nanos now) const;
  // Of all instances, in the last minute.
  int64_t used(Nanos now) const;
  int64_t reset(Nanos now) const;

 private:
  static constexpr size_t kMostCorrections = 256;
  void correct(int64_t second, int64_t amount);

  int64_t left_ = 0;
  int64_t second_ = 0;  // of the grant, on the store's clock
  Nanos granted_at_ = 0;
  Nanos good_until_ = 0;
  int64_t free_ = 0;  // for anybody, at the last answer
  int64_t used_ = 0;  // by everybody
  Nanos empty_at_ = 0;
  Nanos denied_until_ = 0;
  Nanos again_at_ = 0;
  std::vector<Correction> corrections_;
};

}  // namespace sluice::governance
