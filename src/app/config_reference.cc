#include "app/config_reference.h"

#include <fmt/format.h>
#include <type_traits>
#include <utility>

#include "app/config_table.h"

namespace sluice::app {
namespace {

constexpr std::string_view kPreface = R"(# Configuration

<!-- Made from the table in src/app/config_table.cc by `sluice config reference`. Do not edit. -->

One YAML or JSON file, given by `sluice serve --config FILE`. Everything has a default except what
the tables below call required; an empty file starts a gateway.

```yaml test=example
providers:
  openai:  {kind: openai, api_key: ${OPENAI_API_KEY}}
  local:   {kind: openai, base_url: http://127.0.0.1:8000/v1, models: [llama-3.3-70b]}
tiers:
  fast: [openai/gpt-5.4-mini, local/llama-3.3-70b]
aliases:
  gpt-4: fast
```

- `sluice check FILE` finds mistakes, asking nobody but Pulumi ESC: `file:line:col`, the line, a
  caret and what was probably meant. `--format json` and `--format github` are for programs.
  Exit code 0: usable (perhaps with warnings), 2: not. `sluice explain SL201` explains a rule.
- `sluice config explain KEY --config FILE` says which value a setting has, who decided it, and which
  other values it shadows; without KEY, it lists all settings.
- `sluice schema` prints a JSON Schema for editors; `schema.json` beside this page is that output.
- SIGHUP or a changed file loads the configuration anew. A faulty file changes nothing: the old
  configuration stays in force. Settings marked *restart* keep their old value until a restart.

**Precedence.** Command line, then environment, then file, then default. The environment variable of
a setting stands in its table.

**Substitution.** Any value may hold `${NAME}`, `${NAME:-default}` (for a variable that is unset or
empty), `${file:/path}` (without the file's last line break), `${secret:NAME}` (stored by `sluice
secrets set NAME`) and `${esc:ORG/PROJECT/ENV:path}` (of a Pulumi ESC environment): see
[secrets.md](secrets.md). An unset variable is an error. If
`NAME` is unset and `NAME_FILE` is set, the value is the content of the file it names. `$$` is a
plain dollar sign.

**Units.** Durations: `500ms`, `30s`, `10m`, `1h`. Sizes: `64KiB`, `32MiB`, `1GiB` (powers of two),
`64KB`, `32MB`, `1GB` (powers of ten), or bytes without a unit.

**Names.** A target is `provider/model`; everything after the first slash is the model. The names of
providers, tiers and aliases must differ. An entry of a tier may name another tier or an alias.
)";

template <class T>
std::string type_name() {
  if constexpr (std::is_enum_v<T>) {
    std::string names;
    for (const auto name : names_of(T{}))
      names += fmt::format("{}`{}`", names.empty() ? "" : ", ", name);
    return names;
  } else if constexpr (std::is_same_v<T, bool>) {
    return "`true`, `false`";
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return "number";
  } else if constexpr (std::is_same_v<T, Duration>) {
    return "duration";
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return "size";
  } else if constexpr (std::is_same_v<T, Secret>) {
    return "secret";
  } else if constexpr (std::is_same_v<T, Address>) {
    return "host:port";
  } else if constexpr (std::is_same_v<T, BaseUrl> || std::is_same_v<T, Proxy>) {
    return "URL";
  } else if constexpr (std::is_same_v<T, Price>) {
    return "dollars";
  } else if constexpr (std::is_same_v<T, Percent>) {
    return "share";
  } else if constexpr (std::is_same_v<T, WordMap>) {
    return "map of words";
  } else if constexpr (std::is_same_v<T, Subtree>) {
    return "map";
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return "list";
  } else if constexpr (std::is_same_v<T, std::vector<Header>>) {
    return "map of secrets";
  } else if constexpr (std::is_same_v<T, Route>) {
    return "target or list";
  } else {
    return "text";
  }
}

template <class T>
std::string bounds(const Limits& limits) {
  if constexpr (std::is_same_v<T, int64_t>) {
    return fmt::format(", {} to {}", limits.min, limits.max);
  } else if constexpr (std::is_same_v<T, Duration>) {
    return fmt::format(", {} to {}", text_of(Duration(limits.min)), text_of(Duration(limits.max)));
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return fmt::format(", {} to {}", text_of(Bytes{static_cast<uint64_t>(limits.min)}),
                       text_of(Bytes{static_cast<uint64_t>(limits.max)}));
  } else {
    return "";
  }
}

std::string type_cell(const Property& row) {
  return std::visit(
      [&row](auto slot) -> std::string {
        if constexpr (std::is_pointer_v<decltype(slot)>) {
          using Value = std::remove_cvref_t<decltype(slot(std::declval<Settings&>(), ""))>;
          return type_name<Value>() + bounds<Value>(row.limits);
        } else {
          return "map";
        }
      },
      row.slot);
}

std::string default_cell(const Property& row) {
  if (row.required) return "**required**";
  if (!row.derived.empty()) return std::string(row.derived);
  return row.fallback.empty() ? "" : fmt::format("`{}`", row.fallback);
}

std::string shown(std::string_view key) {
  std::string out(key);
  if (const size_t star = out.find('*'); star != std::string::npos) out.replace(star, 1, "NAME");
  return out;
}

// True for a row that gets a heading and a table of its own.
bool has_table(const Property& row) {
  return is_section(row) && row.key.find('.') == std::string_view::npos;
}

std::string line_of(const Property& row) {
  const auto variable = env_name(row);
  return fmt::format("| `{}` | {} | {} | {}{}{} |\n", shown(row.key), type_cell(row),
                     default_cell(row), row.doc,
                     variable.empty() ? "" : fmt::format(" `{}`", variable),
                     row.reload == Reload::Restart ? " *restart*" : "");
}

constexpr std::string_view kTableHead =
    "\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n";

std::string rule_table() {
  std::string out = "\n## Rules\n\n| code | | what is wrong |\n| --- | --- | --- |\n";
  for (const auto& info : rules())
    out += fmt::format("| {} | {} | {}. {} |\n", code_of(info.rule),
                       info.severity == Severity::Error ? "error" : "warning", info.title,
                       info.explanation);
  return out;
}

}  // namespace

std::string reference_page() {
  std::string out(kPreface);
  out += fmt::format("\n## Top level\n{}", kTableHead);
  for (const auto& row : properties())
    if (row.key.find('.') == std::string_view::npos && !has_table(row)) out += line_of(row);
  for (const auto& section : properties()) {
    if (!has_table(section)) continue;
    out += fmt::format("\n## {}\n\n{}\n{}", section.key, section.doc, kTableHead);
    for (const auto& row : properties())
      if (row.key.starts_with(fmt::format("{}.", section.key)) && !is_section(row))
        out += line_of(row);
  }
  return out + rule_table();
}

}  // namespace sluice::app
