// Bodies of OpenAI's Responses API: POST /responses and /responses/input_tokens.
#pragma once

#include <string_view>

namespace sluice::providers {

class LabFields;
struct LabRequest;

void read_lab_responses(LabFields& fields, LabRequest& request);
// `input`: a string or items, into request.
void read_lab_items(LabFields& fields, LabRequest& request);

}  // namespace sluice::providers
