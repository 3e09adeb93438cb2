#include "providers/lab_completion.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_schema.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

constexpr int64_t kLongestReply = 100'000;
constexpr int64_t kSummaryTokens = 12;

// "get_weather" is mentioned by "get_weather" and by "get weather".
bool mentions(std::string_view text, std::string_view name) {
  if (text.find(name) != std::string_view::npos) return true;
  std::string spaced(name);
  std::ranges::replace(spaced, '_', ' ');
  return text.find(spaced) != std::string_view::npos;
}

class Composer {
 public:
  Composer(const LabRequest& request, const LabModel& model, const LabPlan& plan, uint64_t seed)
      : request_(request), model_(model), plan_(plan), random_(request.hash ^ seed) {}

  LabCompletion compose(const LabCacheUse& cache) {
    LabCompletion completion;
    completion.id = fmt::format("{}lab{:016x}", id_prefix(), random_.next());
    const size_t prompts =
        request_.endpoint == chat::Endpoint::Completions ? request_.parts.size() : 1;
    for (size_t i = 0; i < prompts * static_cast<size_t>(request_.choices); ++i) {
      int64_t left = request_.max_tokens.value_or(kLongestReply);
      const int64_t thought = std::min(left, thinking_tokens());
      left -= thought;
      LabChoice choice = compose_choice(left);
      if (request_.has_blocks() && thought > 0) add_thoughts(thought, choice, completion);
      completion.usage.reasoning += thought;
      completion.usage.completion += thought + spoken_;
      completion.choices.push_back(std::move(choice));
    }
    completion.usage.prompt = request_.prompt_tokens;
    completion.usage.cached = std::min(plan_.cached.value_or(cache.read), request_.prompt_tokens);
    if (!plan_.cached) {
      completion.usage.cache_write = cache.write;
      completion.usage.cache_write_1h = cache.write_1h;
    }
    return completion;
  }

 private:
  std::string_view id_prefix() const {
    switch (request_.endpoint) {
      case chat::Endpoint::Chat:
        return "chatcmpl-";
      case chat::Endpoint::Messages:
        return "msg_";
      case chat::Endpoint::Responses:
        return "resp_";
      default:
        return "cmpl-";
    }
  }

  int64_t thinking_tokens() const {
    if (request_.endpoint != chat::Endpoint::Messages) {
      return plan_.reasoning.value_or(model_.reasoning);
    }
    if (request_.thinking == LabRequest::Thinking::Off) return 0;
    const int64_t usual = std::max(model_.thinks, model_.reasoning);
    return std::min(plan_.reasoning.value_or(usual), request_.thinking_budget.value_or(usual));
  }

  // Anthropic shows the thoughts themselves, token by token; OpenAI shows a summary of them, which
  // costs nothing.
  void add_thoughts(int64_t thought, LabChoice& choice, LabCompletion& completion) {
    choice.has_thinking = true;
    if (request_.thinking != LabRequest::Thinking::Shown || plan_.redacted_thinking) return;
    const bool whole = request_.endpoint == chat::Endpoint::Messages;
    choice.thinking = lab_prose(random_, whole ? thought : kSummaryTokens);
    if (whole) completion.shown_reasoning += thought;
  }

  // A choice of at most `left` tokens; spoken_ says of how many.
  LabChoice compose_choice(int64_t left) {
    LabChoice choice;
    spoken_ = 0;
    if (plan_.refusal) {
      choice.finish_reason = "content_filter";
      return choice;
    }
    choice.calls = compose_calls();
    if (!choice.calls.empty()) {
      choice.finish_reason = "tool_calls";
      for (LabCall& call : choice.calls) cut_call(call, left, choice);
      return choice;
    }
    choice.text = compose_text();
    const size_t whole = choice.text.size();
    choice.text.resize(lab_first_tokens(choice.text, left).size());
    const bool stopped = cut_at_stop(choice);
    if (choice.text.size() < whole && !stopped) choice.finish_reason = "length";
    spoken_ = lab_count_tokens(choice.text);
    if (request_.echo) choice.text.insert(0, request_.last_user_text);
    return choice;
  }

  void cut_call(LabCall& call, int64_t left, LabChoice& choice) {
    const size_t whole = call.arguments.size();
    spoken_ += lab_count_tokens(call.name);
    const int64_t room = std::max<int64_t>(0, left - spoken_);
    call.arguments.resize(lab_first_tokens(call.arguments, room).size());
    if (call.arguments.size() < whole) choice.finish_reason = "length";
    spoken_ += lab_count_tokens(call.arguments);
  }

  bool cut_at_stop(LabChoice& choice) const {
    size_t cut = std::string::npos;
    for (const std::string& stop : request_.stops) {
      const size_t found = stop.empty() ? std::string::npos : choice.text.find(stop);
      if (found >= cut) continue;
      cut = found;
      choice.stopped_by = stop;
    }
    if (cut == std::string::npos) return false;
    choice.text.resize(cut);
    return true;
  }

  std::string compose_text() {
    if (request_.format == LabRequest::Format::JsonSchema) {
      return lab_example(request_.schema, random_);
    }
    const int64_t usual =
        model_.tokens > 0 ? model_.tokens : 24 + static_cast<int64_t>(random_.below(40));
    const int64_t tokens = std::min(plan_.tokens.value_or(usual), kLongestReply);
    if (request_.format == LabRequest::Format::JsonObject) {
      std::string json = R"({"answer":)";
      append_json(json, lab_prose(random_, tokens));
      return json + "}";
    }
    if (model_.repeats && !plan_.tokens) return request_.last_user_text;
    return lab_prose(random_, tokens);
  }

  bool may_call(const LabTool& tool) const {
    return request_.tool_names.empty() ||
           std::ranges::find(request_.tool_names, tool.name) != request_.tool_names.end();
  }

  std::vector<const LabTool*> tools_to_call() const {
    std::vector<const LabTool*> chosen;
    if (request_.tool_choice == LabRequest::ToolChoice::None) return chosen;
    const bool required = request_.tool_choice == LabRequest::ToolChoice::Required;
    const bool all = plan_.tool_calls > 0 || (model_.always_calls && !request_.last_is_tool_result);
    for (const LabTool& tool : request_.tools) {
      const bool mentioned =
          !request_.last_is_tool_result && mentions(request_.last_user_text, tool.name);
      if (may_call(tool) && (all || mentioned)) chosen.push_back(&tool);
    }
    if (chosen.empty() && required) {
      const auto first = std::ranges::find_if(
          request_.tools, [this](const LabTool& tool) { return may_call(tool); });
      if (first != request_.tools.end()) chosen.push_back(&*first);
    }
    if (!chosen.empty() && (!request_.parallel_tools)) chosen.resize(1);
    return chosen;
  }

  std::vector<LabCall> compose_calls() {
    const std::vector<const LabTool*> tools = tools_to_call();
    std::vector<LabCall> calls;
    if (tools.empty()) return calls;
    const auto wanted = static_cast<size_t>(std::clamp<int64_t>(plan_.tool_calls, 0, 64));
    const size_t count = request_.parallel_tools ? std::max(tools.size(), wanted) : 1;
    for (size_t i = 0; i < count; ++i) calls.push_back(compose_call(*tools[i % tools.size()]));
    return calls;
  }

  LabCall compose_call(const LabTool& tool) {
    LabCall call;
    const bool anthropic = request_.endpoint == chat::Endpoint::Messages;
    call.id = fmt::format("{}_lab{:016x}", anthropic ? "toolu" : "call", random_.next());
    call.name = tool.name;
    call.custom = tool.custom;
    if (tool.custom) {
      call.arguments = lab_prose(random_, 6);
    } else {
      call.arguments = tool.has_parameters ? lab_example(tool.parameters, random_) : "{}";
    }
    if (plan_.tool_bad_json) call.arguments = R"({"broken": tru)";
    return call;
  }

  const LabRequest& request_;
  const LabModel& model_;
  const LabPlan& plan_;
  LabRandom random_;
  int64_t spoken_ = 0;
};

}  // namespace

int64_t lab_cost(const LabUsage& usage, const LabPrice& price) {
  const int64_t plain = usage.prompt - usage.cached - usage.cache_write - usage.cache_write_1h;
  return plain * price.input + usage.cached * price.cached_input +
         usage.cache_write * price.cache_write + usage.cache_write_1h * price.cache_write_1h +
         usage.completion * price.output;
}

LabCompletion complete_lab_request(const LabRequest& request, const LabModel& model,
                                   const LabPlan& plan, uint64_t seed, const LabCacheUse& cache) {
  return Composer(request, model, plan, seed).compose(cache);
}

}  // namespace sluice::providers
