// Conditions and the patterns in them: a text is refused with words, or gives a condition that can
// be asked about any request and explained.
#include <cstdlib>
#include <string_view>

#include "routing/condition.h"

using sluice::routing::Condition;
using sluice::routing::Facts;
using sluice::routing::Value;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const sluice::Result<Condition> condition = Condition::parse(text);
  if (!condition) {
    if (condition.error().message().empty()) std::abort();
    return 0;
  }
  if (condition->explain().empty()) std::abort();
  // Everything it asks for is the rule's own text, which patterns then run over.
  const auto lookup = [text](std::string_view name) {
    return name.size() % 3 == 0 ? Value::of_number(static_cast<double>(name.size()))
                                : Value::of(text);
  };
  Facts facts;
  facts.metadata = lookup;
  facts.header = lookup;
  facts.field = lookup;
  facts.path = text;
  facts.key = "key";
  facts.prompt_tokens = size;
  facts.wall_micros = static_cast<int64_t>(size) << 40;
  if (condition->matches(facts) != condition->matches(facts)) std::abort();
  return 0;
}
