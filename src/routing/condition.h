// A rule's condition, in the query language of Portkey's conditional routing:
//
//   {"metadata.plan": {"$eq": "paid"}, "params.temperature": {"$lt": 0.5}}
//   {"$or": [{"header.x-team": "red"}, {"$not": {"hour": {"$gte": 8, "$lt": 18}}}]}
//
// Subjects: metadata.K, params.K (a field at the top of the body), header.NAME, key, task,
// url.pathname, prompt_tokens (estimated), hour (0 to 23) and weekday ("mon" to "sun").
// Operators: $eq $ne $in $nin $gt $gte $lt $lte $regex; a bare value means $eq; several members
// mean all of them. $and, $or and $not combine.
//
// A comparison with what the request does not have is false, also $ne and $nin. Equality is that of
// text byte by byte; where one side is a number or a boolean, text that reads as one counts as it.
// Order is that of numbers: $gt of what is no number is false.
// $regex: see pattern.h.
// Source: github.com/Portkey-AI/gateway, conditional router; $not, header, key, task, hour,
// weekday and prompt_tokens are ours.
//
// Immutable, no allocation in matches().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "routing/facts.h"
#include "routing/pattern.h"

namespace sluice::routing {

class Condition {
 public:
  static constexpr int kMaxDepth = 32;
  static constexpr size_t kMaxTerms = 256;

  // Hours and weekdays are those of UTC. Errors (BadRequest) name the path of the member at fault
  // in `param`: "$or[1].metadata.plan.$regex".
  static Result<Condition> parse(std::string_view json);

  bool matches(const Facts& facts) const;
  // "metadata.plan is 'paid' and hour is at least 8".
  const std::string& explain() const { return text_; }

  // The parts, for the parser and the tests.
  enum class Subject : uint8_t {
    Metadata,
    Param,
    Header,
    Key,
    Task,
    Path,
    PromptTokens,
    Hour,
    Weekday
  };
  enum class Op : uint8_t { Eq, Ne, In, Nin, Gt, Gte, Lt, Lte, Regex };
  struct Operand {
    Value::Kind kind = Value::Kind::Null;
    bool boolean = false;
    double number = 0;
    std::string text;
  };
  struct Term {
    enum class Kind : uint8_t { All, Any, Not, Compare };
    Kind kind = Kind::All;
    std::vector<Term> children;  // All, Any; of Not the one
    // Compare.
    Subject subject = Subject::Key;
    Op op = Op::Eq;
    std::string name;  // of the metadata, param or header
    std::vector<Operand> operands;
    std::vector<Pattern> pattern;  // Regex: one
  };

 private:
  Condition() = default;

  Term root_;
  std::string text_;
};

}  // namespace sluice::routing
