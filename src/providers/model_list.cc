#include "providers/model_list.h"

#include <algorithm>
#include <utility>

namespace sluice::providers {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kLongestId = 256;

Error bad(std::string what) {
  return Error(Outcome::UpstreamBadReply, "the list of models " + std::move(what));
}

bool is_name(std::string_view id) {
  return !id.empty() && id.size() <= kLongestId && std::ranges::all_of(id, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
  });
}

Result<ListedModel> read_openrouter_model(dom::element element) {
  std::string_view id;
  if (element["id"].get(id) != simdjson::SUCCESS || !is_name(id))
    return bad("has an entry without a usable `id`");
  ListedModel model{.id = std::string(id), .price = {}};
  const auto pricing = element["pricing"];
  if (pricing.error() != simdjson::SUCCESS || pricing.is_null()) return model;
  dom::object prices;
  if (pricing.get(prices) != simdjson::SUCCESS) return bad("has no object as price of " + model.id);
  auto price = read_openrouter_price(prices);
  if (!price) return bad("has a bad price of " + model.id + ": " + price.error().message());
  model.price = *std::move(price);
  return model;
}

Result<ListedModel> read_cortex_model(dom::element element) {
  std::string_view id;
  if (element.get(id) != simdjson::SUCCESS || !is_name(id))
    return bad("has an entry that is no name");
  return ListedModel{.id = std::string(id), .price = {}};
}

bool has_next(dom::element root) {
  std::string_view next;
  return root["links"]["next"].get(next) == simdjson::SUCCESS && !next.empty();
}

}  // namespace

std::string_view list_path_of(Kind kind) {
  return kind == Kind::OpenRouter || kind == Kind::Cortex ? "/models" : "";
}

Result<ModelList> read_model_list(Kind kind, std::string_view json) {
  const bool cortex = kind == Kind::Cortex;
  dom::parser parser;
  const simdjson::padded_string padded(json);
  dom::element root;
  if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS)
    return bad(std::string("is no JSON: ") + simdjson::error_message(error));
  const std::string_view member = cortex ? "models" : "data";
  dom::array entries;
  if (root[member].get(entries) != simdjson::SUCCESS)
    return bad("has no array `" + std::string(member) + "`");
  ModelList list;
  for (const dom::element entry : entries) {
    Result<ListedModel> model = cortex ? read_cortex_model(entry) : read_openrouter_model(entry);
    if (!model) return std::move(model).error();
    if (list.models.size() == kMostListedModels) return bad("is too long");
    list.models.push_back(*std::move(model));
  }
  list.has_prices = !cortex;
  list.more = !cortex && has_next(root);
  return list;
}

}  // namespace sluice::providers
