// Which of the configured targets the price catalogue has never heard of.
#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "app/config.h"

namespace sluice::app {
namespace {

class PriceCheck {
 public:
  PriceCheck(const Loaded& loaded, const Priced& priced) : loaded_(loaded), priced_(priced) {}

  std::vector<Diagnostic> run() {
    for (const auto& route : loaded_.settings.tiers) check_route("tiers", route);
    for (const auto& route : loaded_.settings.aliases) check_route("aliases", route);
    for (const auto& provider : loaded_.settings.providers)
      for (size_t i = 0; i < provider.models.size(); ++i)
        check(provider, provider.models[i],
              fmt::format("providers.{}.models[{}]", provider.name, i));
    return std::move(found_);
  }

 private:
  void check_route(std::string_view section, const Route& route) {
    for (size_t i = 0; i < route.entries.size(); ++i) {
      const std::string& text = route.entries[i];
      const size_t slash = text.find('/');
      if (slash == std::string::npos) continue;  // another route, looked at by itself
      const auto* provider = loaded_.settings.provider(text.substr(0, slash));
      if (provider == nullptr) continue;
      check(*provider, text.substr(slash + 1), fmt::format("{}.{}[{}]", section, route.name, i));
    }
  }

  void check(const ProviderSettings& provider, const std::string& model, const std::string& path) {
    if (provider.kind == ProviderKind::Lab || has_custom_price(model)) return;
    if (priced_(provider.name, model)) return;
    if (!said_.emplace(provider.name, model).second) return;
    const auto& models = provider.models;
    const bool listed = std::find(models.begin(), models.end(), model) != models.end();
    // The list the gateway will fetch has the price.
    const bool fetched =
        provider.kind == ProviderKind::OpenRouter && provider.list_refresh.count() > 0;
    if (listed && fetched) return;
    Diagnostic warning;
    warning.rule = listed ? Rule::NoPrice : Rule::UnknownModel;
    warning.place = loaded_.provenance.place_of(path);
    warning.key = path;
    warning.message =
        listed ? fmt::format("no price is known for `{}/{}`: its cost will be unknown",
                             provider.name, model)
               : fmt::format(
                     "`{}/{}` is neither listed nor in the price catalogue: a typing error? "
                     "its cost will be unknown{}",
                     provider.name, model,
                     fetched ? " unless the provider's own list has its price" : "");
    warning.hint =
        listed ? fmt::format("add `prices.custom.{}`", model)
               : fmt::format("if it is right, list it in `providers.{}.models`{}", provider.name,
                             fetched ? "" : fmt::format(" and add `prices.custom.{}`", model));
    found_.push_back(std::move(warning));
  }

  bool has_custom_price(const std::string& model) const {
    const PriceSettings& prices = loaded_.settings.prices;
    for (const auto* own : {&prices.custom, &prices.credits}) {
      if (std::any_of(own->begin(), own->end(),
                      [&model](const CustomPrice& price) { return price.model == model; }))
        return true;
    }
    return false;
  }

  const Loaded& loaded_;
  const Priced& priced_;
  std::set<std::pair<std::string, std::string>> said_;
  std::vector<Diagnostic> found_;
};

}  // namespace

std::vector<Diagnostic> check_prices(const Loaded& loaded, const Priced& priced) {
  return PriceCheck(loaded, priced).run();
}

}  // namespace sluice::app
