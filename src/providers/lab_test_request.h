// For the lab's tests: a request read and answered without a connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "providers/lab_openai_face.h"
#include "providers/lab_request.h"

namespace sluice::providers {

struct LabTestRequest {
  explicit LabTestRequest(std::string_view body, chat::Endpoint endpoint = chat::Endpoint::Chat,
                          std::string_view faults = "", const LabFace& face = kLabOpenAiFace,
                          std::string_view api_version = "2023-06-01")
      : face(&face) {
    request.endpoint = endpoint;
    request.api_version = api_version;
    error = read_lab_request(parser, body, face, request);
    const LabModel* named = lab_model(request.model);
    if (named != nullptr) model = named;
    apply_lab_faults(faults, ',', plan);
  }

  LabCompletion complete(uint64_t seed = 0, const LabCacheUse& cache = {}) const {
    return complete_lab_request(request, *model, plan, seed, cache);
  }

  // All events of the stream, and the kinds of its steps.
  std::string stream() {
    LabCompletion completion = complete();
    const std::vector<LabStep> steps = lab_steps(request, completion, plan);
    const auto encoder = face->encoder(request, std::move(completion), plan, model->price);
    std::string out;
    for (const LabStep& step : steps) {
      kinds.push_back(step.kind);
      if (step.is_event()) encoder->append_event(out, step);
    }
    return out;
  }
  std::string buffered() const {
    return face->encoder(request, complete(), plan, model->price)->buffered();
  }

  const LabFace* face;
  simdjson::dom::parser parser;
  LabRequest request;
  LabPlan plan;
  const LabModel* model = lab_model("chat");
  std::optional<LabError> error;
  std::vector<LabStep::Kind> kinds;
};

// The names of the events of a stream, in order; of several deltas in a row only the first.
inline std::string lab_event_names(std::string_view stream) {
  constexpr std::string_view kEvent = "event: ";
  std::string names;
  std::string_view last;
  for (size_t at = stream.find(kEvent); at != std::string_view::npos;
       at = stream.find(kEvent, at + 1)) {
    const size_t begin = at + kEvent.size();
    const std::string_view name = stream.substr(begin, stream.find('\n', begin) - begin);
    if (name == last) continue;
    names += (names.empty() ? "" : " ") + std::string(name);
    last = name;
  }
  return names;
}

}  // namespace sluice::providers
