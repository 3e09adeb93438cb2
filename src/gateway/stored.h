// Requests about a response that its provider keeps: to look at it, to delete it, to cancel it.
// They go to the provider and key that made it, as they came, and to nobody else (acceptance AG-5).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::gateway {

class Exchange;

// What can be asked; `path` stands behind the response's id.
struct StoredCall {
  enum class Repeat : uint8_t {
    Free,   // asking twice does no harm
    Never,  // asked again only if it is proven that nobody has read the first
  };
  std::string_view method;
  std::string_view path;
  std::string_view name;  // in ledger and logs
  Repeat repeat = Repeat::Free;
  bool deletes = false;
};

inline constexpr std::array<StoredCall, 4> kStoredCalls{{
    {.method = "GET", .path = "", .name = "responses.retrieve"},
    {.method = "DELETE",
     .path = "",
     .name = "responses.delete",
     .repeat = StoredCall::Repeat::Never,
     .deletes = true},
    {.method = "POST",
     .path = "/cancel",
     .name = "responses.cancel",
     .repeat = StoredCall::Repeat::Never},
    {.method = "GET", .path = "/input_items", .name = "responses.input_items"},
}};

// One such request.
struct StoredRequest {
  explicit StoredRequest(const StoredCall& the_call) : call(the_call) {}

  const StoredCall& call;
  std::string id;
  std::string below;  // of the upstream's path: "/resp_1/input_items?limit=2"
};

// Takes id and query from the request's path, which ends as the call's does. BadRequest:
// that is no id of a response.
Result<void> read_stored(Exchange& exchange);
// Sets route and key. NotFound says what is known of the response, and why it is not more.
Result<void> find_maker(Exchange& exchange);

}  // namespace sluice::gateway
