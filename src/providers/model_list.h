// The list of models a provider itself keeps:
//   openrouter  GET /models:
//   {"data":[{"id":"author/slug","pricing":{...},...}],"links":{"next":...}},
//               in pages
//   cortex      GET /models: {"models":["claude-sonnet-4-5",...]}, without prices
//
// Read strictly: a list that is not wholly understood is an error, and whoever has an older one
// keeps that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "providers/kind.h"
#include "providers/listed_price.h"

namespace sluice::providers {

inline constexpr size_t kMostListedModels = 20'000;

struct ListedModel {
  std::string id;  // as requests name it: no spaces, no control characters
  std::optional<ListedPrice> price;
};

struct ModelList {
  std::vector<ListedModel> models;
  bool has_prices = false;  // it says what models cost, be it that nobody can know
  bool more = false;        // another page follows
};

// Below the base path; empty: providers of this kind have no list that is read.
std::string_view list_path_of(Kind kind);

// One page. Errors: UpstreamBadReply, with the place.
Result<ModelList> read_model_list(Kind kind, std::string_view json);

}  // namespace sluice::providers
