#include "app/commands/import.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "app/commands/import_draft.h"
#include "app/commands/import_litellm.h"
#include "app/commands/import_portkey.h"

namespace sluice::app {
namespace {

constexpr int kExitDiffers = 1;

struct Heading {
  Fate fate;
  std::string_view title;  // for people
  std::string_view key;    // for programs
};
constexpr auto kHeadings = std::to_array<Heading>({
    {Fate::Carried, "carried over", "carried"},
    {Fate::Differs, "differs", "differs"},
    {Fate::Missing, "has no counterpart", "missing"},
});

std::string text_report(const Draft& draft) {
  std::string out;
  for (const Heading& heading : kHeadings) {
    std::string lines;
    for (const ImportNote& note : draft.notes)
      if (note.fate == heading.fate) lines += fmt::format("  {}: {}\n", note.path, note.text);
    if (!lines.empty()) out += fmt::format("{}:\n{}", heading.title, lines);
  }
  if (!draft.variables.empty())
    out += fmt::format("set before the start:\n  {}\n", fmt::join(draft.variables, "\n  "));
  return out;
}

std::string json_report(const Draft& draft) {
  std::string out = "{";
  for (const Heading& heading : kHeadings) {
    std::string items;
    for (const ImportNote& note : draft.notes)
      if (note.fate == heading.fate)
        items += fmt::format("{}{{\"path\":{},\"text\":{}}}", items.empty() ? "" : ",",
                             json_quoted(note.path), json_quoted(note.text));
    out += fmt::format("\"{}\":[{}],", heading.key, items);
  }
  std::string names;
  for (const std::string& name : draft.variables)
    names += (names.empty() ? "" : ",") + json_quoted(name);
  return out + "\"variables\":[" + names + "]}\n";
}

// What `check` would say of it where the variables are set.
LoadOutcome trial(const std::string& yaml, const std::vector<std::string>& variables) {
  LoadInput input;
  input.file_name = "the import";
  input.text = yaml;
  input.around.env = [&variables](std::string_view name) -> std::optional<std::string> {
    if (std::find(variables.begin(), variables.end(), name) == variables.end()) return std::nullopt;
    // What stands for a URL does for a key as well.
    return name == kAccountVariable ? "account" : "http://127.0.0.1:1";
  };
  input.around.read_file = [](std::string_view) -> Result<std::string> {
    return Error(Outcome::BadRequest, "not read");
  };
  return load(input);
}

CommandResult unusable(std::string message) {
  return {.exit_code = kExitInvalid, .out = "", .err = std::move(message)};
}

}  // namespace

CommandResult import_configuration(ImportFrom from, const std::string& file_name,
                                   const std::string& text, ReportFormat format) {
  const Tree tree = parse_tree(file_name, text);
  if (!tree.root || has_errors(tree.diagnostics))
    return unusable(render(tree.diagnostics, DiagnosticFormat::Text));
  const bool portkey = from == ImportFrom::Portkey;
  if (tree.root->kind != Node::Kind::Map ||
      (!portkey && member(*tree.root, "model_list") == nullptr))
    return unusable(fmt::format("sluice: {} is no {} configuration\n", file_name,
                                portkey ? "Portkey" : "LiteLLM"));
  Draft draft;
  if (portkey)
    import_portkey(*tree.root, draft);
  else
    import_litellm(*tree.root, draft);
  CommandResult result;
  result.out = draft.yaml(portkey ? "Portkey" : "LiteLLM");
  if (const LoadOutcome outcome = trial(result.out, draft.variables); !outcome.loaded)
    return unusable(fmt::format("sluice: {} gives no usable configuration:\n{}", file_name,
                                render(outcome.diagnostics, DiagnosticFormat::Text)));
  const bool all = std::all_of(draft.notes.begin(), draft.notes.end(),
                               [](const ImportNote& note) { return note.fate == Fate::Carried; });
  result.exit_code = all ? kExitOk : kExitDiffers;
  result.err = format == ReportFormat::Json ? json_report(draft) : text_report(draft);
  return result;
}

}  // namespace sluice::app
