// The conversation of an Anthropic request: who speaks when, and which calls are answered.
#pragma once

namespace sluice::providers {

class LabFields;
struct LabRequest;

void read_lab_anthropic_system(LabFields& fields, LabRequest& request);
// Requires: thinking has been read.
void read_lab_anthropic_messages(LabFields& fields, LabRequest& request);

}  // namespace sluice::providers
