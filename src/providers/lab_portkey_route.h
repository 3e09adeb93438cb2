// Where Portkey sends a request: told by its headers, its config and the name of its model.
//
//   x-portkey-api-key      required; `invalid...` is refused
//   model "@slug/model"    before everything else
//   x-portkey-config       a JSON object, or `pc-lab`
//   x-portkey-virtual-key  a slug
//   x-portkey-provider     "@slug", or a vendor's name together with the vendor's Authorization
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/http1.h"
#include "providers/lab_error.h"

namespace sluice::providers {

struct LabPortkeySlug {
  std::string_view slug;
  std::string_view vendor;
};
// The providers that exist behind the lab's Portkey.
std::span<const LabPortkeySlug> lab_portkey_slugs();

// {"status":"failure","message":...}
std::string lab_portkey_failure(std::string_view message);
// What Portkey says when the vendor took longer than x-portkey-request-timeout.
LabError lab_portkey_timeout(int64_t ms);

struct LabPortkeyRoute {
  std::string_view vendor;
  std::string model;  // what the vendor sees: no "@slug/", or what the config overrides it with
  std::string option = "config";
  std::string trace_id;  // empty: the client sent none
  bool caches = false;
  int64_t retries = 0;
  std::optional<int64_t> timeout_ms;
  // The vendor's own verdict on the key it was given: what it is called wrong for; empty: good.
  std::string key_fault;
};

// The key, and the fields whose form does not depend on the body.
std::optional<LabError> check_lab_portkey_head(const net::Headers& headers, LabPortkeyRoute& route);
// `model`: of the body; empty when it has none. Gives what Portkey says instead, or fills `route`.
std::optional<LabError> route_lab_portkey(const net::Headers& headers, std::string_view model,
                                          LabPortkeyRoute& route);

// The name of a model without "@slug/".
std::string_view lab_portkey_model(std::string_view model);

}  // namespace sluice::providers
