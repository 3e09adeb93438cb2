#include "providers/lab_openrouter_models.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <vector>

#include "base/text_out.h"
#include "providers/lab_encoder.h"

namespace sluice::providers {
namespace {

constexpr size_t kUsualLimit = 500;

constexpr std::array<std::string_view, 6> kChatModels = {"openai/gpt-5-mini",
                                                         "openai/gpt-5",
                                                         "anthropic/claude-sonnet-4.5",
                                                         "google/gemini-2.5-flash",
                                                         "meta-llama/llama-3.3-70b-instruct",
                                                         "openrouter/auto"};
constexpr std::array<std::string_view, 1> kEmbeddingModels = {"openai/text-embedding-3-small"};
constexpr std::array<std::string_view, 6> kSuffixes = {"free",   "nitro",    "floor",
                                                       "exacto", "extended", "online"};

template <class List>
bool holds(const List& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

std::optional<LabModel> plain_model(std::string_view name) {
  if (holds(kChatModels, name))
    return *lab_model(name.starts_with("anthropic/") ? "claude" : "chat");
  if (holds(kEmbeddingModels, name)) return *lab_model("embed");
  // "chat" alone is no name of OpenRouter's.
  const LabModel* const own = name.starts_with("lab/") ? lab_model(name) : nullptr;
  return own != nullptr ? std::optional(*own) : std::nullopt;
}

std::vector<std::string> listed_names() {
  std::vector<std::string> names(kChatModels.begin(), kChatModels.end());
  for (const LabModel& model : lab_models()) {
    if (model.dimensions == 0) names.push_back(fmt::format("lab/{}", model.name));
  }
  names.emplace_back("meta-llama/llama-3.3-70b-instruct:free");
  return names;
}

// Of the query behind '?'; `otherwise` when it is not there or no number.
size_t query_number(std::string_view target, std::string_view name, size_t otherwise) {
  const size_t mark = target.find('?');
  std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!query.empty()) {
    const size_t end = query.find('&');
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (!pair.starts_with(name) || pair.size() <= name.size() || pair[name.size()] != '=') continue;
    pair.remove_prefix(name.size() + 1);
    size_t value = 0;
    const auto [last, error] = std::from_chars(pair.data(), pair.data() + pair.size(), value);
    if (error == std::errc() && last == pair.data() + pair.size()) return value;
  }
  return otherwise;
}

// Nano-dollars per token as a decimal string of dollars per token.
std::string dollars(int64_t nanos) {
  std::string out = "\"";
  append_decimal(out, nanos, 9);
  return out + '"';
}

std::string pricing(std::string_view name, const LabPrice& price) {
  // Which model will answer, and so its price, is not known before.
  if (name == "openrouter/auto") return R"({"prompt":"-1","completion":"-1"})";
  return fmt::format(R"({{"prompt":{},"completion":{},"request":"0","image":"0",)"
                     R"("input_cache_read":{},"input_cache_write":{},"input_cache_write_1h":{}}})",
                     dollars(price.input), dollars(price.output), dollars(price.cached_input),
                     dollars(price.cache_write), dollars(price.cache_write_1h));
}

void append_model(std::string& out, std::string_view name, int64_t price_factor) {
  const LabModel model = *lab_openrouter_model(name, chat::Endpoint::Chat);
  out += fmt::format(
      R"({{"id":"{0}","canonical_slug":"{0}","name":"{0}","created":{1},"description":)"
      R"("The lab: not a real model","context_length":{2},"architecture":{{"modality":)"
      R"("text->text","input_modalities":["text"],"output_modalities":["text"],"tokenizer":)"
      R"("Other","instruct_type":null}},"pricing":{3},"top_provider":{{"context_length":{2},)"
      R"("max_completion_tokens":null,"is_moderated":false}},"per_request_limits":null,)"
      R"("supported_parameters":["max_tokens","temperature","tools","tool_choice",)"
      R"("response_format","stop","seed"],"default_parameters":null,"supported_voices":null,)"
      R"("expiration_date":null}})",
      name, kLabCreated, model.context, pricing(name, model.price.times(price_factor)));
}

}  // namespace

std::optional<LabModel> lab_openrouter_model(std::string_view name, chat::Endpoint) {
  const size_t colon = name.rfind(':');
  const bool suffixed = colon != std::string_view::npos;
  if (suffixed && !holds(kSuffixes, name.substr(colon + 1))) return std::nullopt;
  std::optional<LabModel> model = plain_model(name.substr(0, colon));
  if (model && suffixed && name.ends_with(":free")) model->price = LabPrice();
  return model;
}

std::string lab_openrouter_models_body(std::string_view target, int64_t price_factor) {
  const std::vector<std::string> names = listed_names();
  const size_t begin = std::min(query_number(target, "offset", 0), names.size());
  const size_t limit = std::clamp<size_t>(query_number(target, "limit", kUsualLimit), 1, 1'000);
  const size_t end = std::min(begin + limit, names.size());
  std::string out = R"({"data":[)";
  for (size_t i = begin; i < end; ++i) {
    if (i > begin) out += ',';
    append_model(out, names[i], price_factor);
  }
  out += fmt::format(R"(],"total_count":{},"links":{{"next":)", names.size());
  if (end < names.size()) {
    out += fmt::format(R"("/api/v1/models?offset={}&limit={}")", end, limit);
  } else {
    out += "null";
  }
  return out + "}}\n";
}

}  // namespace sluice::providers
