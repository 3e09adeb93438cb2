// The one table of everything an operator may set: the reader, the checker, the JSON Schema, the
// reference page, `config explain` and the comparison on reload are all made from it. A new
// setting is one row here and one member in settings.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config_value.h"
#include "app/settings.h"

namespace sluice::app {

struct Group {};  // a map with fixed keys: the rows below it
struct Each {};   // a map from names of the operator's choice to what row "KEY.*" says

// Where a setting lives. `name` stands for the `*` of the key and is ignored without one.
template <class T>
using Field = T& (*)(Settings&, std::string_view name);

using Slot =
    std::variant<Group, Each, Field<std::string>, Field<bool>, Field<int64_t>, Field<Duration>,
                 Field<Bytes>, Field<Secret>, Field<Address>, Field<BaseUrl>, Field<Proxy>,
                 Field<LogSink>, Field<Price>, Field<ProviderKind>, Field<Backoff>,
                 Field<CortexEndpoint>, Field<Unsupported>, Field<Disconnect>, Field<Percent>,
                 Field<WordMap>, Field<Subtree>, Field<HeartbeatMode>, Field<LogLevel>,
                 Field<LogFormat>, Field<std::vector<std::string>>, Field<std::vector<Header>>,
                 Field<Route>>;

// What words in this row must look like: the value itself, the items of a list, the keys of a map.
enum class Word : uint8_t { Any, Name, Model, HeaderName, Target };

enum class Reload : uint8_t { Live, Restart };

struct Property {
  std::string_view key;  // "server.listen", "providers.*.api_key"
  Slot slot;
  std::string_view fallback = "";  // the default, as one would write it; empty: none, or derived
  std::string_view derived = "";   // in words, where the default depends on other settings
  std::string_view doc = "";
  Limits limits = {};  // of numbers, durations and sizes; of a Route: how many entries
  Word word = Word::Any;
  Reload reload = Reload::Live;
  bool required = false;
  bool secret = false;         // never shown, even where its type would allow it
  bool empty_is_none = false;  // the empty text and null say that there is none
};

std::span<const Property> properties();

// The row whose key is exactly `key`, stars included; null when there is none.
const Property* property(std::string_view key);

// The row that governs a concrete path, and what stands for its star: "providers.eu.kind" is
// row "providers.*.kind" with name "eu". Null row: no such setting.
struct Match {
  const Property* row = nullptr;
  std::string name;
};
Match match(std::string_view path);

// The concrete path of a row: its key with `name` for the star.
std::string path_of(const Property& row, std::string_view name);

// "SLUICE_SERVER_LISTEN"; empty for rows that only a file can set (maps, lists, starred keys).
std::string env_name(const Property& row);

// True for Group and Each: rows that hold others and have no value of their own.
bool is_section(const Property& row);

// True for a row that is secret, or that holds one.
bool holds_secrets(const Property& row);

// The key's last word: "listen".
std::string_view leaf_of(std::string_view key);

// The effective value as one would write it, secrets masked; lists in [brackets]. Changes nothing
// as long as the entry called `name` exists: slots hand out references for writing.
std::string value_text(const Property& row, Settings& settings, std::string_view name);

}  // namespace sluice::app
