// For the lab's tests: a request read and answered without a connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "providers/lab_chat.h"
#include "providers/lab_request.h"

namespace sluice::providers {

struct LabTestRequest {
  explicit LabTestRequest(std::string_view body, chat::Endpoint endpoint = chat::Endpoint::Chat,
                          std::string_view faults = "") {
    request.endpoint = endpoint;
    error = read_lab_request(
        parser, body, [](std::string_view name) { return name == "reasoning"; }, request);
    const LabModel* named = lab_model(request.model);
    if (named != nullptr) model = named;
    apply_lab_faults(faults, ',', plan);
  }

  LabCompletion complete(uint64_t seed = 0, int64_t cached = 0) const {
    return complete_lab_request(request, *model, plan, seed, cached);
  }

  // All events of the stream, and the kinds of its steps.
  std::string stream() {
    LabCompletion completion = complete();
    const std::vector<LabStep> steps = lab_steps(request, completion, plan);
    LabEncoder encoder(request, std::move(completion), plan, model->price);
    std::string out;
    for (const LabStep& step : steps) {
      kinds.push_back(step.kind);
      if (step.is_event()) encoder.append_event(out, step);
    }
    return out;
  }
  std::string buffered() const {
    return LabEncoder(request, complete(), plan, model->price).buffered();
  }

  simdjson::dom::parser parser;
  LabRequest request;
  LabPlan plan;
  const LabModel* model = lab_model("chat");
  std::optional<LabError> error;
  std::vector<LabStep::Kind> kinds;
};

}  // namespace sluice::providers
