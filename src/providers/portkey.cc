#include "providers/portkey.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "wire/json.h"

namespace sluice::providers {
namespace {

using json::Reader;
using json::Text;
using json::Type;

constexpr size_t kLongestValue = 128;  // characters of a metadata value
constexpr size_t kMostFacts = 32;
constexpr int kDeepestTargets = 16;

bool is_json_config(std::string_view config) {
  const size_t first = config.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && config[first] == '{';
}

void append_unless_empty(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) net::append_header(out, name, value);
}

// Copies the object at the reader without what is ours to do, and so its targets.
bool copy_tamed(Reader& reader, int depth, std::string& out);

bool copy_targets(Reader& reader, int depth, std::string& out) {
  if (reader.peek() != Type::Array) return reader.skip();
  reader.open_array();
  out += '[';
  bool first = true;
  while (reader.next_element()) {
    if (!first) out += ',';
    first = false;
    if (!copy_tamed(reader, depth + 1, out)) return false;
  }
  out += ']';
  return !reader.failed();
}

bool copy_tamed(Reader& reader, int depth, std::string& out) {
  if (depth > kDeepestTargets || !reader.open_object()) return false;
  out += '{';
  bool first = true;
  Text key;
  while (reader.next_member(&key)) {
    const std::string name = key.str();
    if (name == "retry" || name == "cache") {
      if (!reader.skip()) return false;
      continue;
    }
    if (!first) out += ',';
    first = false;
    json::append_quoted(out, name);
    out += ':';
    if (name == "targets" && reader.peek() == Type::Array) {
      if (!copy_targets(reader, depth, out)) return false;
      continue;
    }
    reader.peek();
    const char* const start = reader.pointer();
    if (!reader.skip()) return false;
    for (const char c : reader.since(start)) {
      if (c != '\r' && c != '\n') out += c;  // white space between values: a field is one line
    }
  }
  out += '}';
  return !reader.failed();
}

bool names_secret(std::string_view name) {
  return name.ends_with("key") || name.ends_with("token") || name.find("secret") != name.npos ||
         net::same_name(name, "authorization");
}

void collect_secrets(Reader& reader, bool is_secret, int depth, std::vector<Secret>* secrets) {
  Text text;
  const Type type = reader.peek();
  if (depth > 2 * kDeepestTargets) {
    reader.skip();
  } else if (type == Type::Object) {
    reader.open_object();
    while (reader.next_member(&text))
      collect_secrets(reader, names_secret(text.str()), depth + 1, secrets);
  } else if (type == Type::Array) {
    reader.open_array();
    while (reader.next_element()) collect_secrets(reader, is_secret, depth + 1, secrets);
  } else if (type == Type::String && is_secret) {
    if (reader.string(&text)) secrets->emplace_back(text.str());
  } else {
    reader.skip();
  }
}

// A JSON string in ASCII, cut: header fields hold nothing else.
void append_ascii(std::string& out, std::string_view text) {
  size_t characters = 0;
  std::string kept;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (begins && ++characters > kLongestValue) break;
    kept += c;
  }
  std::string quoted;
  json::append_quoted(quoted, kept);
  for (size_t i = 0; i < quoted.size();) {
    const auto lead = static_cast<unsigned char>(quoted[i]);
    if (lead < 0x80) {
      if (lead == 0x7f) {
        out += "\\u007f";
      } else {
        out += quoted[i];
      }
      ++i;
      continue;
    }
    const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    uint32_t code = lead & (0xFFU >> (length + 1));
    for (size_t j = 1; j < length; ++j)
      code = code << 6U | (static_cast<unsigned char>(quoted[i + j]) & 0x3FU);
    if (code >= 0x10000) {
      code -= 0x10000;
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", 0xD800 + (code >> 10U));
      code = 0xDC00 + (code & 0x3FFU);
    }
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
    i += length;
  }
}

class Metadata {
 public:
  // The first of a name stays.
  void add(std::string_view name, std::string_view value) {
    const bool there = std::any_of(names_.begin(), names_.end(),
                                   [&](const std::string& it) { return it == name; });
    if (there || name.empty() || names_.size() >= kMostFacts) return;
    names_.emplace_back(name);
    out_ += out_.empty() ? '{' : ',';
    append_ascii(out_, name);
    out_ += ':';
    append_ascii(out_, value);
  }

  void add_client(std::string_view object) {
    if (!json::is_utf8(object)) return;
    Reader reader(object);
    if (!reader.open_object()) return;
    Text key;
    while (reader.next_member(&key)) {
      Text value;
      if (reader.peek() != Type::String) {
        reader.skip();
      } else if (reader.string(&value)) {
        add(key.str(), value.str());
      }
    }
  }

  std::string take() { return out_.empty() ? std::move(out_) : std::move(out_ += '}'); }

 private:
  std::vector<std::string> names_;
  std::string out_;
};

// The virtual key a model names, and the model without it; null: it names none.
// Which virtual key a target's name asks for, and what model: "gpt4" and "gpt4/gpt-5" with the key
// "prod-1/gpt-5.4" mean gpt-5.4 and gpt-5; with the key "prod-1" they mean gpt4 and gpt-5.
struct NamedKey {
  std::string_view slug;  // empty: the name asks for none
  std::string_view model;
};
NamedKey virtual_key_of(const PortkeyOptions& options, std::string_view model) {
  for (const auto& [alias, key] : options.virtual_keys) {
    if (!model.starts_with(alias)) continue;
    const std::string_view slug = std::string_view(key).substr(0, key.find('/'));
    const std::string_view rest = model.substr(alias.size());
    if (rest.starts_with('/')) return {slug, rest.substr(1)};
    if (rest.empty() && slug.size() < key.size())
      return {slug, std::string_view(key).substr(slug.size() + 1)};
    if (rest.empty()) return {slug, model};
  }
  return {"", model};
}

// "openai error: ..." is how Portkey passes on what a vendor said.
bool names_vendor(std::string_view message) {
  const size_t end = message.find(" error: ");
  if (end == 0 || end == std::string_view::npos || end > 32) return false;
  return std::all_of(
      message.begin(), message.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '@';
      });
}

// Fields only a vendor writes, which Portkey passes on.
bool has_vendor_fields(const net::Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const net::Header& header) {
    return net::begins_with_name(header.name, "openai-") ||
           net::begins_with_name(header.name, "anthropic-");
  });
}

}  // namespace

Result<std::string> tamed_portkey_config(std::string_view config) {
  if (!is_json_config(config)) return std::string(config);
  std::string out;
  Reader reader(config);
  if (!json::is_utf8(config) || !copy_tamed(reader, 0, out) || !reader.finish())
    return Error(Outcome::BadRequest, "the Portkey config is not valid JSON", "config");
  return out;
}

std::vector<Secret> portkey_config_secrets(std::string_view config) {
  std::vector<Secret> secrets;
  if (!is_json_config(config) || !json::is_utf8(config)) return secrets;
  Reader reader(config);
  collect_secrets(reader, false, 0, &secrets);
  return secrets;
}

void append_portkey_fixed(std::string& out, const PortkeyOptions& options) {
  append_unless_empty(out, "x-portkey-provider", options.provider);
  append_unless_empty(out, "x-portkey-custom-host", options.custom_host);
  append_unless_empty(out, "x-portkey-config", options.config);
  const bool named_config = !options.config.empty() && !is_json_config(options.config);
  if (named_config) net::append_header(out, "x-portkey-cache-force-refresh", "true");
  if (!options.vendor_key.empty())
    out.append("authorization: Bearer ").append(options.vendor_key.reveal()).append("\r\n");
}

void append_portkey_lines(std::string& out, const PortkeyOptions& options, const PortkeyCall& call,
                          const net::Headers& client) {
  // A trace the client has begun goes on; otherwise ours is Portkey's too.
  const std::string_view trace = client.find("x-portkey-trace-id").value_or(call.trace_id);
  append_unless_empty(out, "x-portkey-trace-id", trace);
  if (call.timeout > 0) {
    net::append_header(out, "x-portkey-request-timeout",
                       static_cast<uint64_t>((call.timeout + kMillisecond - 1) / kMillisecond));
  }
  std::vector<Fact> facts(call.facts.begin(), call.facts.end());
  for (const auto& [name, value] : options.metadata) facts.emplace_back(name, value);
  append_unless_empty(
      out, "x-portkey-metadata",
      portkey_metadata(client.find("x-portkey-metadata").value_or(std::string_view()), facts));
}

std::string_view portkey_model(const PortkeyOptions& options, std::string_view model,
                               std::string& storage) {
  const NamedKey key = virtual_key_of(options, model);
  if (key.slug.empty()) return key.model;
  storage = fmt::format("@{}/{}", key.slug, key.model);
  return storage;
}

std::string portkey_metadata(std::string_view client, std::span<const Fact> facts) {
  Metadata metadata;
  metadata.add_client(client);
  for (const auto& [name, value] : facts) metadata.add(name, value);
  return metadata.take();
}

PortkeyFacts read_portkey_facts(const net::Headers& headers) {
  const auto text = [&headers](std::string_view name) {
    return headers.find(name).value_or(std::string_view());
  };
  PortkeyFacts facts{.retries = std::nullopt,
                     .cache_status = text("x-portkey-cache-status"),
                     .option_index = text("x-portkey-last-used-option-index"),
                     .provider = text("x-portkey-provider"),
                     .trace_id = text("x-portkey-trace-id")};
  const std::string_view count = text("x-portkey-retry-attempt-count");
  int retries = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), retries);
  const bool whole = error == std::errc() && end == count.data() + count.size();
  if (whole && retries >= -1 && retries <= 100) facts.retries = retries;
  return facts;
}

bool is_portkeys_own(int status, const net::Headers& headers, const ErrorBody& body) {
  if (status == 408 || status == 446) return false;
  if (status == 412 || headers.find("x-portkey-gateway-exception")) return true;
  if (body.shape == ErrorShape::Portkey || body.is_html) return true;
  const bool vendors = !body.vendor.empty() || names_vendor(body.message) ||
                       body.shape == ErrorShape::Anthropic || has_vendor_fields(headers);
  return !vendors && status >= 500;
}

}  // namespace sluice::providers
