#include "app/config_diagnostic.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::app {
namespace {

using enum Severity;

constexpr auto kRules = std::to_array<RuleInfo>({
    {Rule::UnreadableFile, Error, "the file cannot be read",
     "The configuration file is missing, is not readable by this user, or is larger than 1 MiB."},
    {Rule::Syntax, Error, "not YAML",
     "The text is neither YAML nor JSON. The place is where the parser gave up; the cause often "
     "stands one line above: a missing colon, a tab used for indentation, a quote left open."},
    {Rule::DuplicateKey, Error, "a key is written twice",
     "One map holds the same key twice. YAML readers silently keep one of the two; which one is "
     "a matter of luck, so it is refused. Remove one of them."},
    {Rule::NotOneMap, Error, "not one map",
     "The file must hold one document, and that document must be a map of settings."},
    {Rule::BadAlias, Error, "an alias cannot be expanded",
     "A YAML alias (*name) refers to itself, or the aliases together expand to more than 100,000 "
     "nodes, or maps and lists are nested deeper than 64."},
    {Rule::UnknownKey, Error, "unknown key",
     "No such setting exists here. A mistyped key would otherwise leave its default in force "
     "without a word. docs/configuration.md lists every key."},
    {Rule::WrongShape, Error, "wrong kind of node",
     "A map stands where a value is expected, or a value where a map or a list is expected."},
    {Rule::MissingKey, Error, "a required key is missing",
     "The entry cannot work without this key."},
    {Rule::BadValue, Error, "unreadable value",
     "The value is not of the setting's type. Durations are a number and a unit (500ms, 30s, 10m, "
     "1h), sizes a number and a unit (64KiB, 32MB), switches true or false."},
    {Rule::OutOfRange, Error, "value out of range",
     "The value is of the right type but outside the limits that docs/configuration.md states."},
    {Rule::UnknownChoice, Error, "not one of the choices", "The setting takes one of a few words."},
    {Rule::BadAddress, Error, "not an address to listen on",
     "Addresses are host:port, with IPv6 hosts in brackets: 127.0.0.1:8080, [::1]:8080."},
    {Rule::BadUrl, Error, "not a usable URL",
     "URLs are http://host[:port][/path] or https://host[:port][/path], without query, fragment "
     "or credentials (a proxy alone may carry user:password@)."},
    {Rule::BadName, Error, "not a usable name",
     "Names of providers and tiers consist of letters, digits, '.', '_' and '-'; names of aliases "
     "and models may also hold '/', ':', '@' and '+'. Header names follow RFC 9110."},
    {Rule::DoubtfulUrl, Warning, "a URL with a path that is added anyway",
     "`base_url` ends where the API begins, mostly in /v1: the gateway itself adds "
     "/chat/completions and the like. As it stands, requests would go to a path that says it "
     "twice."},
    {Rule::UnsetVariable, Error, "an environment variable is not set",
     "${NAME} has no value: neither NAME nor NAME_FILE is set. Set one, or write "
     "${NAME:-default}."},
    {Rule::UnreadableSecret, Error, "a referenced file cannot be read",
     "The file named by ${file:...} or by NAME_FILE is missing, unreadable or larger than 64 "
     "KiB."},
    {Rule::BadSubstitution, Error, "malformed substitution",
     "Substitutions are ${NAME}, ${NAME:-default}, ${file:/path}, ${secret:NAME} and "
     "${esc:ORG/PROJECT/ENV:path}; they do not nest. Write $$ for a plain dollar sign."},
    {Rule::LiteralSecret, Warning, "a key stands in the file itself",
     "Configuration files are copied, committed and sent around, and the key with them. Write "
     "${NAME} and set the variable, or ${file:/path}."},
    {Rule::SchemeInKey, Warning, "a key that begins with Bearer",
     "The gateway itself writes `Authorization: Bearer` before the key, so the provider would see "
     "the word twice and refuse the key. Give the key alone."},
    {Rule::UnopenedEnvironment, Error, "a value of a Pulumi ESC environment is not to be had",
     "The environment named by ${esc:ORG/PROJECT/ENV:path} could not be opened, or has no such "
     "value. PULUMI_ACCESS_TOKEN (or PULUMI_ACCESS_TOKEN_FILE) must hold a token that may open it; "
     "PULUMI_BACKEND_URL says where it is, if not at api.pulumi.com. `esc open ORG/PROJECT/ENV "
     "path` tries the same by hand."},
    {Rule::UnopenedSecret, Error, "a stored secret is not to be had",
     "No secret of that name is stored in control.db of server.data_dir, or it does not open: "
     "SLUICE_SECRETS_KEY (or SLUICE_SECRETS_KEY_FILE) must hold the key that it was stored with. "
     "`sluice secrets list` names those there are."},
    {Rule::UnknownProvider, Error, "unknown provider",
     "A target names a provider that `providers` does not define, or a name that is neither "
     "provider/model nor a tier nor an alias."},
    {Rule::ModelNotServed, Error, "the provider does not serve this model",
     "The provider has a closed list of models (`models` without `open: true`) and this one is "
     "not in it."},
    {Rule::RouteCycle, Error, "tiers, aliases and routes form a circle",
     "Following the names from entry to entry leads back to the start, so no provider is ever "
     "reached."},
    {Rule::NameClash, Error, "one name for two things",
     "A tier, an alias and a provider must not share a name: a client that sends it as `model` "
     "could mean either."},
    {Rule::UnreachableTarget, Warning, "a target that is never tried",
     "The same target stands earlier in the list. A target that failed is not tried again by a "
     "later entry, so this one has no effect."},
    {Rule::NeedsOther, Error, "settings that do not fit together",
     "One setting makes sense only together with, or without, another one."},
    {Rule::BadCondition, Error, "a condition that cannot be read",
     "The `when` of a conditional route is not in the language that docs/routing.md describes. A "
     "condition nobody can read would never match, and its traffic would go elsewhere unseen."},
    {Rule::BadRouting, Error, "routing that cannot work",
     "Each name by itself is right, but together they give no way to route: a restricted route "
     "without a local target, too many targets, a phrase of `auto` that says nothing."},
    {Rule::UnknownModel, Warning, "a model nobody has heard of",
     "The model is in no `models` list and not in the price catalogue. It may be new; it may be "
     "mistyped. List it under the provider's `models` if it is right."},
    {Rule::NoPrice, Warning, "no price",
     "The price catalogue does not know this model, so its cost will be unknown (null, never "
     "zero). Add it under `prices.custom`."},
    {Rule::UnusableFile, Error, "a named file cannot be used",
     "A certificate, key, price or log file named here is missing, may not be read or written by "
     "this user, or does not hold what it should. The gateway would not start. A log file is made "
     "when it is missing; its directory is not."},
});

std::string_view word_for(Severity severity) {
  return severity == Severity::Error ? "error" : "warning";
}

std::string where(const Place& place) {
  if (place.line == 0) return place.source;
  return fmt::format("{}:{}:{}", place.source, place.line, place.column);
}

bool continues_utf8(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Blanks up to the column, tabs kept, so that the caret stands under its character.
std::string caret_line(const Diagnostic& diagnostic) {
  std::string line;
  int column = 1;
  for (char c : diagnostic.excerpt) {
    if (continues_utf8(c)) continue;
    if (column++ >= diagnostic.place.column) break;
    line += c == '\t' ? '\t' : ' ';
  }
  line += '^';
  line.append(static_cast<size_t>(std::max(0, diagnostic.place.length - 1)), '~');
  return line;
}

std::string as_text(const Diagnostic& diagnostic) {
  const auto& info = info_of(diagnostic.rule);
  std::string out =
      fmt::format("{}: {}: {} [{}]\n", where(diagnostic.place), word_for(info.severity),
                  diagnostic.message, code_of(diagnostic.rule));
  if (!diagnostic.excerpt.empty()) {
    out += fmt::format("{:>5} | {}\n", diagnostic.place.line, diagnostic.excerpt);
    out += fmt::format("      | {}\n", caret_line(diagnostic));
  }
  if (!diagnostic.hint.empty()) out += fmt::format("      = {}\n", diagnostic.hint);
  return out;
}

std::string as_json(const Diagnostic& diagnostic) {
  const auto& place = diagnostic.place;
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? std::string("null") : json_quoted(text);
  };
  const auto number_or_null = [&place](int number) {
    return place.line == 0 ? std::string("null") : fmt::format("{}", number);
  };
  return fmt::format(R"({{"code":"{}","severity":"{}","source":{},"line":{},"column":{},"key":{},)"
                     R"("message":{},"hint":{}}})",
                     code_of(diagnostic.rule), word_for(info_of(diagnostic.rule).severity),
                     json_quoted(place.source), number_or_null(place.line),
                     number_or_null(place.column), text_or_null(diagnostic.key),
                     json_quoted(diagnostic.message), text_or_null(diagnostic.hint));
}

// Workflow commands end at a line break and split their properties at ',' and ':'.
std::string github_escaped(std::string_view text, bool is_property) {
  std::string out;
  for (char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n';
    if (special || (is_property && (c == ',' || c == ':')))
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

std::string as_github(const Diagnostic& diagnostic) {
  const auto& info = info_of(diagnostic.rule);
  const auto& place = diagnostic.place;
  std::string out =
      fmt::format("::{} file={}", word_for(info.severity), github_escaped(place.source, true));
  if (place.line != 0)
    out += fmt::format(",line={},col={},endColumn={}", place.line, place.column,
                       place.column + place.length);
  out += fmt::format(",title={}::{}", code_of(diagnostic.rule),
                     github_escaped(diagnostic.message, false));
  if (!diagnostic.hint.empty()) out += github_escaped("; " + diagnostic.hint, false);
  return out + "\n";
}

}  // namespace

std::span<const RuleInfo> rules() {
  return kRules;
}

const RuleInfo& info_of(Rule rule) {
  return *std::find_if(kRules.begin(), kRules.end(),
                       [rule](const RuleInfo& info) { return info.rule == rule; });
}

std::string code_of(Rule rule) {
  return fmt::format("SL{:03}", static_cast<int>(rule));
}

bool has_errors(std::span<const Diagnostic> diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return info_of(diagnostic.rule).severity == Severity::Error;
  });
}

std::string render(std::span<const Diagnostic> diagnostics, DiagnosticFormat format) {
  std::string out;
  if (format != DiagnosticFormat::Json) {
    for (const auto& diagnostic : diagnostics)
      out += format == DiagnosticFormat::Text ? as_text(diagnostic) : as_github(diagnostic);
    return out;
  }
  for (const auto& diagnostic : diagnostics) {
    out += out.empty() ? "[\n  " : ",\n  ";
    out += as_json(diagnostic);
  }
  return out.empty() ? "[]\n" : out + "\n]\n";
}

std::string json_quoted(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

}  // namespace sluice::app
