// Portkey as an upstream: a gateway between us and the model. What it is told in headers, what it
// tells in headers, and whether an error is its own or the model's.
//
// Retrying and caching are ours. Portkey does neither unless a config says so, so without a config
// there is nothing to switch off. From a config written out as JSON the members `retry` and `cache`
// are taken, at every level. A config that is only named by its id cannot be changed from outside:
// its cache is passed by with x-portkey-cache-force-refresh, its retries stay, and show in
// PortkeyFacts::retries.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/outcome.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "net/http1.h"
#include "providers/error_body.h"

namespace sluice::providers {

struct PortkeyOptions {
  // The open-source gateway: it knows no Portkey keys, so the provider's keys are the vendor's.
  bool self_hosted = false;
  std::string provider;     // vendor ("openai") or catalog slug ("@openai-prod"); may be empty
  Secret vendor_key;        // with a vendor: sent as Authorization: Bearer
  std::string custom_host;  // URL of the vendor's API, with /v1
  std::string config;       // an id ("pc-...") or a JSON object
  // "gpt4" -> "prod-key/gpt-5.4": the model "gpt4" is gpt-5.4, asked for with that key, and
  // "gpt4/gpt-5" is gpt-5. The model may be left out of the latter.
  std::vector<std::pair<std::string, std::string>> virtual_keys;
  // Sent with every request, beside what is known of the exchange.
  std::vector<std::pair<std::string, std::string>> metadata;
};

// One fact about an exchange, for x-portkey-metadata.
using Fact = std::pair<std::string_view, std::string_view>;

// A config written out, without what is ours to do and in one line; an id as it is. BadRequest: it
// begins as JSON and is none.
Result<std::string> tamed_portkey_config(std::string_view config);

// The secrets a config written out may hold: strings whose member is named as a key, token or
// secret.
std::vector<Secret> portkey_config_secrets(std::string_view config);

// The lines that are the same for every request. Requires: a JSON config has been tamed.
void append_portkey_fixed(std::string& out, const PortkeyOptions& options);
// The lines of one request. `client` may bring metadata and ids of its own, which go first.
struct PortkeyCall {
  std::string_view model;  // as the target names it
  std::string_view trace_id;
  std::span<const Fact> facts;
  Nanos timeout = 0;  // 0: not told
};
void append_portkey_lines(std::string& out, const PortkeyOptions& options, const PortkeyCall& call,
                          const net::Headers& client);

// The model as the body must name it: "openai/gpt-5" may be "@openai-prod-key/gpt-5".
// `storage` holds a result that is not the model itself.
std::string_view portkey_model(const PortkeyOptions& options, std::string_view model,
                               std::string& storage);

// {"k":"v",...} in ASCII: the client's own object first, then facts whose key is not there yet.
// Values are cut at 128 characters; what is no string in the client's object is left out.
std::string portkey_metadata(std::string_view client, std::span<const Fact> facts);

// What Portkey says of its own doing; views into the headers.
struct PortkeyFacts {
  std::optional<int> retries;     // -1: all failed
  std::string_view cache_status;  // "HIT", "SEMANTIC HIT", "MISS", "DISABLED", ...
  std::string_view option_index;  // "config.targets[1]"
  std::string_view provider;
  std::string_view trace_id;
};
PortkeyFacts read_portkey_facts(const net::Headers& headers);

// Whether this error is Portkey's own, so that the model may be well: its error shapes, its budget
// (412), an exception in it, a 5xx that no vendor's name is on. Not so: 408, which is the model
// being slow; 446, its guardrail; what it passed on from a vendor.
bool is_portkeys_own(int status, const net::Headers& headers, const ErrorBody& body);

}  // namespace sluice::providers
