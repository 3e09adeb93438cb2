// The parts of a chat request with an inner life: messages, tools, response format.
#pragma once

namespace sluice::providers {

class LabFields;
struct LabRequest;

void read_lab_messages(LabFields& fields, LabRequest& request);
void read_lab_tools(LabFields& fields, LabRequest& request);
// Requires: the messages have been read.
void read_lab_format(LabFields& fields, LabRequest& request);

}  // namespace sluice::providers
