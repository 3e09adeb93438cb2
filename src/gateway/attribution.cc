#include "gateway/attribution.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "base/percent.h"
#include "base/text_out.h"
#include "gateway/exchange.h"
#include "wire/json.h"
#include "wire/json_edit.h"

namespace sluice::gateway {
namespace {

// Bounds of what goes on a row: callers choose these texts.
constexpr size_t kLongest = 128;
constexpr size_t kMostEntries = 16;
constexpr size_t kLongestMetadata = 1000;

struct Own {
  std::string_view name;
  std::string telemetry::Attribution::*member;
};
constexpr std::array<Own, 5> kOwn{{
    {"conversation", &telemetry::Attribution::conversation},
    {"session", &telemetry::Attribution::session},
    {"workflow", &telemetry::Attribution::workflow},
    {"execution", &telemetry::Attribution::execution},
    {"mcp_server", &telemetry::Attribution::mcp_server},
}};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Cut between two characters.
std::string_view bounded(std::string_view text) {
  if (text.size() <= kLongest) return text;
  size_t size = kLongest;
  while (size > 0 && (text[size] & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

class Collector {
 public:
  explicit Collector(telemetry::Attribution& attribution) : attribution_(attribution) {}

  // What is no text is no label.
  void add(std::string_view name, std::string_view value) {
    if (name.empty() || value.empty() || !json::is_utf8(name) || !json::is_utf8(value)) return;
    name = bounded(name);
    value = bounded(value);
    const auto own =
        std::find_if(kOwn.begin(), kOwn.end(), [&](const Own& each) { return each.name == name; });
    if (own != kOwn.end()) {
      attribution_.*own->member = value;
      return;
    }
    const auto known = others_.find(name);
    if (known != others_.end()) {
      known->second = value;
    } else if (others_.size() < kMostEntries) {
      others_.emplace(name, value);
    }
  }

  // "a=1, b=2;property": baggage (W3C), whose values are percent-encoded, and what looks like it.
  void add_list(std::string_view list, bool encoded) {
    while (!list.empty()) {
      const size_t comma = list.find(',');
      std::string_view entry = list.substr(0, comma);
      entry = entry.substr(0, entry.find(';'));
      const size_t equals = entry.find('=');
      if (equals != std::string_view::npos) {
        const std::string_view value = trimmed(entry.substr(equals + 1));
        add(trimmed(entry.substr(0, equals)),
            encoded ? percent_decoded(value) : std::string(value));
      }
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }

  // Texts, numbers and truth values of an object; what is nested is no label.
  void add_object(std::string_view object) {
    json::Reader reader(object);
    if (reader.peek() != json::Type::Object || !reader.open_object()) return;
    json::Text name;
    while (reader.next_member(&name)) {
      if (reader.peek() == json::Type::String) {
        json::Text value;
        if (!reader.string(&value)) return;
        add(name.str(), value.str());
      } else if (reader.peek() == json::Type::Number) {
        std::string_view number;
        if (!reader.number(&number)) return;
        add(name.str(), number);
      } else if (!reader.skip()) {
        return;
      }
    }
  }

  void finish() {
    std::string& out = attribution_.metadata;
    for (const auto& [name, value] : others_) {
      std::string entry = out.empty() ? "{" : ",";
      append_json(entry, name);
      entry += ':';
      append_json(entry, value);
      if (out.size() + entry.size() >= kLongestMetadata) break;
      out += entry;
    }
    if (!out.empty()) out += '}';
  }

 private:
  telemetry::Attribution& attribution_;
  std::map<std::string, std::string, std::less<>> others_;
};

}  // namespace

void note_attribution(Exchange& exchange) {
  const governance::Directory::Entry* caller = exchange.caller;
  const Wishes& wishes = exchange.wishes();
  const bool kept = caller != nullptr && !caller->metadata.empty();
  if (!kept && !wishes.attributes && !exchange.request.has_metadata) return;
  Collector collector(exchange.record.attribution);
  if (kept) {
    for (const auto& [name, value] : caller->metadata) collector.add(name, value);
  }
  collector.add_list(wishes.baggage, true);
  if (exchange.request.has_metadata)
    collector.add_object(json::member_of(exchange.body, "metadata"));
  collector.add_list(wishes.metadata, false);
  collector.add("conversation", wishes.conversation);
  collector.add("session", wishes.session);
  collector.add("workflow", wishes.workflow);
  collector.add("execution", wishes.execution);
  collector.add("mcp_server", wishes.mcp_server);
  collector.finish();
}

}  // namespace sluice::gateway
