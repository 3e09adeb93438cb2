// What is wrong with a configuration, where, and by which rule. Plain values. The rules have codes
// that stay: people search for them and suppress them in scripts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

enum class Rule : uint16_t {
  UnreadableFile = 1,
  Syntax = 101,
  DuplicateKey = 102,
  NotOneMap = 103,
  BadAlias = 104,
  UnknownKey = 201,
  WrongShape = 202,
  MissingKey = 203,
  BadValue = 301,
  OutOfRange = 302,
  UnknownChoice = 303,
  BadAddress = 304,
  BadUrl = 305,
  BadName = 306,
  DoubtfulUrl = 307,
  UnsetVariable = 401,
  UnreadableSecret = 402,
  BadSubstitution = 403,
  LiteralSecret = 404,
  SchemeInKey = 405,
  UnopenedEnvironment = 406,
  UnopenedSecret = 407,
  UnknownProvider = 501,
  ModelNotServed = 502,
  RouteCycle = 503,
  NameClash = 504,
  UnreachableTarget = 505,
  NeedsOther = 506,
  BadCondition = 507,
  BadRouting = 508,
  UnknownModel = 601,
  NoPrice = 602,
  UnusableFile = 701,
};

enum class Severity : uint8_t { Error, Warning };

struct RuleInfo {
  Rule rule;
  Severity severity;
  std::string_view title;
  std::string_view explanation;  // what it means and how to repair it
};

// All rules in the order of their codes.
std::span<const RuleInfo> rules();
const RuleInfo& info_of(Rule rule);
// "SL201".
std::string code_of(Rule rule);

// A spot in a source. `source` is a file name, "environment SLUICE_X" or "command line --x"; line 0
// means the source has no lines. Columns count characters from 1.
struct Place {
  std::string source;
  int line = 0;
  int column = 0;
  int length = 1;
};

struct Diagnostic {
  Rule rule = Rule::Syntax;
  Place place;
  std::string key;      // "server.listen"; empty when it is about the file
  std::string message;  // never holds a secret
  std::string hint;     // "did you mean `listen`?"; may be empty
  std::string excerpt;  // the source line, secrets blotted out; empty when there is none
};

bool has_errors(std::span<const Diagnostic> diagnostics);

enum class DiagnosticFormat : uint8_t { Text, Json, Github };

// All of them in one text: for people (file:line:col, source line, caret), for programs, or as
// workflow commands that annotate a pull request.
std::string render(std::span<const Diagnostic> diagnostics, DiagnosticFormat format);

// `text` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);

}  // namespace sluice::app
