#include "routing/condition_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace sluice::routing {
namespace {

using Op = Condition::Op;
using Subject = Condition::Subject;
using Term = Condition::Term;

struct OpWords {
  Op op;
  std::string_view name;
  std::string_view words;
};
constexpr std::array kOps{
    OpWords{Op::Eq, "$eq", "is"},
    OpWords{Op::Ne, "$ne", "is not"},
    OpWords{Op::In, "$in", "is one of"},
    OpWords{Op::Nin, "$nin", "is none of"},
    OpWords{Op::Gt, "$gt", "is over"},
    OpWords{Op::Gte, "$gte", "is at least"},
    OpWords{Op::Lt, "$lt", "is under"},
    OpWords{Op::Lte, "$lte", "is at most"},
    OpWords{Op::Regex, "$regex", "matches"},
};

std::string subject_words(const Term& term) {
  switch (term.subject) {
    case Subject::Metadata:
      return "metadata." + term.name;
    case Subject::Param:
      return "params." + term.name;
    case Subject::Header:
      return "header." + term.name;
    case Subject::Key:
      return "key";
    case Subject::Task:
      return "task";
    case Subject::Path:
      return "path";
    case Subject::PromptTokens:
      return "prompt tokens";
    case Subject::Hour:
      return "hour";
    case Subject::Weekday:
      return "weekday";
  }
  return {};
}

std::string operand_words(const Condition::Operand& operand) {
  switch (operand.kind) {
    case Value::Kind::Text:
      return "'" + operand.text + "'";
    case Value::Kind::Number:
      return fmt::format("{}", operand.number);
    case Value::Kind::Bool:
      return operand.boolean ? "true" : "false";
    default:
      return "null";
  }
}

void append_words(std::string& out, const Term& term, bool top) {
  if (out.size() > kMaxWords) return;
  if (term.kind == Term::Kind::Compare) {
    out += subject_words(term) + ' ' +
           std::string(std::find_if(kOps.begin(), kOps.end(), [&](const OpWords& known) {
                         return known.op == term.op;
                       })->words);
    for (size_t i = 0; i < term.operands.size(); ++i)
      out += (i > 0 ? ", " : " ") + operand_words(term.operands[i]);
    return;
  }
  if (term.kind == Term::Kind::Not) out += "not ";
  const bool brackets = term.kind == Term::Kind::Not || (!top && term.children.size() > 1);
  if (brackets) out += '(';
  for (size_t i = 0; i < term.children.size(); ++i) {
    if (i > 0) out += term.kind == Term::Kind::Any ? " or " : " and ";
    append_words(out, term.children[i], term.kind == Term::Kind::Not);
  }
  if (brackets) out += ')';
}

}  // namespace

bool is_weekday(std::string_view text) {
  return std::find(kWeekdays.begin(), kWeekdays.end(), text) != kWeekdays.end();
}

std::optional<Op> op_named(std::string_view name) {
  for (const OpWords& known : kOps) {
    if (known.name == name) return known.op;
  }
  return std::nullopt;
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::string words_of(const Term& root) {
  std::string words;
  append_words(words, root, true);
  if (words.size() <= kMaxWords) return words;
  size_t end = kMaxWords - 3;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xc0) == 0x80) --end;
  return words.substr(0, end) + "...";
}

}  // namespace sluice::routing
