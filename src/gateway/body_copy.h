// Copies of the bodies of one exchange, whose key keeps them: of the request as the client sent it,
// and of the answer as it is sent, each up to the store's limit.
#pragma once

#include <string_view>

#include "net/server.h"
#include "telemetry/body_store.h"
#include "telemetry/record.h"

namespace sluice::gateway {

class BodyCopy final : public net::ReplyTap {
 public:
  explicit BodyCopy(telemetry::BodyStore& store) : store_(store) {}
  ~BodyCopy() override { store_.let_go(held_); }
  BodyCopy(const BodyCopy&) = delete;
  BodyCopy& operator=(const BodyCopy&) = delete;

  void asked(std::string_view body) { add(kept_.request, body); }
  void sent(std::string_view piece) override { add(kept_.answer, piece); }
  // The end of the exchange.
  void hand_over(const telemetry::Record& record) { store_.keep(record, kept_); }

 private:
  void add(telemetry::KeptBody& body, std::string_view piece);

  telemetry::BodyStore& store_;
  telemetry::KeptBodies kept_;
  size_t held_ = 0;
};

}  // namespace sluice::gateway
