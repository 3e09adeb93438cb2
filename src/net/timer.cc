#include "net/timer.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sluice::net {
namespace {

constexpr Nanos kTick = kMillisecond;
// What the wheel can tell apart; a later moment is parked at the rim and looked at again when it
// comes round.
constexpr int64_t kHorizon = (int64_t{1} << 36) - 1;

int64_t tick_at_or_after(Nanos when) {
  return when > std::numeric_limits<Nanos>::max() - kTick ? when / kTick
                                                          : (when + kTick - 1) / kTick;
}

}  // namespace

void Timer::disarm() {
  if (wheel_ != nullptr) wheel_->remove(*this);
}

TimerWheel::TimerWheel(Nanos now) : tick_(now / kTick) {}

void TimerWheel::arm(Timer& timer, Nanos when) {
  timer.disarm();
  timer.due_tick_ = std::max(tick_at_or_after(when), tick_ + 1);
  insert(timer);
}

// The level is the highest group of six bits in which the due tick differs from now: the timer then
// falls one level each time that group comes round, and fires from level 0.
void TimerWheel::insert(Timer& timer) {
  const int64_t due = std::min(timer.due_tick_, tick_ + kHorizon);
  const auto differing = static_cast<uint64_t>(due ^ tick_);
  const int level = std::min((63 - std::countl_zero(differing | 1)) / kSlotBits, kLevels - 1);
  const int slot = static_cast<int>((due >> (level * kSlotBits)) & (kSlots - 1));

  Timer*& head = slots_[level][slot];
  timer.wheel_ = this;
  timer.slot_ = static_cast<uint16_t>(level * kSlots + slot);
  timer.previous_ = nullptr;
  timer.next_ = head;
  if (head != nullptr) head->previous_ = &timer;
  head = &timer;
  occupied_[level] |= uint64_t{1} << slot;
  ++size_;
}

void TimerWheel::remove(Timer& timer) {
  const int level = timer.slot_ / kSlots;
  const int slot = timer.slot_ % kSlots;
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[level][slot] = timer.next_;
    if (timer.next_ == nullptr) occupied_[level] &= ~(uint64_t{1} << slot);
  }
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  timer.wheel_ = nullptr;
  --size_;
}

// Deals the slot of `level` that has come round out to the levels below.
void TimerWheel::cascade(int level) {
  const int slot = static_cast<int>((tick_ >> (level * kSlotBits)) & (kSlots - 1));
  Timer* timer = std::exchange(slots_[level][slot], nullptr);
  occupied_[level] &= ~(uint64_t{1} << slot);
  while (timer != nullptr) {
    Timer* next = timer->next_;
    --size_;
    insert(*timer);
    timer = next;
  }
}

void TimerWheel::advance(Nanos now) {
  const int64_t target = now / kTick;
  while (tick_ < target) {
    // Skips the ticks at which nothing happens.
    const int64_t next = size_ == 0 ? target : next_tick();
    if (size_ == 0 || next > target) {
      tick_ = target;
      return;
    }
    tick_ = next;
    for (int level = 1; level < kLevels && (tick_ & ((int64_t{1} << (level * kSlotBits)) - 1)) == 0;
         ++level) {
      cascade(level);
    }
    const int slot = static_cast<int>(tick_ & (kSlots - 1));
    while (Timer* timer = slots_[0][slot]) {
      remove(*timer);
      if (timer->due_tick_ > tick_) {
        insert(*timer);
      } else {
        timer->on_timer();
      }
    }
  }
}

// The next tick with something to fire or to cascade: the first slot ahead on the lowest level that
// has one, since all of a level lies within one slot of the level above.
int64_t TimerWheel::next_tick() const {
  for (int level = 0; level < kLevels; ++level) {
    const int shift = level * kSlotBits;
    const int here = static_cast<int>((tick_ >> shift) & (kSlots - 1));
    const uint64_t ahead = here == kSlots - 1 ? 0 : occupied_[level] >> (here + 1) << (here + 1);
    if (ahead == 0) continue;
    const int64_t turn_start = tick_ >> (shift + kSlotBits) << (shift + kSlotBits);
    return turn_start + (int64_t{std::countr_zero(ahead)} << shift);
  }
  // Only slots of the top level remain that come round on its next turn.
  constexpr int kTurn = kLevels * kSlotBits;
  return ((tick_ >> kTurn) + 1) << kTurn;
}

Deadline TimerWheel::next_due() const {
  return size_ == 0 ? Deadline::never() : Deadline::at(next_tick() * kTick);
}

}  // namespace sluice::net
