// The content of an Anthropic message: blocks, each with the rules of its type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/lab_fields.h"
#include "providers/lab_request.h"

namespace sluice::providers {

// One turn: messages of one role that follow each other are one.
struct LabTurn {
  std::string role;
  size_t message = 0;  // its first
  std::string text;
  std::vector<std::string> uses;     // ids of its tool_use blocks
  std::vector<std::string> results;  // ids its tool_result blocks answer
  bool other_before_result = false;
  std::string first_block;    // its type
  bool blank_at_end = false;  // of its last text
};

// Reads `content` of a message, or of a tool result, into `turn`.
void read_lab_anthropic_content(LabFields& message, LabRequest& request, LabTurn& turn);
// The value of cache_control, if there is one; counts it and refuses a fifth.
LabRequest::Keep read_lab_cache_control(LabFields& fields, LabRequest& request);

}  // namespace sluice::providers
