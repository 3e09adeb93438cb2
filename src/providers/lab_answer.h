// One request to an endpoint of the lab, from its head to the end of its reply, and its entry in
// the meter on every way out.
#pragma once

#include <cstdint>
#include <simdjson.h>
#include <string>
#include <vector>

#include "net/server.h"
#include "providers/lab_chat.h"
#include "providers/lab_faults.h"
#include "providers/lab_meter.h"
#include "providers/lab_request.h"
#include "providers/lab_sink.h"

namespace sluice::providers {

struct LabState;

class LabAnswer {
 public:
  // Everything must outlive the answer.
  LabAnswer(net::ServerExchange& exchange, LabState& state, simdjson::dom::parser& parser,
            uint64_t seed, chat::Endpoint endpoint);
  ~LabAnswer();
  LabAnswer(const LabAnswer&) = delete;
  LabAnswer& operator=(const LabAnswer&) = delete;

  Task<void> run();

 private:
  // Decides everything while the body is there. An error: what to answer instead.
  std::optional<LabError> read(std::string_view body);
  std::optional<LabError> read_header_knobs();
  std::optional<LabError> find_model();
  std::optional<LabError> check_fit() const;
  void settle_failures();
  void count();
  void prepare();

  Task<void> send_error(LabError error);
  Task<void> open_wrongly();
  Task<void> send_buffered();
  Task<void> send_broken(LabSink& sink);
  Task<void> send_stream();
  Task<bool> wait_for_token(const LabStep& step);
  Task<bool> pause(int64_t ms);
  // False: the stream is over.
  Task<bool> act(LabSink& sink, LabStep::Kind kind);
  void delivered(const LabStep& step);
  void cut();

  std::string headers() const;
  std::string retry_headers() const;

  net::ServerExchange& exchange_;
  LabState& state_;
  simdjson::dom::parser& parser_;
  const uint64_t seed_;
  const Nanos began_at_;
  const std::string request_id_;

  LabPlan plan_;
  LabRequest request_;
  const LabModel* model_ = nullptr;
  std::string model_name_ = "unknown";
  std::string key_;  // for fail-first-N
  std::string credential_;
  LabEnd end_ = LabEnd::Cancelled;
  LabMeter::Delivered delivered_;

  std::optional<LabEncoder> encoder_;
  std::vector<LabStep> steps_;
  std::string body_;  // of a buffered reply
  bool counted_ = false;
  bool spoke_ = false;
};

}  // namespace sluice::providers
