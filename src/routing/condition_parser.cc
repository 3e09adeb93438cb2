#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "routing/condition.h"
#include "routing/condition_words.h"
#include "wire/json.h"

namespace sluice::routing {
namespace {

using Term = Condition::Term;
using Op = Condition::Op;
using Subject = Condition::Subject;
using Operand = Condition::Operand;

struct SubjectName {
  std::string_view text;
  Subject subject;
  bool prefix;  // a name follows
};
constexpr std::array kSubjects{
    SubjectName{"metadata.", Subject::Metadata, true},
    SubjectName{"params.", Subject::Param, true},
    SubjectName{"header.", Subject::Header, true},
    SubjectName{"key", Subject::Key, false},
    SubjectName{"task", Subject::Task, false},
    SubjectName{"url.pathname", Subject::Path, false},
    SubjectName{"prompt_tokens", Subject::PromptTokens, false},
    SubjectName{"hour", Subject::Hour, false},
    SubjectName{"weekday", Subject::Weekday, false},
};

// What rules repeat ends in reasons that people read: these hold secrets.
constexpr std::array<std::string_view, 5> kSecretHeaders{"authorization", "proxy-authorization",
                                                         "x-api-key", "api-key", "cookie"};

bool is_order(Op op) {
  return op == Op::Gt || op == Op::Gte || op == Op::Lt || op == Op::Lte;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), reader_(text) {}

  Result<Term> parse() {
    if (!json::is_utf8(text_)) return json::utf8_error(Outcome::BadRequest, text_);
    Term root = query(0);
    if (!error_ && !reader_.failed()) reader_.finish();
    if (error_) return *std::move(error_);
    if (reader_.failed()) return json::error_of(Outcome::BadRequest, text_, reader_);
    return root;
  }

 private:
  bool stopped() const { return error_ || reader_.failed(); }
  void fail(std::string why) {
    if (!error_)
      error_ = Error(Outcome::BadRequest, std::move(why), json::path_at(text_, reader_.at()));
  }
  bool expect(json::Type type, std::string_view what) {
    if (stopped()) return false;
    const json::Type found = reader_.peek();
    if (found == type) return true;
    // A text that ends or breaks here is the reader's to report.
    if (found == json::Type::None) {
      reader_.skip();
    } else {
      fail(std::string(what) + " is " + std::string(json::name_of(type)) + ", not " +
           std::string(json::name_of(found)));
    }
    return false;
  }
  bool deeper(int depth) {
    if (++terms_ > Condition::kMaxTerms) fail("the condition has too many terms");
    if (depth >= Condition::kMaxDepth) fail("the condition is nested too deep");
    return !stopped();
  }

  // {"subject": ..., "$or": [...]}: all its members.
  Term query(int depth) {
    Term all;
    if (!deeper(depth) || !expect(json::Type::Object, "a condition") || !reader_.open_object())
      return all;
    json::Text key;
    while (!stopped() && reader_.next_member(&key)) {
      const std::string name = key.str();
      if (name == "$and" || name == "$or") {
        all.children.push_back(list(name == "$or" ? Term::Kind::Any : Term::Kind::All, depth + 1));
      } else if (name == "$not") {
        Term inverse;
        inverse.kind = Term::Kind::Not;
        inverse.children.push_back(query(depth + 1));
        all.children.push_back(std::move(inverse));
      } else {
        comparisons(name, all.children);
      }
    }
    if (!stopped() && all.children.empty()) fail("a condition without a member");
    if (all.children.size() != 1) return all;
    Term only = std::move(all.children.front());
    return only;
  }

  Term list(Term::Kind kind, int depth) {
    Term term;
    term.kind = kind;
    if (!deeper(depth) || !expect(json::Type::Array, "$and or $or") || !reader_.open_array())
      return term;
    while (!stopped() && reader_.next_element()) term.children.push_back(query(depth + 1));
    if (!stopped() && term.children.empty()) fail("a list of conditions without one");
    return term;
  }

  // What follows a subject: a bare value, or an object of operators.
  void comparisons(const std::string& name, std::vector<Term>& out) {
    Term term;
    term.kind = Term::Kind::Compare;
    if (!read_subject(name, term)) return;
    if (reader_.peek() != json::Type::Object) {
      compare(std::move(term), out);
      return;
    }
    if (!reader_.open_object()) return;
    const size_t before = out.size();
    json::Text key;
    while (!stopped() && reader_.next_member(&key)) {
      const std::optional<Op> op = op_named(key.str());
      if (!op) return unknown_operator(key.str());
      Term one = term;
      one.op = *op;
      compare(std::move(one), out);
    }
    if (!stopped() && out.size() == before) fail("a subject without an operator");
  }

  void unknown_operator(const std::string& name) {
    fail("'" + name.substr(0, 64) +
         "' is no operator: $eq, $ne, $in, $nin, $gt, $gte, $lt, $lte and $regex are");
  }

  bool read_subject(const std::string& name, Term& term) {
    for (const SubjectName& known : kSubjects) {
      const bool same = known.prefix
                            ? name.starts_with(known.text) && name.size() > known.text.size()
                            : name == known.text;
      if (!same) continue;
      term.subject = known.subject;
      if (known.prefix) term.name = name.substr(known.text.size());
      return known.subject != Subject::Header || read_header(term);
    }
    fail("'" + name.substr(0, 64) +
         "' is nothing a condition can look at: metadata.NAME, params.NAME, header.NAME, key, "
         "task, url.pathname, prompt_tokens, hour and weekday are");
    return false;
  }

  bool read_header(Term& term) {
    for (char& c : term.name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    if (std::find(kSecretHeaders.begin(), kSecretHeaders.end(), term.name) ==
        kSecretHeaders.end()) {
      return true;
    }
    fail("header." + term.name + " holds a secret; `key` is the name of the caller's key");
    return false;
  }

  // The operands of `term`, and then the term itself.
  void compare(Term term, std::vector<Term>& out) {
    if (++terms_ > Condition::kMaxTerms) return fail("the condition has too many terms");
    if (term.op == Op::In || term.op == Op::Nin) {
      if (!expect(json::Type::Array, "what $in or $nin looks in") || !reader_.open_array()) return;
      while (!stopped() && reader_.next_element()) term.operands.push_back(operand(term));
      if (!stopped() && term.operands.empty()) fail("a list without a value");
    } else if (term.op == Op::Regex) {
      pattern(term);
    } else {
      term.operands.push_back(operand(term));
    }
    out.push_back(std::move(term));
  }

  void pattern(Term& term) {
    if (!expect(json::Type::String, "a pattern")) return;
    // The path is of the value, so it is taken before the value is read.
    const std::string path = json::path_at(text_, reader_.at());
    Operand operand;
    json::Text text;
    if (!reader_.string(&text)) return;
    operand.kind = Value::Kind::Text;
    operand.text = text.str();
    Result<Pattern> pattern = Pattern::compile(operand.text);
    if (!pattern) {
      error_ = Error(Outcome::BadRequest, pattern.error().message(), path);
      return;
    }
    term.pattern.push_back(*std::move(pattern));
    term.operands.push_back(std::move(operand));
  }

  Operand operand(const Term& term) {
    const json::Type type = reader_.peek();
    const std::string path = json::path_at(text_, reader_.at());
    Operand operand;
    json::Text text;
    std::string_view digits;
    if (type == json::Type::String && reader_.string(&text)) {
      operand.kind = Value::Kind::Text;
      operand.text = text.str();
    } else if (type == json::Type::Number && reader_.number(&digits)) {
      operand.kind = Value::Kind::Number;
      operand.number = json::to_double(digits);
    } else if (type == json::Type::Bool && reader_.boolean(&operand.boolean)) {
      operand.kind = Value::Kind::Bool;
    } else if (type == json::Type::Null && reader_.null()) {
      operand.kind = Value::Kind::Null;
    } else if (type == json::Type::Object || type == json::Type::Array) {
      fail("a condition compares with text, numbers and booleans");
    } else {
      reader_.skip();  // broken: the reader says how
    }
    if (stopped()) return operand;
    if (const std::string_view why = misfit(term, operand); !why.empty())
      error_ = Error(Outcome::BadRequest, std::string(why), path);
    return operand;
  }

  // Why a comparison could never be true; turns numbers written as text into numbers.
  static std::string_view misfit(const Term& term, Operand& operand) {
    const bool is_number = term.subject == Subject::PromptTokens || term.subject == Subject::Hour;
    if (is_order(term.op) || is_number) {
      if (operand.kind == Value::Kind::Text) {
        if (const std::optional<double> number = number_in(operand.text)) {
          operand.kind = Value::Kind::Number;
          operand.number = *number;
        }
      }
      if (operand.kind != Value::Kind::Number) return "only a number compares here";
    }
    if (term.subject == Subject::Hour && (operand.number < 0 || operand.number > 24))
      return "an hour is a number from 0 to 23";
    if (term.subject == Subject::Weekday &&
        (operand.kind != Value::Kind::Text || !is_weekday(operand.text)))
      return "a weekday is 'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or 'sun'";
    return {};
  }

  std::string_view text_;
  json::Reader reader_;
  std::optional<Error> error_;
  size_t terms_ = 0;
};

}  // namespace

Result<Condition> Condition::parse(std::string_view json) {
  Result<Term> root = Parser(json).parse();
  if (!root) return std::move(root).error();
  Condition condition;
  condition.text_ = words_of(*root);
  condition.root_ = *std::move(root);
  return condition;
}

}  // namespace sluice::routing
