// ${NAME}, ${NAME:-default}, ${file:/path}, ${secret:NAME} and ${esc:ORG/PROJECT/ENV:path} in a
// configured value. The environment, the disk and what keeps secrets come in as functions: nothing
// here reads them by itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_diagnostic.h"
#include "base/result.h"

namespace sluice::app {

// The value of an environment variable; nullopt when it is not set.
using EnvLookup = std::function<std::optional<std::string>(std::string_view name)>;
// The content of a file, or why it cannot be read.
using ReadFile = std::function<Result<std::string>(std::string_view path)>;

// The value at `path` of a Pulumi ESC environment ("acme/llm/prod@stable"), or why there is none.
using EscLookup =
    std::function<Result<std::string>(std::string_view environment, std::string_view path)>;

// The secret of that name in the gateway's own store, or why there is none.
using SecretLookup = std::function<Result<std::string>(std::string_view name)>;

struct Surroundings {
  EnvLookup env;
  ReadFile read_file;
  EscLookup esc = {};  // empty: no environment can be opened
  // The store of a data directory, which only a configuration can name: load() makes `secret` of
  // it.
  std::function<SecretLookup(const std::string& data_dir)> secrets_in = {};
  SecretLookup secret = {};
};

// A refusal without a place: whoever knows where the text stands adds it.
struct Fault {
  Rule rule = Rule::BadValue;
  std::string message;
  std::string hint = "";
};

struct Substituted {
  std::string text;
  // What took part, as written: "${OPENAI_API_KEY}". Empty: the text is as it stood, so it may be
  // quoted in an error; otherwise it may be a secret.
  std::vector<std::string> from;
  // Some of it came from where secrets are kept: it is never shown, whatever setting it is for.
  bool sealed = false;
  std::vector<std::string> secrets;  // names of ${secret:NAME}
  std::optional<Fault> fault;
};

Substituted substitute(std::string_view text, const Surroundings& around);

// NAME, or the content of the file that NAME_FILE names, without its last line break; NAME wins.
struct Looked {
  std::optional<std::string> value;
  std::string name;  // which of the two it was
  std::optional<Fault> fault;
};
Looked look_up(std::string_view name, const Surroundings& around);

}  // namespace sluice::app
