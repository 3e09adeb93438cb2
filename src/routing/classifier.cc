#include "routing/classifier.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace sluice::routing {
namespace {

constexpr size_t kMaxPhraseWords = 8;
constexpr size_t kMaxWordLength = 32;
constexpr size_t kShownEvidence = 3;
constexpr float kInUserText = 1.0F;
constexpr float kInSystemText = 0.5F;
constexpr size_t kLongText = 4000;

struct FeatureName {
  Feature feature;
  std::string_view name;
  std::string_view words;
};
constexpr std::array kFeatures{
    FeatureName{Feature::CodeFence, "code_fence", "a code fence"},
    FeatureName{Feature::CodeSymbols, "code_symbols", "signs of code"},
    FeatureName{Feature::Sql, "sql", "an SQL statement"},
    FeatureName{Feature::Figures, "figures", "figures"},
    FeatureName{Feature::Tools, "tools", "tools"},
    FeatureName{Feature::JsonSchema, "json_schema", "a JSON schema"},
    FeatureName{Feature::LongText, "long_text", "a long text"},
    FeatureName{Feature::Question, "question", "a question"},
};
static_assert(kFeatures.size() == kFeatureCount);

constexpr std::array<std::string_view, 16> kQuestionWords{
    "what", "who", "why", "how", "when", "where",  "which", "whose",
    "is",   "are", "can", "do",  "does", "should", "could", "would"};

// Words of SQL, by bit: a statement is told from English by having several of them.
constexpr std::array<std::string_view, 12> kSqlWords{"select", "from",   "where", "join",
                                                     "group",  "having", "order", "insert",
                                                     "into",   "values", "table", "create"};
constexpr uint32_t sql_bit(std::string_view word) {
  for (size_t i = 0; i < kSqlWords.size(); ++i) {
    if (kSqlWords[i] == word) return 1u << i;
  }
  return 0;
}
constexpr std::array<uint32_t, 3> kSqlStatements{
    sql_bit("select") | sql_bit("from"),
    sql_bit("insert") | sql_bit("into") | sql_bit("values"),
    sql_bit("create") | sql_bit("table"),
};
// "Select a table from the list" is English: a query has one of these as well.
constexpr uint32_t kSqlClauses =
    sql_bit("where") | sql_bit("join") | sql_bit("group") | sql_bit("having") | sql_bit("order");

bool is_sql(uint32_t words) {
  const auto has = [words](uint32_t all) { return (words & all) == all; };
  return (has(kSqlStatements[0]) && (words & kSqlClauses) != 0) || has(kSqlStatements[1]) ||
         has(kSqlStatements[2]);
}

// The byte of a word in lower case; 0 for what stands between words.
constexpr std::array<char, 256> kWordByte = [] {
  std::array<char, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
                      c == '#' || c == '\'' || c >= 0x80;
    if (word) table[static_cast<size_t>(c)] = static_cast<char>(c);
    if (c >= 'A' && c <= 'Z') table[static_cast<size_t>(c)] = static_cast<char>(c + 32);
  }
  return table;
}();
constexpr std::array<bool, 256> kCodeSymbol = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("{}();=<>[]&|")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

char word_byte(char c) {
  return kWordByte[static_cast<unsigned char>(c)];
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The next word at or behind `at` in lower case, written into `buffer`; empty at the end. A word
// longer than the buffer is cut, and then equals no word of a phrase.
std::string_view next_word(std::string_view text, size_t& at,
                           std::array<char, kMaxWordLength + 1>& buffer) {
  while (at < text.size() && word_byte(text[at]) == 0) ++at;
  size_t length = 0;
  for (; at < text.size(); ++at) {
    const char c = word_byte(text[at]);
    if (c == 0) break;
    if (length < buffer.size()) buffer[length++] = c;
  }
  return {buffer.data(), length};
}

bool is_question(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  if (last != std::string_view::npos && text[last] == '?') return true;
  std::array<char, kMaxWordLength + 1> buffer;
  size_t at = 0;
  const std::string_view first = next_word(text, at, buffer);
  return std::find(kQuestionWords.begin(), kQuestionWords.end(), first) != kQuestionWords.end();
}

// Money, percentages, or at least eight numbers.
bool has_figures(std::string_view text) {
  int numbers = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i])) continue;
    if (i > 0 && text[i - 1] == '$') return true;
    if (i + 1 < text.size() && text[i + 1] == '%') return true;
    if (i == 0 || !is_digit(text[i - 1])) ++numbers;
  }
  return numbers >= 8;
}

bool has_code_symbols(std::string_view text) {
  const auto symbols = static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return kCodeSymbol[static_cast<unsigned char>(c)]; }));
  return symbols >= 6 && symbols * 25 >= text.size();
}

bool is_weight(double weight) {
  return std::isfinite(weight) && weight >= 0;
}

// The last word on a subject counts, so that rules can be laid over others.
template <class Subject>
void set_weight(std::vector<std::pair<Subject, double>>& weights, Subject subject, double weight) {
  for (auto& [known, its_weight] : weights) {
    if (known != subject) continue;
    its_weight = weight;
    return;
  }
  weights.emplace_back(subject, weight);
}

Error bad_rule(std::string why, const std::string& where) {
  return Error(Outcome::BadRequest, std::move(why), "classifier." + where);
}

}  // namespace

std::string_view name_of(Feature feature) {
  return kFeatures[static_cast<size_t>(feature)].name;
}

std::optional<Feature> feature_named(std::string_view name) {
  for (const FeatureName& known : kFeatures) {
    if (known.name == name) return known.feature;
  }
  return std::nullopt;
}

// How strongly each thing was found: 0 for not at all.
struct Classifier::Found {
  std::vector<float> phrases;
  std::array<float, kFeatureCount> features{};

  void note(Feature feature, float strength) {
    float& known = features[static_cast<size_t>(feature)];
    known = std::max(known, strength);
  }
};

// The phrases that the words read so far may still become: nodes of the trie.
struct Classifier::Walk {
  std::array<uint32_t, kMaxPhraseWords> nodes;
  size_t count = 0;
};

Result<Classifier> Classifier::make(const ClassifierOptions& options,
                                    const std::vector<std::string>& tasks) {
  Classifier classifier;
  const auto found = std::find(tasks.begin(), tasks.end(), options.default_task);
  if (found == tasks.end())
    return bad_rule("no task is named '" + options.default_task + "'", "default");
  if (!(options.threshold >= 0 && options.threshold <= 1))
    return bad_rule("a threshold is a number from 0 to 1", "threshold");
  classifier.default_task_ = static_cast<uint16_t>(found - tasks.begin());
  classifier.threshold_ = options.threshold;
  classifier.tasks_ = tasks;
  classifier.features_.resize(tasks.size());
  classifier.phrase_at_.push_back(-1);
  for (const std::string_view word : kSqlWords) classifier.word_id(word);
  for (const TaskRules& rules : options.tasks) {
    if (Result<void> added = classifier.add_rules(rules, tasks); !added)
      return std::move(added).error();
  }
  return classifier;
}

Result<void> Classifier::add_rules(const TaskRules& rules, const std::vector<std::string>& tasks) {
  const auto found = std::find(tasks.begin(), tasks.end(), rules.task);
  if (found == tasks.end()) return bad_rule("no task is named '" + rules.task + "'", rules.task);
  const auto task = static_cast<uint16_t>(found - tasks.begin());
  for (const auto& [phrase, weight] : rules.phrases) {
    if (Result<void> added = add_phrase(phrase, task, weight); !added) return added;
  }
  for (const auto& [feature, weight] : rules.features) {
    if (!is_weight(weight)) {
      return bad_rule(
          "the weight of " + std::string(name_of(feature)) + " is not a number from 0 up",
          rules.task);
    }
    set_weight(features_[task], feature, weight);
  }
  for (const std::string& path : rules.paths) paths_.emplace_back(path, task);
  return {};
}

Result<void> Classifier::add_phrase(std::string_view phrase, uint16_t task, double weight) {
  const auto refuse = [&](std::string_view why) {
    return bad_rule(fmt::format("the phrase '{}' {}", phrase, why), tasks_[task]);
  };
  if (!is_weight(weight)) return refuse("has a weight that is not a number from 0 up");
  std::array<char, kMaxWordLength + 1> buffer;
  uint32_t node = 0;
  size_t at = 0;
  size_t count = 0;
  while (true) {
    const std::string_view word = next_word(phrase, at, buffer);
    if (word.empty()) break;
    if (word.size() > kMaxWordLength) return refuse("has a word that is too long");
    if (++count > kMaxPhraseWords) return refuse("has more than 8 words");
    const uint64_t edge = uint64_t{node} << 32 | word_id(word);
    const auto [next, added] = next_.emplace(edge, static_cast<uint32_t>(phrase_at_.size()));
    if (added) phrase_at_.push_back(-1);
    node = next->second;
  }
  if (count == 0) return refuse("has no word");
  if (phrase_at_[node] < 0) {
    phrase_at_[node] = static_cast<int32_t>(phrases_.size());
    phrases_.push_back({.text = std::string(phrase), .weights = {}});
  }
  set_weight(phrases_[static_cast<size_t>(phrase_at_[node])].weights, task, weight);
  return {};
}

uint32_t Classifier::word_id(std::string_view word) {
  return words_.emplace(word, static_cast<uint32_t>(words_.size() + 1)).first->second;
}

void Classifier::scan(std::string_view text, float strength, Found& found) const {
  Walk walk;
  std::array<char, kMaxWordLength + 1> buffer;
  uint32_t sql = 0;
  for (size_t at = 0; at < text.size();) {
    const std::string_view word = next_word(text, at, buffer);
    const auto known = words_.find(word);
    if (known == words_.end()) {
      walk.count = 0;
      continue;
    }
    // The words of SQL were the first to get numbers.
    if (known->second <= kSqlWords.size()) sql |= 1u << (known->second - 1);
    step(known->second, strength, walk, found);
  }
  if (is_sql(sql)) found.note(Feature::Sql, strength);
  if (text.find("```") != std::string_view::npos) found.note(Feature::CodeFence, strength);
  if (has_code_symbols(text)) found.note(Feature::CodeSymbols, strength);
  if (has_figures(text)) found.note(Feature::Figures, strength);
}

void Classifier::step(uint32_t word, float strength, Walk& walk, Found& found) const {
  Walk after;
  const auto go = [&](uint32_t node) {
    const auto next = next_.find(uint64_t{node} << 32 | word);
    if (next == next_.end()) return;
    if (after.count < after.nodes.size()) after.nodes[after.count++] = next->second;
    if (const int32_t phrase = phrase_at_[next->second]; phrase >= 0) {
      float& known = found.phrases[static_cast<size_t>(phrase)];
      known = std::max(known, strength);
    }
  };
  for (size_t i = 0; i < walk.count; ++i) go(walk.nodes[i]);
  go(0);
  walk = after;
}

std::vector<double> Classifier::points_of(const Found& found) const {
  std::vector<double> points(tasks_.size());
  for (size_t i = 0; i < phrases_.size(); ++i) {
    if (found.phrases[i] == 0) continue;
    for (const auto& [task, weight] : phrases_[i].weights)
      points[task] += weight * static_cast<double>(found.phrases[i]);
  }
  for (size_t task = 0; task < tasks_.size(); ++task) {
    for (const auto& [feature, weight] : features_[task])
      points[task] += weight * static_cast<double>(found.features[static_cast<size_t>(feature)]);
  }
  return points;
}

Guess Classifier::classify(const Prompt& prompt) const {
  Found found;
  found.phrases.resize(phrases_.size());
  scan(prompt.system.substr(0, kMaxSystemText), kInSystemText, found);
  const std::string_view user = prompt.last_user;
  if (user.size() <= kMaxUserText) {
    scan(user, kInUserText, found);
  } else {
    scan(user.substr(0, kMaxUserText / 2), kInUserText, found);
    scan(user.substr(user.size() - kMaxUserText / 2), kInUserText, found);
  }
  if (user.size() > kLongText) found.note(Feature::LongText, kInUserText);
  if (is_question(user)) found.note(Feature::Question, kInUserText);
  if (prompt.tools) found.note(Feature::Tools, kInUserText);
  if (prompt.json_schema) found.note(Feature::JsonSchema, kInUserText);

  const std::vector<double> points = points_of(found);
  double sum = 0;
  for (const double some : points) sum += some;
  const auto best =
      static_cast<uint16_t>(std::max_element(points.begin(), points.end()) - points.begin());
  const double confidence = points[best] / (sum + 1);
  const uint16_t task = confidence >= threshold_ ? best : default_task_;
  Guess guess;
  guess.task = tasks_[task];
  guess.confidence = points[task] / (sum + 1);
  guess.words = words_of(best, confidence, found);
  return guess;
}

std::string Classifier::words_of(uint16_t task, double confidence, const Found& found) const {
  if (confidence >= threshold_ && confidence > 0) {
    return fmt::format("auto: {} ({:.2f}): {}", tasks_[task], confidence, evidence(task, found));
  }
  const std::string& taken = tasks_[confidence >= threshold_ ? task : default_task_];
  if (confidence == 0) return fmt::format("auto: {} (no sign of any other task)", taken);
  return fmt::format("auto: {} (the default; {} has only {:.2f}: {})", taken, tasks_[task],
                     confidence, evidence(task, found));
}

// What counted most, in words.
std::string Classifier::evidence(uint16_t task, const Found& found) const {
  std::vector<std::pair<double, std::string>> all;
  for (size_t i = 0; i < phrases_.size(); ++i) {
    for (const auto& [of, weight] : phrases_[i].weights) {
      if (of == task && weight > 0 && found.phrases[i] > 0) {
        all.emplace_back(weight * static_cast<double>(found.phrases[i]),
                         "'" + phrases_[i].text + "'");
      }
    }
  }
  for (const auto& [feature, weight] : features_[task]) {
    const auto index = static_cast<size_t>(feature);
    if (weight > 0 && found.features[index] > 0) {
      all.emplace_back(weight * static_cast<double>(found.features[index]), kFeatures[index].words);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string words;
  for (size_t i = 0; i < std::min(all.size(), kShownEvidence); ++i)
    words += (i > 0 ? ", " : "") + all[i].second;
  return words;
}

const std::string* Classifier::task_of_path(std::string_view path) const {
  for (const auto& [claimed, task] : paths_) {
    if (claimed == path) return &tasks_[task];
  }
  return nullptr;
}

}  // namespace sluice::routing
