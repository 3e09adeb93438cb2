// What the lab answers to a request, before it is put in any form: text, tool calls, usage. Decided
// by the seed, the request and the plan alone: the same three give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "providers/lab_faults.h"
#include "providers/lab_models.h"
#include "providers/lab_prompt_cache.h"
#include "providers/lab_request.h"

namespace sluice::providers {

struct LabUsage {
  int64_t prompt = 0;
  int64_t cached = 0;          // of prompt
  int64_t cache_write = 0;     // of prompt, written for five minutes
  int64_t cache_write_1h = 0;  // of prompt, written for an hour
  int64_t completion = 0;
  int64_t reasoning = 0;  // of completion
};

// Nano-dollars.
int64_t lab_cost(const LabUsage& usage, const LabPrice& price);

struct LabCall {
  std::string id;
  std::string name;
  std::string arguments;  // for a custom tool: its input
  bool custom = false;
};

struct LabChoice {
  // In dialects of blocks; else thoughts are counted and never shown.
  bool has_thinking = false;
  std::string thinking;  // what is shown of them; may be empty
  std::string text;
  std::vector<LabCall> calls;
  std::string_view finish_reason = "stop";  // in OpenAI's words
  std::string stopped_by;                   // the stop sequence that was met, if one was
};

struct LabCompletion {
  std::string id;
  std::vector<LabChoice> choices;
  LabUsage usage;
  int64_t shown_reasoning = 0;  // of usage.reasoning, streamed as thoughts
};

// `cache`: what the prompt cache says of the prompt.
LabCompletion complete_lab_request(const LabRequest& request, const LabModel& model,
                                   const LabPlan& plan, uint64_t seed, const LabCacheUse& cache);

}  // namespace sluice::providers
