#include "app/config.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <iterator>
#include <tuple>
#include <utility>

#include "app/config_environment.h"
#include "app/config_finish.h"
#include "app/config_reader.h"
#include "app/config_routes.h"
#include "app/config_strategy_check.h"
#include "app/config_tree.h"
#include "app/directory_builder.h"

namespace sluice::app {
namespace {

constexpr size_t kMaxFile = 1 << 20;
constexpr size_t kLongestExcerpt = 200;  // a longer line says nothing on a terminal

bool continues_utf8(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// `line` with the characters of every blot in it made illegible, and no byte a terminal would obey.
std::string legible(std::string_view line, int number, const std::vector<Spot>& blots) {
  std::string out;
  int column = 0;
  for (char c : line) {
    if (continues_utf8(c) && !out.empty() && out.back() == '*') continue;
    if (!continues_utf8(c)) ++column;
    const bool hidden = std::any_of(blots.begin(), blots.end(), [&](const Spot& blot) {
      return blot.line == number && column >= blot.column && column < blot.column + blot.length;
    });
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\t';
    out += hidden ? '*' : control ? '?' : c;
  }
  return out;
}

// A text that is no YAML has no nodes to tell secrets by: then whatever could be a key is hidden,
// and whatever stands before an '@'.
std::vector<Spot> suspicious_words(const SourceText& text) {
  constexpr int kShortestKey = 16;
  std::vector<Spot> out;
  for (int number = 1; number <= text.line_count(); ++number) {
    int column = 0;
    Spot word{.line = number, .column = 1, .length = 0};
    for (char c : std::string(text.line(number)) + " ") {
      if (continues_utf8(c)) continue;
      ++column;
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') {
        ++word.length;
        continue;
      }
      if (word.length >= kShortestKey || c == '@') out.push_back(word);
      word = Spot{.line = number, .column = column + 1, .length = 0};
    }
  }
  return out;
}

void add_excerpts(std::vector<Diagnostic>& diagnostics, std::string_view source,
                  const SourceText& text, const std::vector<Spot>& blots) {
  for (auto& diagnostic : diagnostics) {
    const auto& place = diagnostic.place;
    if (place.line == 0 || place.source != source) continue;
    const auto line = text.line(place.line);
    if (line.size() <= kLongestExcerpt) diagnostic.excerpt = legible(line, place.line, blots);
  }
}

// In the order of the file; what stands in no file comes last.
void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  const auto rank = [](const Diagnostic& diagnostic) {
    const auto& place = diagnostic.place;
    return std::make_tuple(place.line == 0, place.line, place.column);
  };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&rank](const Diagnostic& a, const Diagnostic& b) { return rank(a) < rank(b); });
}

LoadOutcome unreadable(const std::string& file, std::string message) {
  Diagnostic diagnostic{.rule = Rule::UnreadableFile, .place = {}, .message = std::move(message)};
  diagnostic.place.source = file;
  LoadOutcome outcome;
  outcome.diagnostics.push_back(std::move(diagnostic));
  return outcome;
}

void add_price_warnings(const LoadInput& input, LoadOutcome& outcome) {
  if (!input.priced) return;
  auto warnings = check_prices(*outcome.loaded, input.priced(outcome.loaded->settings.prices));
  std::move(warnings.begin(), warnings.end(), std::back_inserter(outcome.diagnostics));
}

// Looked at last: whether they can be used depends on the machine, not on the text.
void try_files(const LoadInput& input, Reader& reader) {
  if (!input.trials || has_errors(reader.diagnostics)) return;
  for (auto& fault : input.trials(reader.settings)) {
    Place place = reader.provenance.place_of(fault.key);
    reader.complain(Rule::UnusableFile, std::move(place), std::move(fault.key),
                    std::move(fault.message));
  }
}

// Each layer shadows the ones before.
void read_layers(Reader& reader, const LoadInput& input, const Node& root) {
  reader.read_defaults();
  reader.read_file(root);
  reader.read_environment();
  for (const auto& [key, value, flag] : input.overrides) reader.read_override(key, value, flag);
}

// What may be substituted. Stored secrets lie in the data directory, which the same file may name:
// it is read once for that alone, with a word in place of each secret.
Surroundings surroundings_for(const LoadInput& input, const Node& root) {
  Surroundings around = input.around;
  const bool wanted = input.text && input.text->find("${secret:") != std::string::npos;
  if (!wanted || !around.secrets_in) return around;
  around.secret = [](std::string_view) { return Result<std::string>("placeholder"); };
  Reader first(input.file_name, around);
  read_layers(first, input, root);
  around.secret = around.secrets_in(first.settings.server.data_dir);
  return around;
}

// Everything after the file was parsed.
LoadOutcome fill(const LoadInput& input, const Node& root, const SourceText& text,
                 std::vector<Diagnostic> complaints) {
  const Surroundings around = surroundings_for(input, root);
  Reader reader(input.file_name, around);
  reader.diagnostics = std::move(complaints);
  read_layers(reader, input, root);

  const bool names_providers =
      std::any_of(root.keys.begin(), root.keys.end(),
                  [](const Node::Key& key) { return key.name == "providers"; });
  std::vector<std::string> notes;
  if (!names_providers) notes = add_environment_providers(reader, input.around);
  derive(reader, input.around);
  check_together(reader);
  resolve_routes(reader);
  check_strategies(reader);
  check_router(reader);
  check_governance(reader);
  try_files(input, reader);

  LoadOutcome outcome;
  outcome.diagnostics = std::move(reader.diagnostics);
  if (!has_errors(outcome.diagnostics)) {
    outcome.loaded.emplace();
    outcome.loaded->settings = std::move(reader.settings);
    outcome.loaded->provenance = std::move(reader.provenance);
    std::move(reader.notes.begin(), reader.notes.end(), std::back_inserter(notes));
    outcome.loaded->notes = std::move(notes);
    add_price_warnings(input, outcome);
  }
  add_excerpts(outcome.diagnostics, input.file_name, text, reader.blots);
  sort_by_place(outcome.diagnostics);
  return outcome;
}

}  // namespace

LoadInput input_from(const std::string& file_name, const Surroundings& around) {
  LoadInput input;
  input.file_name = file_name;
  input.around = around;
  if (file_name.empty()) return input;
  Result<std::string> text = around.read_file(file_name);
  if (text)
    input.text = *std::move(text);
  else
    input.unreadable = text.error().message();
  return input;
}

LoadOutcome load(const LoadInput& input) {
  if (!input.unreadable.empty())
    return unreadable(input.file_name, "cannot be read: " + input.unreadable);
  if (!input.text) return fill(input, Node{}, SourceText(), {});
  if (input.text->size() > kMaxFile)
    return unreadable(input.file_name, "the file is larger than 1 MiB");
  auto tree = parse_tree(input.file_name, *input.text);
  if (tree.root) return fill(input, *tree.root, tree.text, std::move(tree.diagnostics));
  LoadOutcome outcome;
  outcome.diagnostics = std::move(tree.diagnostics);
  add_excerpts(outcome.diagnostics, input.file_name, tree.text, suspicious_words(tree.text));
  return outcome;
}

}  // namespace sluice::app
