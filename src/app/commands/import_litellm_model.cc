#include "app/commands/import_litellm_model.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "app/config_reader.h"

namespace sluice::app {
namespace {

constexpr std::string_view kReference = "os.environ/";
constexpr double kLast = 1e12;  // after those with an order
constexpr int64_t kDayMs = 24 * 3'600'000;

// Members of litellm_params that have a function of their own.
constexpr auto kHandled =
    std::to_array<std::string_view>({"model", "api_key", "api_base", "base_url", "api_version",
                                     "rpm", "tpm", "weight", "order", "timeout", "stream_timeout"});

// Whose a model without "vendor/" before it is.
std::string vendor_of_bare(const std::string& model) {
  return model.starts_with("claude") ? "anthropic" : "openai";
}

// "os.environ/NAME" as NAME; empty: something else.
std::string variable_in(const std::string& text) {
  if (!text.starts_with(kReference)) return "";
  const std::string name = text.substr(kReference.size());
  return check_word(Word::Name, name) || name.find_first_of(".-") != std::string::npos ? "" : name;
}

class ModelImport {
 public:
  ModelImport(const Node& params, std::string path, Draft& draft)
      : params_(params), path_(std::move(path)), draft_(draft) {}

  std::optional<LiteLlmModel> run(const std::string& name, const std::vector<std::string>& taken) {
    const std::string full = text_of_member(params_, "model");
    const size_t slash = full.find('/');
    const std::string vendor =
        slash == std::string::npos ? vendor_of_bare(full) : full.substr(0, slash);
    const std::string model = slash == std::string::npos ? full : full.substr(slash + 1);
    if (check_word(Word::Model, model) && model != "*") {
      draft_.note(Fate::Missing, below(path_, "model"), "not usable as the name of a model");
      return std::nullopt;
    }
    std::optional<std::string> provider = service(vendor, taken);
    if (!provider) return std::nullopt;
    look_over();
    if (model == "*") return open(name, vendor, *provider);
    draft_.note(Fate::Carried, below(path_, "model"), *provider + "/" + model);
    LiteLlmModel out{.name = name, .target = *provider + "/" + model};
    if (name == "*" || name.find('*') != std::string::npos || check_word(Word::Model, name)) {
      draft_.note(Fate::Missing, path_, "its model_name is no plain name");
      return std::nullopt;
    }
    shares(out);
    return out;
  }

 private:
  void look_over() {
    for (const Node::Key& key : params_.keys)
      if (std::find(kHandled.begin(), kHandled.end(), key.name) == kHandled.end())
        draft_.note(Fate::Missing, below(path_, key.name), "not known to this import");
  }

  // "openai/*", or "*": the provider takes any model.
  std::optional<LiteLlmModel> open(const std::string& name, const std::string& vendor,
                                   const std::string& provider) {
    if (name == "*") {
      draft_.default_provider = provider;
      draft_.note(Fate::Carried, below(path_, "model"), "default_provider");
      return std::nullopt;
    }
    const bool same = name == vendor + "/*" && provider == vendor;
    draft_.note(same ? Fate::Carried : Fate::Differs, below(path_, "model"),
                fmt::format("callers ask for it as {}/MODEL", provider));
    return std::nullopt;
  }

  std::optional<std::string> service(const std::string& vendor,
                                     const std::vector<std::string>& taken) {
    const Vendor* const known = vendor_named(vendor);
    DraftProvider provider;
    provider.name = check_word(Word::Name, vendor) ? "provider" : vendor;
    base(known, provider);
    if (known != nullptr) {
      provider.kind = known->kind;
      provider.preset = known->preset;
    } else if (!provider.base_url.empty()) {
      provider.kind = "openai";
      draft_.note(Fate::Differs, below(path_, "model"),
                  fmt::format("{} is spoken to as to any OpenAI-compatible server", vendor));
    } else {
      draft_.note(Fate::Missing, below(path_, "model"),
                  fmt::format("Sluice does not speak to {}", vendor));
      return std::nullopt;
    }
    key(known, provider);
    if (provider.preset == "azure" && provider.base_url.empty())
      provider.base_url = draft_.variable("AZURE_OPENAI_BASE_URL");
    return draft_.provider(std::move(provider), taken);
  }

  void base(const Vendor* known, DraftProvider& provider) {
    for (const auto* key : {"base_url", "api_base"}) {
      std::string text = text_of_member(params_, key);
      if (text.empty()) continue;
      const std::string path = below(path_, key);
      const std::string variable = variable_in(text);
      const bool azure = known != nullptr && known->preset == "azure";
      const bool versioned = text.find("/openai/v1") != std::string::npos;
      while (text.ends_with('/')) text.pop_back();
      if (azure && variable.empty() && !versioned) text += "/openai/v1";
      provider.base_url = variable.empty()
                              ? draft_.url(path, text, variable_name(provider.name, "_BASE_URL"))
                              : draft_.variable(variable);
      if (azure && !variable.empty())
        draft_.note(Fate::Differs, path, variable + " must end in /openai/v1");
      else
        draft_.note(Fate::Carried, path, "base_url");
    }
    if (member(params_, "api_version") != nullptr)
      draft_.note(Fate::Differs, below(path_, "api_version"),
                  "Azure's v1 API is used, which needs no version");
  }

  void key(const Vendor* known, DraftProvider& provider) {
    const std::string text = text_of_member(params_, "api_key");
    const std::string named = variable_in(text);
    const bool own_server = known == nullptr || known->key_env.empty();
    if (!named.empty())
      provider.key_variable = named;
    else if (!own_server)
      provider.key_variable = draft_.variable_for(std::string(known->key_env), text);
    else if (!text.empty())
      provider.key_variable = draft_.variable_for(variable_name(provider.name, "_API_KEY"), text);
    if (member(params_, "api_key") != nullptr)
      draft_.note(Fate::Carried, below(path_, "api_key"),
                  "read from the variable " + provider.key_variable);
  }

  // What decides among deployments of one name. Limits only do so: they limit nothing.
  void shares(LiteLlmModel& model) {
    model.order = static_cast<int64_t>(number_in(member(params_, "order"), kLast));
    if (member(params_, "order") != nullptr)
      draft_.note(Fate::Carried, below(path_, "order"), "the order of a fallback");
    for (const auto* key : {"weight", "rpm", "tpm"}) {
      const Node* const given = member(params_, key);
      if (given == nullptr) continue;
      const bool is_weight = std::string_view(key) == "weight";
      if (model.weight <= 0) model.weight = std::max(0.0, number_in(given, 0));
      draft_.note(is_weight ? Fate::Carried : Fate::Differs, below(path_, key),
                  is_weight ? "weight" : "a share of the traffic, not a limit");
    }
    timeout(model);
  }

  void timeout(LiteLlmModel& model) {
    for (const auto* key : {"stream_timeout", "timeout"}) {
      const Node* const given = member(params_, key);
      if (given == nullptr) continue;
      const auto ms = static_cast<int64_t>(number_in(given, 0) * 1000);
      const bool usable = ms >= 1 && ms <= kDayMs;
      if (usable) model.timeout_ms = ms;
      draft_.note(usable ? Fate::Carried : Fate::Missing, below(path_, key),
                  usable ? "timeouts.first_byte" : "no usable time");
    }
  }

  const Node& params_;
  const std::string path_;
  Draft& draft_;
};

}  // namespace

std::optional<LiteLlmModel> litellm_model(const Node& entry, const std::string& path,
                                          const std::vector<std::string>& taken, Draft& draft) {
  for (const Node::Key& key : entry.keys)
    if (key.name == "model_info")
      draft.note(Fate::Missing, path + ".model_info",
                 "prices come from the catalog (prices.custom)");
    else if (key.name != "model_name" && key.name != "litellm_params")
      draft.note(Fate::Missing, below(path, key.name), "not known to this import");
  const std::string name = text_of_member(entry, "model_name");
  const Node* const params = member(entry, "litellm_params");
  if (name.empty() || params == nullptr) {
    draft.note(Fate::Missing, path, "needs `model_name` and `litellm_params`");
    return std::nullopt;
  }
  return ModelImport(*params, path + ".litellm_params", draft).run(name, taken);
}

}  // namespace sluice::app
