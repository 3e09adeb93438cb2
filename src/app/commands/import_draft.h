// The configuration that an import is making, and what it has to say about it. Secrets of the
// source never come in here: a key becomes the name of a variable.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands/import_yaml.h"

namespace sluice::app {

// What became of a setting of the source.
enum class Fate : uint8_t { Carried, Differs, Missing };

struct ImportNote {
  Fate fate;
  std::string path;  // in the source: "targets[0].weight"
  std::string text;
};

// A vendor as other gateways name it.
struct Vendor {
  std::string_view name;     // as Portkey or LiteLLM write it
  std::string_view kind;     // Sluice's
  std::string_view preset;   // for kind openai
  std::string_view key_env;  // empty: it asks for no key
};
// Null: Sluice has no way of its own to it.
const Vendor* vendor_named(std::string_view name);

// Of a Snowflake account, from which its URL follows.
inline constexpr std::string_view kAccountVariable = "SNOWFLAKE_ACCOUNT";

struct DraftProvider {
  std::string name;  // wished for; a number is added when another one has it
  std::string kind;
  std::string preset;
  std::string base_url;      // a URL, or "${NAME}"
  std::string key_variable;  // empty: none
  std::string vendor;        // kind portkey, a gateway of one's own
  std::vector<std::string> pass_headers;

  bool same_service(const DraftProvider& other) const;
};

class Draft {
 public:
  void note(Fate fate, std::string path, std::string text);
  // The name of the provider that is such a one: a known one, or a new one.
  std::string provider(DraftProvider wanted, const std::vector<std::string>& taken_names = {});
  // A URL as a setting may hold it; where it may not, "${fallback}" and a note.
  std::string url(const std::string& path, const std::string& text, const std::string& fallback);
  // The variable that takes the place of a key: `name` for the first, NAME_2 for another one.
  std::string variable_for(const std::string& name, std::string_view key);
  // `name` has to be set where the gateway runs. Gives "${NAME}".
  std::string variable(const std::string& name);
  // Once per name: a number of attempts or a pause that holds for all; the largest wins.
  void attempts(int64_t count) { attempts_ = std::max(attempts_, count); }
  void breaker(int64_t failures, int64_t pause_ms);

  // The whole file. `source`: whose configuration it was.
  std::string yaml(std::string_view source) const;

  std::vector<ImportNote> notes;
  std::vector<std::string> variables;
  YamlItem aliases = YamlItem::map();
  YamlItem routes = YamlItem::map();
  YamlItem tasks = YamlItem::map();
  YamlItem resilience = YamlItem::map();
  YamlItem timeouts = YamlItem::map();
  std::string default_provider;

 private:
  std::vector<DraftProvider> providers_;
  std::map<std::string, std::vector<size_t>> keys_;  // hashes of those each name stands for
  int64_t attempts_ = 0;
  int64_t failures_ = 0;
  int64_t pause_ms_ = 0;
};

// The member of a map; null: it has none, or is no map.
const Node* member(const Node& map, std::string_view key);
// The text of a scalar member; empty: there is none.
std::string text_of_member(const Node& map, std::string_view key);
// A scalar as a number; `otherwise` when it is none.
double number_in(const Node* node, double otherwise);
// "1500ms", "10s".
YamlItem time_item(int64_t ms);
// "a.b", "b" at the top.
std::string below(const std::string& path, std::string_view key);
// "OPENAI_API_KEY" of "openai": what the variable of a vendor without a usual one is called.
std::string variable_name(std::string_view vendor, std::string_view suffix);

}  // namespace sluice::app
