// One request to an endpoint of the lab, from its head to the end of its reply, and its entry in
// the meter on every way out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string>
#include <vector>

#include "net/server.h"
#include "providers/lab_face.h"
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
            uint64_t seed, const LabFace& face, chat::Endpoint endpoint);
  ~LabAnswer();
  LabAnswer(const LabAnswer&) = delete;
  LabAnswer& operator=(const LabAnswer&) = delete;

  Task<void> run();

 private:
  // Decides everything while the body is there. An error: what to answer instead.
  std::optional<LabError> read(std::string_view body);
  std::optional<LabError> read_header_knobs();
  std::optional<LabError> choose_model();
  std::optional<LabError> find_model();
  std::optional<LabError> check_fit() const;
  void settle_failures();
  void count();
  void prepare();

  Task<void> send_error(LabError error, bool as_200 = false);
  Task<void> open_wrongly();
  // The gateway in front waits for no longer than it was told to.
  bool outlasts_patience() const;
  Task<void> lose_patience();
  Task<void> send_buffered();
  Task<void> send_broken(LabSink& sink);
  Task<void> send_stream();
  Task<bool> wait_for_token(const LabStep& step);
  Task<bool> pause(int64_t ms);
  // False: the stream is over.
  Task<bool> act(LabSink& sink, LabStep::Kind kind);
  // Of a reply of which nothing is sent yet.
  LabUsage prompt_usage() const;
  void delivered(const LabStep& step);
  void cut();
  // Milliseconds before the first byte of a good reply.
  int64_t reply_wait() const;
  // ... that saying it all takes.
  int64_t answer_time() const;
  void keep_response();

  std::string headers(bool failed = false) const;
  std::string retry_headers() const;

  net::ServerExchange& exchange_;
  LabState& state_;
  simdjson::dom::parser& parser_;
  const uint64_t seed_;
  const LabFace& face_;
  const Nanos began_at_;
  const uint64_t number_;
  const std::string request_id_;
  std::string caller_id_;

  LabPlan plan_;
  LabRequest request_;
  std::optional<LabModel> model_;
  std::string model_name_ = "unknown";
  std::string key_;  // for fail-first-N
  LabEnd end_ = LabEnd::Cancelled;
  LabMeter::Delivered delivered_;

  std::unique_ptr<LabEncoder> encoder_;
  std::vector<LabStep> steps_;
  std::string body_;     // of a buffered reply
  int64_t thought_ = 0;  // tokens of thoughts sent
  bool counted_ = false;
  bool spoke_ = false;
};

}  // namespace sluice::providers
