#include "routing/condition.h"

#include <algorithm>

#include "routing/condition_words.h"

namespace sluice::routing {
namespace {

using Op = Condition::Op;
using Operand = Condition::Operand;
using Subject = Condition::Subject;
using Term = Condition::Term;

constexpr int64_t kSecondsPerDay = 86'400;

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// Text that is empty was not sent.
Value sent(std::string_view text) {
  return text.empty() ? Value{} : Value::of(text);
}

Value looked_up(const FunctionRef<Value(std::string_view)>& lookup, const std::string& name) {
  return lookup ? lookup(name) : Value{};
}

Value value_of(const Term& term, const Facts& facts) {
  const int64_t second = floor_div(facts.wall_micros, 1'000'000);
  const int64_t day = floor_div(second, kSecondsPerDay);
  switch (term.subject) {
    case Subject::Metadata:
      return looked_up(facts.metadata, term.name);
    case Subject::Param:
      return looked_up(facts.field, term.name);
    case Subject::Header:
      return looked_up(facts.header, term.name);
    case Subject::Key:
      return sent(facts.key);
    case Subject::Task:
      return sent(facts.task);
    case Subject::Path:
      return sent(facts.path);
    case Subject::PromptTokens:
      return facts.prompt_tokens ? Value::of_number(static_cast<double>(*facts.prompt_tokens))
                                 : Value{};
    case Subject::Hour:
      return Value::of_number(static_cast<double>((second - day * kSecondsPerDay) / 3600));
    case Subject::Weekday:
      // Day 0 was a Thursday.
      return Value::of(kWeekdays[static_cast<size_t>((day % 7 + 7 + 3) % 7)]);
  }
  return {};
}

std::optional<double> number_of(const Value& value) {
  if (value.kind == Value::Kind::Number) return value.number;
  if (value.kind == Value::Kind::Text) return number_in(value.text);
  return std::nullopt;
}

bool equal(const Value& value, const Operand& operand) {
  switch (operand.kind) {
    case Value::Kind::Text: {
      if (value.kind == Value::Kind::Text) return value.text == operand.text;
      if (value.kind == Value::Kind::Bool)
        return operand.text == (value.boolean ? "true" : "false");
      if (value.kind != Value::Kind::Number) return false;
      const std::optional<double> number = number_in(operand.text);
      return number && *number == value.number;
    }
    case Value::Kind::Number: {
      const std::optional<double> number = number_of(value);
      return number && *number == operand.number;
    }
    case Value::Kind::Bool:
      if (value.kind == Value::Kind::Bool) return value.boolean == operand.boolean;
      return value.kind == Value::Kind::Text && value.text == (operand.boolean ? "true" : "false");
    default:
      return value.kind == operand.kind;
  }
}

bool in_order(const Value& value, Op op, double operand) {
  const std::optional<double> number = number_of(value);
  if (!number) return false;
  if (op == Op::Gt) return *number > operand;
  if (op == Op::Gte) return *number >= operand;
  if (op == Op::Lt) return *number < operand;
  return *number <= operand;
}

bool compare(const Term& term, const Value& value) {
  if (value.kind == Value::Kind::Missing) return false;
  const auto is_equal = [&](const Operand& operand) { return equal(value, operand); };
  switch (term.op) {
    case Op::Eq:
    case Op::In:
      return std::any_of(term.operands.begin(), term.operands.end(), is_equal);
    case Op::Ne:
    case Op::Nin:
      return std::none_of(term.operands.begin(), term.operands.end(), is_equal);
    case Op::Gt:
    case Op::Gte:
    case Op::Lt:
    case Op::Lte:
      return in_order(value, term.op, term.operands.front().number);
    case Op::Regex:
      return value.kind == Value::Kind::Text && term.pattern.front().found_in(value.text);
  }
  return false;
}

bool holds(const Term& term, const Facts& facts) {
  const auto child_holds = [&](const Term& child) { return holds(child, facts); };
  switch (term.kind) {
    case Term::Kind::All:
      return std::all_of(term.children.begin(), term.children.end(), child_holds);
    case Term::Kind::Any:
      return std::any_of(term.children.begin(), term.children.end(), child_holds);
    case Term::Kind::Not:
      return !child_holds(term.children.front());
    case Term::Kind::Compare:
      return compare(term, value_of(term, facts));
  }
  return false;
}

}  // namespace

bool Condition::matches(const Facts& facts) const {
  return holds(root_, facts);
}

}  // namespace sluice::routing
