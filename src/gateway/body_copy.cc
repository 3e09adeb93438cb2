#include "gateway/body_copy.h"

#include <string>

namespace sluice::gateway {

void BodyCopy::add(telemetry::KeptBody& body, std::string_view piece) {
  body.size += piece.size();
  if (kept_.dropped) return;
  const std::string_view kept = piece.substr(0, store_.limit() - body.bytes.size());
  if (kept.empty()) return;
  if (store_.hold(kept.size())) {
    held_ += kept.size();
    body.bytes += kept;
    return;
  }
  // Half an exchange would be taken for a whole one; and others need the room.
  kept_.dropped = true;
  std::string().swap(kept_.request.bytes);
  std::string().swap(kept_.answer.bytes);
  store_.let_go(held_);
  held_ = 0;
}

}  // namespace sluice::gateway
