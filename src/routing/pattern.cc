#include "routing/pattern.h"

#include <array>

namespace sluice::routing {
namespace {

constexpr uint32_t kReplacement = 0xfffd;

bool is_trail(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

uint32_t Pattern::next_code_point(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int trails = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
  if (trails == 0 || lead > 0xf4 || at + static_cast<size_t>(trails) > text.size())
    return kReplacement;
  uint32_t c = lead & (0x3fu >> trails);
  for (int i = 0; i < trails; ++i) {
    if (!is_trail(text[at + static_cast<size_t>(i)])) return kReplacement;
    c = c << 6 | (static_cast<unsigned char>(text[at + static_cast<size_t>(i)]) & 0x3f);
  }
  at += static_cast<size_t>(trails);
  return c;
}

// All ways through the program at once: the set of steps that wait for the next character. No step
// is in the set twice, so a character costs at most one look at each step.
class PatternRun {
 public:
  explicit PatternRun(const Pattern& pattern) : pattern_(pattern) {}

  bool run(std::string_view text) {
    size_t at = 0;
    while (true) {
      begins_ = at == 0;
      ends_ = at == text.size();
      next_set();
      for (size_t i = 0; i < stepped_count_; ++i) add(stepped_[i]);
      add(0);  // a match may begin here
      if (matched_ || ends_) return matched_;
      const uint32_t c = Pattern::next_code_point(text, at);
      stepped_count_ = 0;
      for (size_t i = 0; i < waiting_count_; ++i) {
        if (pattern_.takes(pattern_.steps_[waiting_[i]], c))
          stepped_[stepped_count_++] = static_cast<uint16_t>(waiting_[i] + 1);
      }
    }
  }

 private:
  static constexpr size_t kMost = Pattern::kMaxProgram + 1;

  void next_set() {
    waiting_count_ = 0;
    ++round_;
  }

  // The step, and those reached from it without a character. As deep as the program is long.
  void add(size_t step) {
    if (seen_[step] == round_) return;
    seen_[step] = round_;
    const Pattern::Step& s = pattern_.steps_[step];
    const auto far = [step](int32_t by) {
      return static_cast<size_t>(static_cast<int64_t>(step) + by);
    };
    using Kind = Pattern::Step::Kind;
    switch (s.kind) {
      case Kind::Char:
      case Kind::Any:
      case Kind::Class:
        waiting_[waiting_count_++] = static_cast<uint16_t>(step);
        break;
      case Kind::Split:
        add(far(s.a));
        add(far(s.b));
        break;
      case Kind::Jump:
        add(far(s.a));
        break;
      case Kind::Begin:
        if (begins_) add(step + 1);
        break;
      case Kind::End:
        if (ends_) add(step + 1);
        break;
      case Kind::Match:
        matched_ = true;
        break;
    }
  }

  const Pattern& pattern_;
  std::array<uint16_t, kMost> waiting_;
  std::array<uint16_t, kMost> stepped_;
  std::array<uint32_t, kMost> seen_{};  // by step: the last round it was added in
  size_t waiting_count_ = 0;
  size_t stepped_count_ = 0;
  uint32_t round_ = 0;
  bool begins_ = false;
  bool ends_ = false;
  bool matched_ = false;
};

bool Pattern::takes(const Step& step, uint32_t c) const {
  switch (step.kind) {
    case Step::Kind::Char:
      return c == static_cast<uint32_t>(step.a);
    case Step::Kind::Any:
      return c != '\n' && c != '\r' && c != 0x2028 && c != 0x2029;
    case Step::Kind::Class:
      for (const auto& [first, last] : classes_[static_cast<size_t>(step.a)]) {
        if (c >= first && c <= last) return !step.negated;
      }
      return step.negated;
    default:
      return false;
  }
}

bool Pattern::found_in(std::string_view text) const {
  if (text.size() > kMaxText) return false;
  return PatternRun(*this).run(text);
}

}  // namespace sluice::routing
