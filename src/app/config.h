// The way from a configuration file, the environment and the command line to Settings: all of it,
// or every reason why not. Never a half-built Settings. Pure but for what the caller's functions
// do; safe on any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_diagnostic.h"
#include "app/config_provenance.h"
#include "app/config_substitute.h"
#include "app/settings.h"

namespace sluice::app {

// One setting from the command line: {"server.listen", "0.0.0.0:80", "--listen"}.
struct Override {
  std::string key;
  std::string value;
  std::string flag;
};

// Whether the price catalogue knows what this provider takes for this model.
using Priced = std::function<bool(std::string_view provider, std::string_view model)>;
// The same for a configuration that names its own price file.
using PricedWith = std::function<Priced(const PriceSettings&)>;

// A setting that names a file which cannot be used.
struct FileFault {
  std::string key;
  std::string message;
};
using FileTrials = std::function<std::vector<FileFault>(const Settings&)>;

struct LoadInput {
  std::string file_name;            // as diagnostics name it
  std::optional<std::string> text;  // the file's content; nullopt: there is none
  std::string unreadable;           // why there is none; empty: started without a file
  Surroundings around;
  std::vector<Override> overrides;
  PricedWith priced;  // empty: nobody asks about prices
  FileTrials trials;  // empty: nobody looks at the files that settings name
};

struct Loaded {
  Settings settings;
  Provenance provenance;
  std::vector<std::string> notes;  // what an operator should know: which providers were found
};

struct LoadOutcome {
  std::optional<Loaded> loaded;         // absent when any diagnostic is an error
  std::vector<Diagnostic> diagnostics;  // in the order of the file
};

// What the file, read now, and the surroundings give; an empty name: started without a file.
LoadInput input_from(const std::string& file_name, const Surroundings& around);

// Precedence: command line, then environment (SLUICE_SERVER_LISTEN), then file, then default.
// Without providers in the file, or without a file, they come from the keys the environment holds;
// with none of them, the lab answers.
LoadOutcome load(const LoadInput& input);

// Warnings for targets nobody has heard of and for models without a price.
std::vector<Diagnostic> check_prices(const Loaded& loaded, const Priced& priced);

// What differs between two configurations.
struct Change {
  std::string key;
  std::string before;  // secrets masked
  std::string after;
  bool needs_restart = false;
};
std::vector<Change> changes_between(const Settings& before, const Settings& after);

// "server.listen, server.workers": what a reload could not put in force; empty when all could.
std::string needing_restart(const std::vector<Change>& changes);

}  // namespace sluice::app
