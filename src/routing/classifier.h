// Finds the task of a request that says `model: "auto"`, from its text alone and without a model:
// weighted phrases and structural features are added up per task. One pass over at most 12 KiB of
// text, well under 100 microseconds.
//
// Words are runs of letters, digits, `_`, `+`, `#`, `'` and bytes above ASCII; phrases are
// sequences of words, ASCII case ignored. A phrase counts once, however often it stands there; in
// the system text it counts half. Immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "routing/facts.h"

namespace sluice::routing {

// What text is made of, besides words.
enum class Feature : uint8_t {
  CodeFence,    // ```
  CodeSymbols,  // many of { } ; ( ) = < > for the length of the text
  Sql,          // the words of a statement, such as select ... from
  Figures,      // amounts of money, percentages, or many numbers
  Tools,        // tools are offered
  JsonSchema,   // JSON of a schema is asked for
  LongText,     // over 4000 bytes
  Question,     // ends with a question mark, or begins with a question word
};
inline constexpr int kFeatureCount = static_cast<int>(Feature::Question) + 1;

// "code_fence", as the configuration has it; and back.
std::string_view name_of(Feature feature);
std::optional<Feature> feature_named(std::string_view name);

struct TaskRules {
  std::string task;
  std::vector<std::pair<std::string, double>> phrases;
  std::vector<std::pair<Feature, double>> features;
  std::vector<std::string> paths;  // requests to these are of this task whatever they say
};

struct ClassifierOptions {
  // Several entries for one task add up; of a phrase or feature said twice the last weight counts,
  // so the built-in rules can be put first and changed after. Weight 0 switches it off.
  std::vector<TaskRules> tasks;
  // The least confidence (0 to 1) that decides; below it the default task is taken.
  double threshold = 0.5;
  std::string default_task;
};

// The rules that come with Sluice, for those of `tasks` they know: code_generation,
// business_intelligence, chat and embeddings. The default is chat, or else the first task.
ClassifierOptions builtin_rules(const std::vector<std::string>& tasks);

struct Guess {
  std::string_view task;
  double confidence = 0;  // points of the task / (all points + 1)
  std::string words;      // "auto: code_generation (0.82): 'function', a code fence, 'stack trace'"
};

class Classifier {
 public:
  static constexpr size_t kMaxUserText = 8 << 10;    // beyond it the middle is left out
  static constexpr size_t kMaxSystemText = 4 << 10;  // the beginning is read

  // `tasks` are those that exist. Errors name the rule at fault.
  static Result<Classifier> make(const ClassifierOptions& options,
                                 const std::vector<std::string>& tasks);

  Guess classify(const Prompt& prompt) const;
  // The task whose rules claim this path; null: none does.
  const std::string* task_of_path(std::string_view path) const;

 private:
  struct Phrase {
    std::string text;
    std::vector<std::pair<uint16_t, double>> weights;  // by task: points
  };
  struct Found;
  struct Walk;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  Result<void> add_rules(const TaskRules& rules, const std::vector<std::string>& tasks);
  Result<void> add_phrase(std::string_view phrase, uint16_t task, double weight);
  uint32_t word_id(std::string_view word);
  void scan(std::string_view text, float strength, Found& found) const;
  void step(uint32_t word, float strength, Walk& walk, Found& found) const;
  std::vector<double> points_of(const Found& found) const;
  std::string words_of(uint16_t task, double confidence, const Found& found) const;
  std::string evidence(uint16_t task, const Found& found) const;

  std::vector<std::string> tasks_;
  std::vector<std::vector<std::pair<Feature, double>>> features_;  // by task
  std::vector<std::pair<std::string, uint16_t>> paths_;
  double threshold_ = 0.5;
  uint16_t default_task_ = 0;
  std::vector<Phrase> phrases_;
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> words_;  // from 1
  std::unordered_map<uint64_t, uint32_t> next_;  // (node, word) -> node of the trie of phrases
  std::vector<int32_t> phrase_at_;               // by node: its phrase; -1: none ends here
};

}  // namespace sluice::routing
