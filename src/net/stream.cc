#include "net/stream.h"

#include <algorithm>
#include <utility>

namespace sluice::net {

void Readiness::notify(uint8_t what) {
  set_ready(what);
  if (waiter_ == nullptr && hook_ != nullptr) std::exchange(hook_, nullptr)->on_ready();
  if (waiter_ == nullptr || (waiter_->interest() & what) == 0) return;
  IoWait* waiter = waiter_;
  if (waiter->step()) {
    waiter_ = nullptr;
    waiter->wake(Wake::Ready);
  }
}

void Readiness::notify_hang_up() {
  hung_up_ = true;
  if (on_hang_up_ != nullptr) std::exchange(on_hang_up_, nullptr)->cancel(Outcome::ClientClosed);
}

void Readiness::cancel_on_hang_up(Cancel* cancel) {
  on_hang_up_ = cancel;
  if (cancel != nullptr && hung_up_) notify_hang_up();
}

bool IoWait::give_up() {
  result_.status = IoStatus::Cancelled;
  return true;
}

IoResult IoWait::finish() {
  detach();
  if (why() == Wake::Timeout) result_.status = IoStatus::Timeout;
  if (why() == Wake::Cancelled) result_.status = IoStatus::Cancelled;
  return result_;
}

bool ReadSome::step() {
  result_ = stream_.try_read(into_);
  return result_.status != IoStatus::Again;
}

WriteAll::WriteAll(Stream& stream, std::span<const iovec> from, Until until, Nanos stall)
    : IoWait(stream, until),
      count_(static_cast<uint8_t>(std::min(from.size(), kMaxParts))),
      stall_(stall) {
  std::copy_n(from.begin(), count_, parts_.begin());
}

bool WriteAll::step() {
  const size_t before = written_;
  for (;;) {
    while (first_ < count_ && parts_[first_].iov_len == 0) ++first_;
    if (first_ == count_) {
      result_ = IoResult{.status = IoStatus::Ok, .error = 0, .bytes = written_};
      return true;
    }
    IoResult tried = stream_.try_write({&parts_[first_], static_cast<size_t>(count_ - first_)});
    if (!tried.ok()) {
      const bool over = tried.status != IoStatus::Again;
      if (!over && stall_ > 0 && written_ > before) extend(loop().after(stall_));
      result_ = IoResult{.status = tried.status, .error = tried.error, .bytes = written_};
      return over;
    }
    written_ += tried.bytes;
    for (size_t left = tried.bytes; left > 0;) {
      iovec& part = parts_[first_];
      const size_t taken = std::min(left, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      left -= taken;
      if (part.iov_len == 0) ++first_;
    }
  }
}

}  // namespace sluice::net
