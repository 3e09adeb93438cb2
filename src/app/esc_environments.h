// The Pulumi ESC environments that configured values come from, each opened once, however many
// values and loads ask for it. Outlives reloads. Knows which values were asked for, so that a later
// opening can be told to differ from this one in something that matters.
//
// Used by one thread at a time: by whoever loads, and between loads by whoever adopts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_substitute.h"
#include "app/esc_client.h"
#include "base/result.h"
#include "base/secret.h"

namespace sluice::app {

class EscEnvironments {
 public:
  using Open = std::function<Result<Secret>(const EscName& name)>;
  explicit EscEnvironments(Open open) : open_(std::move(open)) {}

  // For Surroundings::esc. Opens the environment if this load, or one before, has not yet.
  Result<std::string> value(std::string_view environment, std::string_view path);

  // Before a load: what could not be opened is tried anew.
  void begin_load();
  // After one that gave settings: what it did not ask for is forgotten.
  void end_load();

  // "acme/llm/prod@3" of all that are open.
  std::vector<std::string> names() const;

  // What came of opening one again.
  struct Opening {
    std::string environment;
    Result<Secret> content;
  };
  // True: a value that was asked for is another now. Errors: the old values stay; why.
  Result<bool> adopt(Opening opening);

 private:
  struct Environment {
    std::optional<Result<Secret>> content;
    std::map<std::string, Secret, std::less<>> asked;  // by path
    bool in_use = true;
  };

  Open open_;
  std::map<std::string, Environment, std::less<>> environments_;
};

}  // namespace sluice::app
