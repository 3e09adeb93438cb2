// What Snowflake's own endpoints ask for, and what its compatible ones refuse beyond what their
// dialect does.
//
//   inference:complete  {"model","messages":[{"role","content" or "content_list"}],"stream":true,
//                        "temperature","top_p","max_tokens","tools":[{"tool_spec":{...}}],
//                        "tool_choice","response_format":{"type":"json","schema"},"guardrails"}
//   inference:embed     {"model","text":["a","b"]}
#pragma once

#include <string_view>

#include "providers/lab_fields.h"
#include "providers/lab_request.h"

namespace sluice::providers {

// These fill `request` with everything but the model, which the caller has read.
void read_lab_snowflake_complete(LabFields& fields, LabRequest& request);
void read_lab_snowflake_embed(LabFields& fields, LabRequest& request);

// For v1/chat/completions, before or behind the checks of its dialect: the output is bounded by
// `max_completion_tokens`, at most 131072, and by nothing else.
void check_lab_snowflake_chat(LabFields& fields);

}  // namespace sluice::providers
