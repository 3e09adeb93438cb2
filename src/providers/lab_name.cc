#include "providers/lab_name.h"

namespace sluice::providers {
namespace {

std::optional<LabModel> model_of(const LabFace& face, chat::Endpoint endpoint,
                                 std::string_view name) {
  if (face.find_model != nullptr) return face.find_model(name, endpoint);
  const LabModel* const found = lab_model(name);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

}  // namespace

LabNamed read_lab_name(const LabFace& face, chat::Endpoint endpoint, std::string_view name,
                       const LabPlan& before) {
  LabNamed named;
  named.plan = before;
  if (lab_short_name(name).empty()) named.stranger = "(empty)";
  for (bool first = true; !name.empty(); first = false) {
    const size_t end = name.find('+');
    const std::string_view part = name.substr(0, end);
    name.remove_prefix(end == std::string_view::npos ? name.size() : end + 1);
    if (const std::optional<LabModel> found = model_of(face, endpoint, part)) {
      named.model = found;
    } else if (!apply_lab_fault(first ? lab_short_name(part) : part, named.plan) &&
               named.stranger.empty()) {
      named.stranger = part;
    }
  }
  return named;
}

}  // namespace sluice::providers
