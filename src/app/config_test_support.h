// What the configuration tests share: an environment and a disk made of maps.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "app/config.h"

namespace sluice::app {

using Words = std::map<std::string, std::string, std::less<>>;

inline std::optional<std::string> in_words(const Words& words, std::string_view name) {
  const auto found = words.find(name);
  if (found == words.end()) return std::nullopt;
  return found->second;
}

inline Surroundings surroundings_of(Words environment, Words files = {}) {
  return Surroundings{
      .env = [environment = std::move(environment)](
                 std::string_view name) { return in_words(environment, name); },
      .read_file = [files = std::move(files)](std::string_view path) -> Result<std::string> {
        if (auto text = in_words(files, path)) return *std::move(text);
        return Error(Outcome::BadRequest, "No such file or directory");
      },
  };
}

inline LoadInput input_of(std::string text, Words environment = {}, Words files = {}) {
  LoadInput input;
  input.file_name = "sluice.yaml";
  input.text = std::move(text);
  input.around = surroundings_of(std::move(environment), std::move(files));
  return input;
}

}  // namespace sluice::app
