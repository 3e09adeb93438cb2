#include "providers/lab_schema.h"

#include <algorithm>
#include <string_view>

#include "base/text_out.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// A schema may refer to itself: below this depth only what is required is made, and at twice the
// depth nothing.
constexpr int kDeep = 6;

class Example {
 public:
  Example(element root, LabRandom& random) : root_(root), random_(random) {}
  std::string take() { return std::move(out_); }

  void value(element schema, int depth) {
    object rules;
    if (schema.get(rules) != simdjson::SUCCESS || depth > 2 * kDeep) {
      out_ += depth > 2 * kDeep ? "null" : R"("anything")";
      return;
    }
    if (fixed(rules) || branch(rules, depth)) return;
    const std::string_view type = type_of(rules);
    if (type == "object") {
      members(rules, depth);
    } else if (type == "array") {
      items(rules, depth);
    } else if (type == "integer" || type == "number") {
      number(rules, type == "integer");
    } else if (type == "boolean") {
      out_ += random_.below(2) == 0 ? "false" : "true";
    } else if (type == "null") {
      out_ += "null";
    } else {
      text(rules);
    }
  }

 private:
  bool fixed(object rules) {
    element constant;
    if (rules.at_key("const").get(constant) == simdjson::SUCCESS) {
      out_ += simdjson::minify(constant);
      return true;
    }
    array values;
    if (rules.at_key("enum").get(values) != simdjson::SUCCESS || values.size() == 0) return false;
    element chosen;
    if (values.at(random_.below(values.size())).get(chosen) != simdjson::SUCCESS) return false;
    out_ += simdjson::minify(chosen);
    return true;
  }

  bool branch(object rules, int depth) {
    std::string_view reference;
    element target;
    if (rules.at_key("$ref").get(reference) == simdjson::SUCCESS && reference.starts_with('#')) {
      const std::string_view pointer = reference.substr(1);
      const bool found =
          pointer.empty() || root_.at_pointer(pointer).get(target) == simdjson::SUCCESS;
      value(pointer.empty() ? root_ : (found ? target : root_), depth + 1);
      return true;
    }
    for (const char* key : {"anyOf", "oneOf", "allOf"}) {
      array branches;
      if (rules.at_key(key).get(branches) == simdjson::SUCCESS && branches.size() > 0) {
        value(*branches.begin(), depth + 1);
        return true;
      }
    }
    return false;
  }

  // The first type named, or the one its other rules speak of.
  static std::string_view type_of(object rules) {
    std::string_view type;
    if (rules.at_key("type").get(type) == simdjson::SUCCESS) return type;
    array types;
    if (rules.at_key("type").get(types) == simdjson::SUCCESS && types.size() > 0 &&
        (*types.begin()).get(type) == simdjson::SUCCESS) {
      return type;
    }
    element ignored;
    if (rules.at_key("properties").get(ignored) == simdjson::SUCCESS) return "object";
    if (rules.at_key("items").get(ignored) == simdjson::SUCCESS) return "array";
    return "string";
  }

  static bool is_required(object rules, std::string_view name) {
    array required;
    if (rules.at_key("required").get(required) != simdjson::SUCCESS) return false;
    return std::ranges::any_of(required, [name](element one) {
      std::string_view text;
      return one.get(text) == simdjson::SUCCESS && text == name;
    });
  }

  void members(object rules, int depth) {
    out_ += '{';
    bool first = true;
    object properties;
    if (rules.at_key("properties").get(properties) == simdjson::SUCCESS) {
      for (const auto [name, schema] : properties) {
        if (depth >= kDeep && !is_required(rules, name)) continue;
        if (!first) out_ += ',';
        first = false;
        append_json(out_, name);
        out_ += ':';
        value(schema, depth + 1);
      }
    }
    out_ += '}';
  }

  void items(object rules, int depth) {
    const int64_t least = bound(rules, "minItems", depth >= kDeep ? 0 : 1);
    element item;
    const bool typed = rules.at_key("items").get(item) == simdjson::SUCCESS;
    out_ += '[';
    for (int64_t i = 0; i < std::min<int64_t>(least, 64); ++i) {
      if (i > 0) out_ += ',';
      if (typed) {
        value(item, depth + 1);
      } else {
        append_json(out_, lab_word(random_));
      }
    }
    out_ += ']';
  }

  static int64_t bound(object rules, const char* key, int64_t otherwise) {
    element found;
    int64_t whole = 0;
    double real = 0;
    if (rules.at_key(key).get(found) != simdjson::SUCCESS) return otherwise;
    if (found.get(whole) == simdjson::SUCCESS) return whole;
    return found.get(real) == simdjson::SUCCESS ? static_cast<int64_t>(real) : otherwise;
  }

  void number(object rules, bool whole) {
    const int64_t least = bound(rules, "minimum", bound(rules, "exclusiveMinimum", 0) + 1);
    const int64_t most = bound(rules, "maximum", bound(rules, "exclusiveMaximum", least + 100) - 1);
    const auto span = static_cast<uint64_t>(std::max<int64_t>(0, most - least));
    append_int(out_,
               least + static_cast<int64_t>(random_.below(std::min<uint64_t>(span, 100) + 1)));
    if (!whole && span == 0) out_ += ".0";
  }

  void text(object rules) {
    std::string_view format;
    std::string made;
    if (rules.at_key("format").get(format) == simdjson::SUCCESS) made = formatted(format);
    if (made.empty()) made = lab_word(random_);
    const auto least =
        static_cast<size_t>(std::clamp<int64_t>(bound(rules, "minLength", 0), 0, 4096));
    const auto most =
        static_cast<size_t>(std::clamp<int64_t>(bound(rules, "maxLength", 4096), 0, 4096));
    while (made.size() < least) made += lab_word(random_);
    if (made.size() > std::max(most, least)) made.resize(std::max(most, least));
    append_json(out_, made);
  }

  static std::string formatted(std::string_view format) {
    if (format == "date") return "2026-11-23";
    if (format == "date-time") return "2026-11-23T09:00:00Z";
    if (format == "time") return "09:00:00Z";
    if (format == "email") return "amber@example.com";
    if (format == "uri") return "https://example.com/lab";
    if (format == "uuid") return "00000000-0000-4000-8000-000000000001";
    return "";
  }

  element root_;
  LabRandom& random_;
  std::string out_;
};

}  // namespace

std::string lab_example(element schema, LabRandom& random) {
  Example example(schema, random);
  example.value(schema, 0);
  return example.take();
}

}  // namespace sluice::providers
