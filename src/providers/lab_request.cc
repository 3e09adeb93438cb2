#include "providers/lab_request.h"

#include "providers/lab_face.h"
#include "providers/lab_fields.h"
#include "providers/lab_name.h"
#include "providers/lab_text.h"

namespace sluice::providers {

void LabRequest::add_part(std::string_view text, int64_t tokens, Keep keep) {
  hash = lab_hash(text, hash);
  Part part;
  part.hash = hash;
  part.tokens = tokens;
  part.keep = keep;
  parts.push_back(part);
  prompt_tokens += tokens;
}

std::optional<LabError> read_lab_request(simdjson::dom::parser& parser, std::string_view body,
                                         const LabFace& face, LabRequest& request) {
  std::optional<LabError> error;
  simdjson::dom::element root;
  // Copied, because the parser wants bytes behind the end that it may read.
  const simdjson::padded_string text(body);
  const auto parse_error = parser.parse(text).get(root);
  if (parse_error != simdjson::SUCCESS) {
    return face.wording->no_json(simdjson::error_message(parse_error));
  }
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return face.wording->no_object(root);
  LabFields fields(object, "", error, *face.wording);
  std::string_view model;
  if (object["model"].get(model) == simdjson::SUCCESS) request.model = model;
  if (face.route != nullptr) face.route(fields, request);
  if (!request.model.empty() || fields.required_text("model")) {
    const LabNamed named = read_lab_name(face, request.endpoint, request.model);
    request.traits = named.model ? *named.model : *lab_model(face.usual_model);
    request.hash = lab_hash(request.model, request.hash);
  }
  face.read(fields, request);
  return error;
}

}  // namespace sluice::providers
