// The list of steps of a stream: first the good one, then the edits that the plan asks for.
#include "providers/lab_step.h"

#include <algorithm>

#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using Kind = LabStep::Kind;

LabStep step_of(Kind kind, size_t choice = 0) {
  LabStep step;
  step.kind = kind;
  step.choice = static_cast<uint16_t>(choice);
  return step;
}

// One step for each token of `text`.
void add_tokens(std::vector<LabStep>& steps, std::string_view text, LabStep step) {
  for (size_t at = 0; at < text.size();) {
    step.begin = static_cast<uint32_t>(at);
    step.length = static_cast<uint32_t>(lab_token_length(text.substr(at)));
    step.tokens = 1;
    at += step.length;
    steps.push_back(step);
  }
}

void add_call(std::vector<LabStep>& steps, const LabCall& call, LabStep step, const LabPlan& plan) {
  step.part = LabStep::Part::Call;
  step.kind = Kind::CallHead;
  step.tokens = static_cast<uint16_t>(lab_count_tokens(call.name));
  steps.push_back(step);
  step.kind = Kind::CallArguments;
  const std::string_view arguments = call.arguments;
  for (size_t at = 0; at < arguments.size();) {
    const size_t token = lab_token_length(arguments.substr(at));
    step.begin = static_cast<uint32_t>(at);
    step.length = static_cast<uint32_t>(plan.tool_single_bytes ? 1 : token);
    step.tokens = plan.tool_single_bytes && token > 1 ? 0 : 1;
    at += step.length;
    step.last_of_call = at >= arguments.size();
    steps.push_back(step);
  }
  if (arguments.empty()) steps.back().last_of_call = true;
}

// The steps with content, the choices interleaved as the real provider interleaves them.
std::vector<LabStep> interleaved_steps(const LabRequest& request, const LabCompletion& completion,
                                       const LabPlan& plan) {
  std::vector<std::vector<LabStep>> lanes;
  for (size_t i = 0; i < completion.choices.size(); ++i) {
    const LabChoice& choice = completion.choices[i];
    std::vector<LabStep> lane;
    if (request.endpoint == chat::Endpoint::Chat) lane.push_back(step_of(Kind::Opening, i));
    add_tokens(lane, choice.text, step_of(Kind::Text, i));
    for (size_t call = 0; call < choice.calls.size(); ++call) {
      LabStep step = step_of(Kind::CallHead, i);
      step.call = static_cast<uint16_t>(call);
      add_call(lane, choice.calls[call], step, plan);
    }
    lanes.push_back(std::move(lane));
  }
  std::vector<LabStep> steps;
  for (size_t at = 0; true; ++at) {
    bool any = false;
    for (const std::vector<LabStep>& lane : lanes) {
      if (at >= lane.size()) continue;
      steps.push_back(lane[at]);
      any = true;
    }
    if (!any) return steps;
  }
}

// Dialects of blocks: one block after the other, each with a start and a stop.
std::vector<LabStep> block_steps(const LabCompletion& completion, const LabPlan& plan) {
  const LabChoice& choice = completion.choices[0];
  std::vector<LabStep> steps = {step_of(Kind::Opening)};
  LabStep step;
  const auto edge = [&](Kind kind) {
    step.kind = kind;
    step.tokens = 0;
    steps.push_back(step);
    if (kind == Kind::BlockStop) ++step.block;
  };
  if (choice.has_thinking) {
    step.part = LabStep::Part::Thinking;
    edge(Kind::BlockStart);
    step.kind = Kind::Thinking;
    add_tokens(steps, choice.thinking, step);
    if (completion.shown_reasoning == 0) {
      for (LabStep& one : steps) one.tokens = 0;
    }
    edge(Kind::BlockStop);
  }
  if (!choice.text.empty()) {
    step.part = LabStep::Part::Text;
    edge(Kind::BlockStart);
    step.kind = Kind::Text;
    add_tokens(steps, choice.text, step);
    edge(Kind::BlockStop);
  }
  for (size_t call = 0; call < choice.calls.size(); ++call) {
    step.part = LabStep::Part::Call;
    step.call = static_cast<uint16_t>(call);
    edge(Kind::BlockStart);
    add_call(steps, choice.calls[call], step, plan);
    edge(Kind::BlockStop);
  }
  return steps;
}

bool has_content(const LabStep& step) {
  return step.kind == Kind::Text || step.kind == Kind::Thinking || step.kind == Kind::CallHead ||
         step.kind == Kind::CallArguments;
}

// The step a break is made of, and whether the stream goes on behind it.
struct BreakStep {
  Kind kind;
  bool goes_on;
};
BreakStep break_step(LabPlan::Break broken) {
  switch (broken) {
    case LabPlan::Break::Close:
    case LabPlan::Break::None:
      return {Kind::Close, false};
    case LabPlan::Break::End:
      return {Kind::End, false};
    case LabPlan::Break::Reset:
      return {Kind::Reset, false};
    case LabPlan::Break::Stall:
      return {Kind::Stall, false};
    case LabPlan::Break::Half:
      return {Kind::HalfText, false};
    case LabPlan::Break::Error:
      return {Kind::Error, false};
    case LabPlan::Break::ErrorEvent:
      return {Kind::ErrorEvent, false};
    case LabPlan::Break::OpenRouter:
      return {Kind::OpenRouterError, false};
    case LabPlan::Break::RateLimit:
      return {Kind::RateLimitError, false};
    case LabPlan::Break::Overloaded:
      return {Kind::OverloadedError, false};
    case LabPlan::Break::BadJson:
      return {Kind::BadJson, true};
    case LabPlan::Break::Oversized:
      return {Kind::Oversized, true};
  }
  return {Kind::Close, false};
}

// Breaks the content after so many tokens. False: the stream goes on behind it.
bool break_content(std::vector<LabStep>& steps, const LabPlan& plan) {
  if (plan.broken == LabPlan::Break::None) return false;
  int64_t tokens = 0;
  auto at = std::ranges::find_if(steps, [&](const LabStep& step) {
    if (has_content(step) && tokens >= plan.break_after) return true;
    tokens += step.tokens;
    return false;
  });
  const BreakStep broken = break_step(plan.broken);
  if (broken.goes_on) {
    steps.insert(at, step_of(broken.kind));
    return false;
  }
  LabStep last = at == steps.end() ? step_of(Kind::Text) : *at;
  last.tokens = 0;
  last.kind = broken.kind;
  steps.erase(at, steps.end());
  steps.push_back(last);
  if (broken.kind == Kind::HalfText) steps.push_back(step_of(Kind::Close));
  return true;
}

// What stands before the first token.
void add_lead(std::vector<LabStep>& steps, const LabRequest& request, const LabPlan& plan) {
  std::vector<LabStep> lead;
  if (plan.pings_first) lead.assign(3, step_of(Kind::Comment));
  if (plan.choices != LabPlan::Choices::Normal && !request.has_blocks()) {
    lead.push_back(step_of(Kind::Bare));
  }
  if (plan.usage == LabPlan::UsageForm::First && request.include_usage && !request.has_blocks()) {
    lead.push_back(step_of(Kind::PromptUsage));
  }
  steps.insert(steps.begin(), lead.begin(), lead.end());
  const auto first = std::ranges::find_if(steps, has_content);
  LabStep empty = first == steps.end() ? step_of(Kind::EmptyDelta) : *first;
  empty.kind = Kind::EmptyDelta;
  empty.tokens = 0;
  empty.length = 0;
  steps.insert(first, static_cast<size_t>(std::clamp<int64_t>(plan.empty_deltas, 0, 10'000)),
               empty);
}

void add_usage(std::vector<LabStep>& steps, const LabRequest& request, const LabPlan& plan) {
  using Form = LabPlan::UsageForm;
  const bool wanted = request.include_usage || plan.usage == Form::Always;
  if (!wanted || plan.usage == Form::Absent || plan.usage == Form::AfterDone) return;
  if (plan.usage == Form::OnContent || plan.usage == Form::Cumulative) return;
  // Dialects of blocks have it on the finish.
  if (!request.has_blocks()) steps.push_back(step_of(Kind::Usage));
  if (plan.usage == Form::Twice) steps.push_back(step_of(Kind::Usage));
}

// Finish, usage and [DONE], and what may be wrong with them.
void add_end(std::vector<LabStep>& steps, const LabRequest& request,
             const LabCompletion& completion, const LabPlan& plan) {
  const LabStep more = step_of(Kind::EmptyDelta);
  LabStep again = step_of(Kind::Text);
  again.length = static_cast<uint32_t>(lab_token_length(completion.choices[0].text));
  if (plan.choices != LabPlan::Choices::Normal && !request.has_blocks()) {
    steps.push_back(step_of(Kind::Bare));
  }
  for (size_t i = 0; i < completion.choices.size() && !plan.no_finish; ++i) {
    steps.insert(steps.end(), plan.two_finishes ? 2 : 1, step_of(Kind::Finish, i));
  }
  if (plan.content_after_finish) steps.push_back(again);
  add_usage(steps, request, plan);
  if (!plan.no_done) steps.insert(steps.end(), plan.two_dones ? 2 : 1, step_of(Kind::Done));
  if (plan.usage == LabPlan::UsageForm::AfterDone && request.include_usage) {
    steps.push_back(step_of(Kind::Usage));
  }
  if (plan.data_after_done) {
    steps.push_back(again);
    steps.push_back(more);
  }
}

void put_usage_on_content(std::vector<LabStep>& steps, const LabRequest& request,
                          const LabPlan& plan) {
  if (!request.include_usage) return;
  if (plan.usage == LabPlan::UsageForm::Cumulative) {
    for (LabStep& step : steps) step.with_usage = step.is_event();
  } else if (plan.usage == LabPlan::UsageForm::OnContent) {
    const auto last = std::find_if(steps.rbegin(), steps.rend(), has_content);
    if (last != steps.rend()) last->with_usage = true;
  }
}

}  // namespace

std::vector<LabStep> lab_steps(const LabRequest& request, const LabCompletion& completion,
                               const LabPlan& plan) {
  std::vector<LabStep> steps = request.has_blocks() ? block_steps(completion, plan)
                                                    : interleaved_steps(request, completion, plan);
  put_usage_on_content(steps, request, plan);
  const bool broken = break_content(steps, plan);
  add_lead(steps, request, plan);
  if (broken) return steps;
  if (plan.endless) {
    steps.push_back(step_of(Kind::Repeat));
  } else {
    add_end(steps, request, completion, plan);
  }
  return steps;
}

}  // namespace sluice::providers
