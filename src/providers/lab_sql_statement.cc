#include "providers/lab_sql_statement.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sluice::providers {
namespace {

struct Token {
  std::string text;  // upper case, unless quoted
  std::string raw;
  size_t at = 0;
  bool quoted = false;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\n') {
      ++i;
      continue;
    }
    Token token;
    token.at = i;
    size_t size = 1;
    if (text[i] == '"') {
      const size_t end = text.find('"', i + 1);
      size = (end == std::string_view::npos ? text.size() - 1 : end) - i + 1;
      token.quoted = true;
    } else if (is_word(text[i])) {
      while (i + size < text.size() && is_word(text[i + size])) ++size;
    } else if (const std::string_view two = text.substr(i, 2);
               two == "::" || two == "=>" || two == ">=") {
      size = 2;
    }
    token.raw = text.substr(i, size);
    token.text = token.quoted ? token.raw.substr(1, token.raw.size() - 2) : upper(token.raw);
    tokens.push_back(std::move(token));
    i += size;
  }
  return tokens;
}

std::optional<LabSqlType> type_named(std::string_view name) {
  struct Name {
    std::string_view name;
    LabSqlType type;
  };
  constexpr auto kTypes = std::to_array<Name>({{"VARCHAR", LabSqlType::Varchar},
                                               {"NUMBER", LabSqlType::Number},
                                               {"BOOLEAN", LabSqlType::Boolean},
                                               {"TIMESTAMP_NTZ", LabSqlType::Timestamp},
                                               {"VARIANT", LabSqlType::Variant}});
  const auto* const found = std::ranges::find(kTypes, name, &Name::name);
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

// Reads on while what comes is what should. The first that is not is the fault.
class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(tokens_of(text)) {}

  LabSqlStatement run() {
    LabSqlStatement statement;
    if (comes("CREATE")) {
      statement.create = create();
    } else {
      statement.merge = merge();
    }
    if (fault_.empty() && at_ < tokens_.size()) unexpected();
    statement.fault = std::move(fault_);
    return statement;
  }

 private:
  bool comes(std::string_view word) const {
    return at_ < tokens_.size() && !tokens_[at_].quoted && tokens_[at_].text == word;
  }
  bool take(std::string_view word) {
    if (!fault_.empty() || !comes(word)) return false;
    ++at_;
    return true;
  }
  // Several words, one after another.
  void expect(std::string_view words) {
    while (!words.empty() && fault_.empty()) {
      const size_t space = words.find(' ');
      if (!take(words.substr(0, space))) return unexpected();
      words.remove_prefix(space == std::string_view::npos ? words.size() : space + 1);
    }
  }
  void unexpected() {
    if (!fault_.empty()) return;
    const bool end = at_ >= tokens_.size();
    fault_ =
        fmt::format("SQL compilation error:\nsyntax error line 1 at position {} unexpected '{}'.",
                    end ? 0 : tokens_[at_].at, end ? "<EOF>" : tokens_[at_].raw);
  }
  std::string name() {
    const bool good = fault_.empty() && at_ < tokens_.size() &&
                      (tokens_[at_].quoted || is_word(tokens_[at_].raw.front()));
    if (!good) {
      unexpected();
      return "";
    }
    return tokens_[at_++].text;
  }
  // A path keeps its case.
  std::string path() {
    const size_t at = at_;
    return name().empty() ? "" : tokens_[at].raw;
  }
  LabSqlType type() {
    const auto found = at_ < tokens_.size() ? type_named(tokens_[at_].text) : std::nullopt;
    if (!found) {
      unexpected();
      return LabSqlType::Variant;
    }
    ++at_;
    if (take("(")) {
      name();
      if (take(",")) name();
      expect(")");
    }
    return *found;
  }
  // `item`, as often as a comma follows.
  template <class Item>
  void list(Item&& item) {
    do {
      item();
    } while (take(","));
  }

  LabSqlCreate create() {
    LabSqlCreate out;
    expect("CREATE TABLE IF NOT EXISTS");
    out.table = name();
    expect("(");
    list([&] {
      LabSqlColumn column;
      column.name = name();
      column.type = type();
      column.not_null = take("NOT");
      if (column.not_null) expect("NULL");
      out.columns.push_back(std::move(column));
    });
    expect(")");
    return out;
  }

  void item(LabSqlMerge& out) {
    LabSqlMerge::Item one;
    const bool stripped = take("STRIP_NULL_VALUE");
    expect(stripped ? "( VALUE :" : "VALUE :");
    one.path = path();
    if (stripped) {
      expect(")");
    } else {
      expect("::");
      one.type = type();
    }
    expect("AS");
    one.name = name();
    out.items.push_back(std::move(one));
  }

  LabSqlMerge merge() {
    LabSqlMerge out;
    expect("MERGE INTO");
    out.table = name();
    expect("AS T USING ( SELECT");
    list([&] { item(out); });
    expect("FROM TABLE ( FLATTEN ( INPUT => PARSE_JSON ( ? ) ) ) ) AS S ON T .");
    out.key = name();
    expect("= S .");
    if (name() != out.key) unexpected();
    expect("WHEN MATCHED");
    if (take("AND")) {
      expect("S .");
      out.guard = name();
      expect(">= T .");
      if (name() != out.guard) unexpected();
    }
    expect("THEN UPDATE SET");
    list([&] {
      std::string column = name();
      expect("= S .");
      out.update.emplace_back(std::move(column), name());
    });
    expect("WHEN NOT MATCHED THEN INSERT (");
    list([&] { out.insert.push_back(name()); });
    expect(") VALUES (");
    list([&] {
      expect("S .");
      out.values.push_back(name());
    });
    expect(")");
    return out;
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  std::string fault_;
};

}  // namespace

LabSqlStatement parse_lab_sql(std::string_view text) {
  return Parser(text).run();
}

}  // namespace sluice::providers
