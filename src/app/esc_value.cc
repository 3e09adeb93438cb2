#include "app/esc_value.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <simdjson.h>
#include <utility>
#include <vector>

namespace sluice::app {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kCurrent = "current";
constexpr std::string_view kPrevious = "previous";

struct Step {
  std::string name;
  std::optional<size_t> index;  // of a list, in place of a name
};

Error bad(std::string message) {
  return Error(Outcome::BadRequest, std::move(message));
}

class PathReader {
 public:
  explicit PathReader(std::string_view path) : path_(path), rest_(path) {}

  Result<std::vector<Step>> read() {
    std::vector<Step> steps;
    do {
      Step step;
      if (!read_step(steps.empty(), step))
        return bad(
            fmt::format("`{}` is no path such as openai.apiKey, list[0] or [\"a name\"]", path_));
      steps.push_back(std::move(step));
    } while (!rest_.empty());
    return steps;
  }

 private:
  bool read_step(bool first, Step& step) {
    if (rest_.starts_with('[')) {
      rest_.remove_prefix(1);
      const bool read = rest_.starts_with('"') ? read_quoted(step.name) : read_index(step.index);
      if (!read || !rest_.starts_with(']')) return false;
      rest_.remove_prefix(1);
      return true;
    }
    if (!first) {
      if (!rest_.starts_with('.')) return false;
      rest_.remove_prefix(1);
    }
    const size_t end = std::min(rest_.find_first_of(".[]\""), rest_.size());
    step.name = std::string(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return !step.name.empty();
  }

  bool read_index(std::optional<size_t>& to) {
    size_t index = 0;
    const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), index);
    if (read.ec != std::errc()) return false;
    rest_.remove_prefix(static_cast<size_t>(read.ptr - rest_.data()));
    to = index;
    return true;
  }

  // A backslash stands before a quote or a backslash.
  bool read_quoted(std::string& to) {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      to += rest_.front();
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view path_;
  std::string_view rest_;
};

// What stands below `value` of a node; nothing: null.
using Value = std::optional<dom::element>;

Value present(dom::element element) {
  return element.is_null() ? Value() : Value(element);
}

class Walk {
 public:
  Walk(Value root, std::string_view path) : value_(root), path_(path) {}

  Result<void> take(const Step& step) {
    if (!value_ && in_previous_) return {};
    if (!value_) return missing();
    in_previous_ = in_previous_ || step.name == kPrevious;
    dom::element node;
    if (step.index) {
      dom::array list;
      if (value_->get(list) != simdjson::SUCCESS || list.at(*step.index).get(node))
        return missing();
      return enter(node);
    }
    dom::object object;
    if (value_->get(object) != simdjson::SUCCESS) return missing();
    if (object[step.name].get(node) == simdjson::SUCCESS) return enter(node);
    if (!is_rotated(object)) return missing();
    if (step.name == kPrevious) {
      value_.reset();
      return {};
    }
    if (Result<void> entered = enter(object[kCurrent].value_unsafe()); !entered) return entered;
    if (!value_ || value_->get(object) != simdjson::SUCCESS ||
        object[step.name].get(node) != simdjson::SUCCESS)
      return missing();
    return enter(node);
  }

  Result<std::string> text() {
    dom::object object;
    if (value_ && value_->get(object) == simdjson::SUCCESS && is_rotated(object))
      if (Result<void> entered = enter(object[kCurrent].value_unsafe()); !entered)
        return std::move(entered).error();
    if (!value_) return std::string();
    std::string_view words;
    if (value_->get(words) == simdjson::SUCCESS) return std::string(words);
    if (value_->is_object() || value_->is_array())
      return bad(fmt::format("`{}` is no single value: name one in it", path_));
    return simdjson::minify(*value_);
  }

 private:
  // It has a `current`, and what else there may be is the `previous`.
  static bool is_rotated(dom::object object) {
    if (object[kCurrent].error() != simdjson::SUCCESS) return false;
    return object[kPrevious].error() == simdjson::SUCCESS || object.size() == 1;
  }

  Result<void> enter(dom::element node) {
    dom::object wrapped;
    if (node.get(wrapped) != simdjson::SUCCESS) return bad("it is not in the form of the ESC API");
    bool unknown = false;
    if (wrapped["unknown"].get(unknown) == simdjson::SUCCESS && unknown)
      return bad(fmt::format("`{}` is not known yet", path_));
    dom::element value;
    value_ = wrapped["value"].get(value) == simdjson::SUCCESS ? present(value) : Value();
    return {};
  }

  Error missing() const { return bad(fmt::format("it has no value at `{}`", path_)); }

  Value value_;
  bool in_previous_ = false;
  std::string_view path_;
};

}  // namespace

Result<void> check_esc_path(std::string_view path) {
  Result<std::vector<Step>> steps = PathReader(path).read();
  return steps ? Result<void>() : std::move(steps).error();
}

Result<std::string> esc_value(std::string_view session, std::string_view path) {
  Result<std::vector<Step>> steps = PathReader(path).read();
  if (!steps) return std::move(steps).error();
  dom::parser parser;
  const simdjson::padded_string padded(session);
  dom::element root;
  dom::element properties;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS)
    return bad("what the ESC API gave is no JSON");
  Walk walk(root["properties"].get(properties) == simdjson::SUCCESS ? present(properties) : Value(),
            path);
  for (const Step& step : *steps)
    if (Result<void> taken = walk.take(step); !taken) return std::move(taken).error();
  return walk.text();
}

}  // namespace sluice::app
