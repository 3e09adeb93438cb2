#include <fmt/format.h>

#include "app/commands/check.h"
#include "app/config_names.h"
#include "app/config_table.h"

namespace sluice::app {
namespace {

std::string where(const Given& given) {
  const auto& place = given.place;
  if (given.layer != Layer::File || place.line == 0) return place.source;
  return fmt::format("{}:{}:{}", place.source, place.line, place.column);
}

std::string as_text(const std::string& path, const Property& row, const std::vector<Given>& all) {
  std::string out = fmt::format("{} = {}\n", path, all.empty() ? "(not set)" : all.front().value);
  for (size_t i = 0; i < all.size(); ++i)
    out += i == 0 ? fmt::format("  decided by  {}\n", where(all[i]))
                  : fmt::format("  shadows     {} = {}\n", where(all[i]), all[i].value);
  const auto variable = env_name(row);
  if (!variable.empty()) out += fmt::format("  variable    {}\n", variable);
  out +=
      fmt::format("  reload      {}\n", row.reload == Reload::Live ? "at once" : "needs a restart");
  return out + fmt::format("  meaning     {}\n", row.doc);
}

std::string as_json(const std::string& path, const Property& row, const std::vector<Given>& all) {
  std::string shadowed;
  for (size_t i = 1; i < all.size(); ++i)
    shadowed += fmt::format(R"({}{{"value":{},"source":{}}})", i == 1 ? "" : ",",
                            json_quoted(all[i].value), json_quoted(where(all[i])));
  return fmt::format(
      R"({{"key":{},"value":{},"source":{},"shadowed":[{}],"reloadable":{},"doc":{}}})",
      json_quoted(path), all.empty() ? "null" : json_quoted(all.front().value),
      all.empty() ? "null" : json_quoted(where(all.front())), shadowed, row.reload == Reload::Live,
      json_quoted(row.doc));
}

class Explanation {
 public:
  Explanation(const Loaded& loaded, ExplainFormat format) : loaded_(loaded), format_(format) {}

  void add(const std::string& path, const Property& row) {
    const bool json = format_ == ExplainFormat::Json;
    const auto& all = loaded_.provenance.of(path);
    if (!text_.empty()) text_ += json ? ",\n  " : "\n";
    text_ += json ? as_json(path, row, all) : as_text(path, row, all);
  }
  // Every setting that has a value, in short.
  void add_all() {
    for (const auto& [path, given] : loaded_.provenance.all()) {
      const auto found = match(path);
      if (found.row == nullptr) continue;
      if (format_ == ExplainFormat::Json)
        add(path, *found.row);
      else
        text_ += fmt::format("{} = {}  ({})\n", path, given.front().value, where(given.front()));
    }
  }
  // Every setting below `section` that has a value.
  void add_below(std::string_view section) {
    const std::string prefix = fmt::format("{}.", section);
    for (const auto& [path, given] : loaded_.provenance.all())
      if (path.starts_with(prefix))
        if (const auto found = match(path); found.row != nullptr) add(path, *found.row);
  }
  bool empty() const { return text_.empty(); }
  std::string take() const {
    return format_ == ExplainFormat::Json ? fmt::format("[\n  {}\n]\n", text_) : text_;
  }

 private:
  const Loaded& loaded_;
  ExplainFormat format_;
  std::string text_;
};

CommandResult no_such_key(std::string_view key) {
  std::vector<std::string_view> keys;
  for (const auto& row : properties()) keys.push_back(row.key);
  const auto hint = did_you_mean(key, keys);
  return {
      .exit_code = kExitInvalid,
      .out = "",
      .err = fmt::format("no setting is called `{}`{}{}\n", key, hint.empty() ? "" : "; ", hint)};
}

// Whether the thing a starred key speaks of is configured at all.
bool has_entry(const Loaded& loaded, const Property& row, const std::string& name) {
  const size_t star = row.key.find('*');
  if (star == std::string_view::npos) return true;
  const std::string entry = fmt::format("{}{}", row.key.substr(0, star), name);
  return loaded.provenance.knows(entry);
}

}  // namespace

CommandResult explain_key(const LoadInput& input, std::string_view key, ExplainFormat format) {
  const auto found = match(key);
  if (found.row == nullptr && !key.empty()) return no_such_key(key);
  const auto outcome = load(input);
  if (!outcome.loaded)
    return {.exit_code = kExitInvalid,
            .out = "",
            .err = render(outcome.diagnostics, DiagnosticFormat::Text)};
  Explanation explanation(*outcome.loaded, format);
  if (key.empty())
    explanation.add_all();
  else if (is_section(*found.row))
    explanation.add_below(key);
  else if (has_entry(*outcome.loaded, *found.row, found.name))
    explanation.add(std::string(key), *found.row);
  if (explanation.empty())
    return {.exit_code = kExitInvalid,
            .out = "",
            .err = fmt::format("nothing is configured under `{}`\n", key)};
  return {.out = explanation.take()};
}

}  // namespace sluice::app
