// Bodies of the OpenAI dialect, read field by field with the real provider's checks.
#pragma once

namespace sluice::providers {

class LabFields;
struct LabRequest;

void read_lab_chat(LabFields& fields, LabRequest& request);
void read_lab_completion(LabFields& fields, LabRequest& request);
void read_lab_embedding(LabFields& fields, LabRequest& request);
// `metadata`: at most 16 texts.
void read_lab_metadata(LabFields& fields);

}  // namespace sluice::providers
