#include "providers/lab_portkey_route.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <simdjson.h>

#include "base/text_out.h"
#include "providers/lab_portkey_config.h"

namespace sluice::providers {
namespace {

constexpr size_t kLongestMetadata = 128;
constexpr std::string_view kKnownConfig = "pc-lab";

constexpr std::array<LabPortkeySlug, 3> kSlugs = {{
    {.slug = "lab", .vendor = "openai"},
    {.slug = "prod-gpt4-primary", .vendor = "openai"},
    {.slug = "prod-claude-primary", .vendor = "anthropic"},
}};
constexpr std::array<std::string_view, 12> kVendors = {
    "openai", "anthropic", "azure-openai", "azure-ai", "bedrock",    "cohere",
    "cortex", "deepseek",  "google",       "groq",     "openrouter", "vertex-ai"};

using Refusal = std::optional<LabError>;

LabError spoken(int status, std::string body) {
  LabError error;
  error.status = status;
  error.body = std::move(body);
  return error;
}

Refusal refuse(std::string_view message, int status = 400) {
  return spoken(status, lab_portkey_failure(message));
}

Refusal refuse_config(const LabPortkeyConfig& config) {
  if (!config.is_json) return refuse("Invalid config passed. You need to pass a valid json");
  std::string body = R"({"status":"failure","message":"Invalid config passed","errors":[)";
  for (const std::string& error : config.errors) {
    if (&error != config.errors.data()) body += ',';
    append_json(body, error);
  }
  return spoken(400, body + "]}");
}

Refusal check_key(const net::Headers& headers) {
  const std::string_view key = headers.find("x-portkey-api-key").value_or("");
  if (!key.empty() && !key.starts_with("invalid")) return std::nullopt;
  return refuse("Portkey Error: Invalid API Key. Error Code: 03", 401);
}

bool is_good_metadata(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object metadata;
  const simdjson::padded_string text(json);
  if (parser.parse(text).get(metadata) != simdjson::SUCCESS) return false;
  return std::ranges::all_of(metadata, [](simdjson::dom::key_value_pair pair) {
    std::string_view value;
    return pair.value.get(value) == simdjson::SUCCESS && value.size() <= kLongestMetadata;
  });
}

bool is_flag(const net::Headers& headers, std::string_view name) {
  const std::string_view value = headers.find(name).value_or("true");
  return value == "true" || value == "false";
}

Refusal check_headers(const net::Headers& headers, LabPortkeyRoute& route) {
  if (const auto metadata = headers.find("x-portkey-metadata");
      metadata && !is_good_metadata(*metadata)) {
    return refuse(
        "Invalid metadata passed. It must be a JSON object whose values are strings of at most "
        "128 characters");
  }
  for (const std::string_view name :
       {"x-portkey-debug", "x-portkey-cache-force-refresh", "x-portkey-strict-open-ai-compliance",
        "x-portkey-fetch-integrated-models"}) {
    if (!is_flag(headers, name))
      return refuse(fmt::format("Invalid {} passed. It must be true or false", name));
  }
  if (headers.find("x-portkey-custom-host").value_or("").find("api.portkey") !=
      std::string_view::npos)
    return refuse("Invalid custom host");
  const auto timeout = headers.find("x-portkey-request-timeout");
  if (!timeout) return std::nullopt;
  int64_t ms = 0;
  const auto [end, error] = std::from_chars(timeout->data(), timeout->data() + timeout->size(), ms);
  if (error != std::errc() || end != timeout->data() + timeout->size() || ms < 1)
    return refuse("Invalid request timeout passed");
  route.timeout_ms = ms;
  return std::nullopt;
}

// `provider`: "@slug" or a vendor's name.
Refusal go_to(std::string_view provider, bool has_key, const net::Headers& headers,
              LabPortkeyRoute& route) {
  if (provider.starts_with('@')) {
    const auto* const known = std::ranges::find(kSlugs, provider.substr(1), &LabPortkeySlug::slug);
    if (known == kSlugs.end()) return refuse("Invalid provider passed");
    route.vendor = known->vendor;
    return std::nullopt;
  }
  const auto* const vendor = std::ranges::find(kVendors, provider);
  if (vendor == kVendors.end()) return refuse("Invalid provider passed");
  route.vendor = *vendor;
  if (has_key) return std::nullopt;
  const std::string_view authorization = headers.find("authorization").value_or("");
  if (authorization.empty()) {
    route.key_fault = "You didn't provide an API key.";
  } else if (authorization.starts_with("Bearer invalid")) {
    route.key_fault = "Incorrect API key provided.";
  }
  return std::nullopt;
}

// The slug of "@slug/model"; empty for another name.
std::string_view slug_of(std::string_view model) {
  return model.starts_with('@') ? model.substr(0, model.find('/')) : std::string_view();
}

Refusal read_config(const net::Headers& headers, LabPortkeyConfig& config) {
  const auto text = headers.find("x-portkey-config");
  if (!text) return std::nullopt;
  if (*text == kKnownConfig) {
    config.provider = "@lab";
    return std::nullopt;
  }
  config = read_lab_portkey_config(*text);
  if (!config.is_json || !config.errors.empty()) return refuse_config(config);
  return std::nullopt;
}

}  // namespace

std::span<const LabPortkeySlug> lab_portkey_slugs() {
  return kSlugs;
}

std::string lab_portkey_failure(std::string_view message) {
  std::string body = R"({"status":"failure","message":)";
  append_json(body, message);
  return body + '}';
}

LabError lab_portkey_timeout(int64_t ms) {
  return spoken(
      408,
      fmt::format(R"({{"error":{{"message":"Request exceeded the timeout sent in the request: )"
                  R"({}ms","type":"timeout_error","param":null,"code":null}}}})",
                  ms));
}

std::string_view lab_portkey_model(std::string_view model) {
  const std::string_view slug = slug_of(model);
  return slug.empty() ? model : model.substr(std::min(model.size(), slug.size() + 1));
}

Refusal check_lab_portkey_head(const net::Headers& headers, LabPortkeyRoute& route) {
  route.trace_id = headers.find("x-portkey-trace-id").value_or("");
  if (auto refusal = check_key(headers)) return refusal;
  return check_headers(headers, route);
}

Refusal route_lab_portkey(const net::Headers& headers, std::string_view model,
                          LabPortkeyRoute& route) {
  LabPortkeyConfig config;
  if (auto refusal = read_config(headers, config)) return refusal;
  if (config.timeout_ms) route.timeout_ms = config.timeout_ms;
  route.option = config.option;
  route.caches = config.caches && headers.find("x-portkey-debug").value_or("true") == "true";
  route.retries = config.retries;
  const std::string_view name = config.model.empty() ? model : config.model;
  route.model = lab_portkey_model(name);
  const std::string_view virtual_key = headers.find("x-portkey-virtual-key").value_or("");
  const std::string_view provider = headers.find("x-portkey-provider").value_or("");
  if (!slug_of(name).empty()) return go_to(slug_of(name), true, headers, route);
  if (!config.provider.empty()) return go_to(config.provider, config.has_key, headers, route);
  if (!virtual_key.empty()) return go_to(fmt::format("@{}", virtual_key), true, headers, route);
  if (!provider.empty()) return go_to(provider, config.has_key, headers, route);
  if (headers.find("x-portkey-config")) {
    return refuse(
        "Either x-portkey-provider needs to be passed. Or the x-portkey-config header should have "
        "a valid config with provider details in it.");
  }
  return refuse("Either x-portkey-config or x-portkey-provider header is required");
}

}  // namespace sluice::providers
