#include "routing/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::vector<std::string> kTasks{"code_generation", "business_intelligence", "chat",
                                      "embeddings", "experimental"};

Classifier make(const ClassifierOptions& options) {
  Result<Classifier> classifier = Classifier::make(options, kTasks);
  EXPECT_TRUE(classifier) << classifier.error().message();
  return *std::move(classifier);
}

Error refusal(const ClassifierOptions& options) {
  Result<Classifier> classifier = Classifier::make(options, kTasks);
  EXPECT_FALSE(classifier);
  return classifier ? Error(Outcome::Ok, "") : std::move(classifier).error();
}

// Two tasks told apart by a few words.
ClassifierOptions few_rules() {
  ClassifierOptions options;
  options.tasks = {{.task = "code_generation", .phrases = {{"stack trace", 3}, {"loop", 1}}},
                   {.task = "chat", .phrases = {{"hello", 1}, {"for each other", 2}}}};
  options.default_task = "chat";
  return options;
}

struct Labelled {
  std::string_view task;
  std::string_view prompt;
};

constexpr Labelled kPrompts[] = {
    {"code_generation", "Write a Python function that merges two sorted lists."},
    {"code_generation", "Why does this throw a NullPointerException? ```java\nfoo.bar();\n```"},
    {"code_generation", "Refactor this class so that the database calls are in one module."},
    {"code_generation", "I get a segmentation fault when I free the second node of my linked list"},
    {"code_generation", "Add unit tests for the parser in src/parse.cc"},
    {"code_generation", "const x = items.map(i => i.id).filter(Boolean); // make this faster"},
    {"code_generation", "How do I reverse a string in Rust without allocating?"},
    {"code_generation", "Explain what this regex does: ^[a-z]+\\d{2,4}$"},
    {"code_generation", "Create a Dockerfile for a small FastAPI app"},
    {"code_generation", "What is the time complexity of quicksort in the worst case?"},
    {"code_generation", "Fix the off by one error in this loop: for (int i = 0; i <= n; i++) {}"},
    {"code_generation", "convert this javascript to typescript please"},
    {"code_generation", "My React component re-renders on every keystroke, how do I stop that"},
    {"code_generation", "git rebase left me with a merge conflict in main.go, what now"},
    {"code_generation", "Implement an LRU cache with O(1) get and put"},
    {"code_generation", "Traceback (most recent call last): File \"a.py\", line 3, in <module>"},
    {"code_generation", "CREATE TABLE users (id INT PRIMARY KEY, name TEXT); add an index on name"},
    {"code_generation", "Review this pull request and point out bugs"},
    {"code_generation", "Generate a bash script that backs up a folder every night"},
    {"code_generation", "There is a deadlock between these two threads, can you find it?"},
    {"code_generation", "Write the SDK client for this REST endpoint in Go"},
    {"code_generation", "error: expected ';' before '}' token. What is wrong with my C++ code?"},
    {"code_generation", "Turn this callback hell into async/await"},
    {"code_generation", "How can I mock an HTTP client in pytest?"},
    {"code_generation", "struct Node { int value; struct Node *next; }; write insert and delete"},
    {"business_intelligence", "Summarize Q3 revenue by region and compare it with last year."},
    {"business_intelligence", "Which customers are most likely to churn next quarter?"},
    {"business_intelligence", "Build a forecast of monthly sales for the next 12 months"},
    {"business_intelligence", "Our gross margin fell from 41% to 37%. What drove it?"},
    {"business_intelligence",
     "Calculate the customer acquisition cost for each marketing campaign"},
    {"business_intelligence", "Give me an executive summary of this sales report"},
    {"business_intelligence", "What KPIs should a subscription business put on its dashboard?"},
    {"business_intelligence",
     "SELECT region, SUM(revenue) FROM orders GROUP BY region; what do the results say?"},
    {"business_intelligence", "Write a query that returns revenue per customer per month"},
    {"business_intelligence", "Analyze the data in this spreadsheet and list the outliers"},
    {"business_intelligence", "What was our market share in Germany compared to the competitors?"},
    {"business_intelligence", "Explain the variance between budget and actual spend in March"},
    {"business_intelligence", "Do a cohort analysis of users who signed up in January"},
    {"business_intelligence", "Make a pivot table of units sold by product and quarter"},
    {"business_intelligence", "How did operating costs develop year over year?"},
    {"business_intelligence", "Find trends in the support tickets of our top customers"},
    {"business_intelligence", "What is the conversion rate of the funnel from trial to paid?"},
    {"business_intelligence",
     "Calculate ROI for the Berlin store given these figures: 120000, 90000"},
    {"business_intelligence", "Prepare the cash flow statement for the board meeting"},
    {"business_intelligence", "inventory turnover by warehouse for the last fiscal year"},
    {"business_intelligence", "Segment our subscribers by spend and retention"},
    {"business_intelligence", "Chart headcount growth against expenses since 2021"},
    {"business_intelligence", "Is there a correlation between discounts and average order value?"},
    {"business_intelligence", "List the ten suppliers with the largest invoices this quarter"},
    {"business_intelligence", "Run a SWOT analysis for our new product line"},
    {"chat", "Hello! How are you today?"},
    {"chat", "Translate 'good evening' into Italian"},
    {"chat", "Write a poem about autumn rain"},
    {"chat", "What is the capital of Mongolia?"},
    {"chat", "Give me a recipe for lentil soup"},
    {"chat", "Tell me a joke about penguins"},
    {"chat", "Who was the first woman in space?"},
    {"chat", "Recommend three books on the Roman Empire"},
    {"chat", "Help me write a polite email to my landlord"},
    {"chat", "What should I cook for dinner with chicken and rice?"},
    {"chat", "Plan a three day trip to Lisbon with kids"},
    {"chat", "Can you proofread this paragraph for me?"},
    {"chat", "Why is the sky blue?"},
    {"chat", "Rewrite this sentence so that it sounds friendlier"},
    {"chat", "Explain photosynthesis to a ten year old"},
    {"chat", "I feel tired lately, what could help me sleep better"},
    {"chat", "Write a bedtime story about a dragon who is afraid of fire"},
    {"chat", "Suggest a name for my new dog"},
    {"chat", "What's the difference between affect and effect?"},
    {"chat", "thanks, that was helpful"},
    {"chat", "Which movie should we watch tonight?"},
    {"chat", "How far is the moon from the earth"},
    {"chat", "Write a short speech for my sister's wedding"},
    {"chat", "Summarize this article about sea turtles in two sentences"},
    {"chat", "Is it going to be a nice day tomorrow?"},
    {"chat", "What happened in the year 1848 in Europe?"},
    {"chat", "Draft a cover letter for a nursing job"},
    {"chat", "ok"},
    {"chat", "Was bedeutet das Wort Gem\xc3\xbctlichkeit?"},
    {"chat", "Give me ideas for a birthday party at home"},
};

TEST(Classifier, TheBuiltInRulesFindTheTaskOfAtLeastNineInTenPrompts) {
  static_assert(std::size(kPrompts) >= 60);
  const Classifier classifier = make(builtin_rules(kTasks));
  size_t right = 0;
  std::string wrong;
  for (const Labelled& one : kPrompts) {
    const Guess guess = classifier.classify({.last_user = one.prompt});
    right += guess.task == one.task;
    if (guess.task != one.task) {
      wrong += "\n" + std::string(one.prompt) + "\n  is " + std::string(one.task) + ", not " +
               guess.words;
    }
  }
  EXPECT_GE(right * 10, std::size(kPrompts) * 9) << wrong;
  RecordProperty("right", std::to_string(right) + " of " + std::to_string(std::size(kPrompts)));
}

TEST(Classifier, ExplainsItselfWithWhatCountedMost) {
  const Classifier classifier = make(builtin_rules(kTasks));
  const Guess guess = classifier.classify(
      {.last_user = "This function fails, see the stack trace: ```at main.cc:3```"});
  EXPECT_EQ(guess.task, "code_generation");
  EXPECT_THAT(guess.words, StartsWith("auto: code_generation (0."));
  EXPECT_THAT(guess.words, HasSubstr("): 'stack trace', a code fence, 'function'"));
}

TEST(Classifier, SaysWhenItTookTheDefault) {
  ClassifierOptions options = few_rules();
  options.threshold = 0.6;
  const Classifier classifier = make(options);
  const Guess nothing = classifier.classify({.last_user = "qwertz"});
  EXPECT_EQ(nothing.task, "chat");
  EXPECT_EQ(nothing.confidence, 0);
  EXPECT_EQ(nothing.words, "auto: chat (no sign of any other task)");
  const Guess little = classifier.classify({.last_user = "a loop"});
  EXPECT_EQ(little.task, "chat");
  EXPECT_EQ(little.words, "auto: chat (the default; code_generation has only 0.50: 'loop')");
}

TEST(Classifier, PhrasesAreWholeWordsInAnyCase) {
  const Classifier classifier = make(few_rules());
  EXPECT_EQ(classifier.classify({.last_user = "A STACK\n trace."}).task, "code_generation");
  EXPECT_EQ(classifier.classify({.last_user = "haystack trace"}).task, "chat");
  EXPECT_EQ(classifier.classify({.last_user = "stack of traces"}).task, "chat");
  EXPECT_EQ(classifier.classify({.last_user = "the stack has a trace"}).task, "chat");
  EXPECT_EQ(classifier.classify({.last_user = "stack stack trace"}).task, "code_generation");
  EXPECT_GT(classifier.classify({.last_user = "for for each other"}).confidence, 0.6);
}

TEST(Classifier, APhraseCountsOnceAndHalfInTheSystemText) {
  const Classifier classifier = make(few_rules());
  const double once = classifier.classify({.last_user = "stack trace"}).confidence;
  EXPECT_DOUBLE_EQ(once, 3.0 / 4);
  EXPECT_DOUBLE_EQ(classifier.classify({.last_user = "stack trace stack trace"}).confidence, once);
  EXPECT_DOUBLE_EQ(classifier.classify({.system = "stack trace"}).confidence, 1.5 / 2.5);
  EXPECT_DOUBLE_EQ(
      classifier.classify({.system = "stack trace", .last_user = "stack trace"}).confidence, once);
}

TEST(Classifier, ATieIsTheDefaultsToDecide) {
  ClassifierOptions options = few_rules();
  options.default_task = "experimental";
  EXPECT_EQ(make(options).classify({.last_user = "hello loop"}).task, "experimental");
}

// Each feature alone decides for a task that has it.
struct FeatureCase {
  Feature feature;
  Prompt with;
  Prompt without;
};

TEST(Classifier, EveryFeatureIsSeenAndOnlyWhereItIs) {
  static const std::string long_text(4001, 'x');
  const FeatureCase cases[] = {
      {Feature::CodeFence, {.last_user = "a ```b```"}, {.last_user = "a ``b``"}},
      {Feature::CodeSymbols, {.last_user = "a[i] = f(x); g(y);"}, {.last_user = "a (b) and [c]."}},
      {Feature::Sql,
       {.last_user = "select a from b where c"},
       {.last_user = "select a table from the list"}},
      {Feature::Sql, {.last_user = "INSERT INTO t VALUES"}, {.last_user = "insert it into t"}},
      {Feature::Figures, {.last_user = "it cost $5"}, {.last_user = "it cost 5"}},
      {Feature::Figures, {.last_user = "by 5%"}, {.last_user = "by % 5"}},
      {Feature::Figures, {.last_user = "1 2 3 4 5 6 7 8"}, {.last_user = "1 2 3 4 5 6 7"}},
      {Feature::Tools, {.tools = true}, {}},
      {Feature::JsonSchema, {.json_schema = true}, {}},
      {Feature::LongText,
       {.last_user = long_text},
       {.last_user = std::string_view(long_text).substr(1)}},
      {Feature::Question, {.last_user = "really? \n"}, {.last_user = "really? yes"}},
      {Feature::Question, {.last_user = "Where it is"}, {.last_user = "Somewhere it is"}},
  };
  for (const FeatureCase& one : cases) {
    ClassifierOptions options;
    options.tasks = {{.task = "experimental", .features = {{one.feature, 2}}}};
    options.default_task = "chat";
    const Classifier classifier = make(options);
    EXPECT_EQ(classifier.classify(one.with).task, "experimental") << name_of(one.feature);
    EXPECT_EQ(classifier.classify(one.without).task, "chat") << name_of(one.feature);
  }
}

TEST(Classifier, FeaturesHaveNames) {
  for (int i = 0; i < kFeatureCount; ++i) {
    const auto feature = static_cast<Feature>(i);
    EXPECT_EQ(feature_named(name_of(feature)), feature);
  }
  EXPECT_EQ(feature_named("smell"), std::nullopt);
}

TEST(Classifier, OfALongTextBothEndsAreRead) {
  const Classifier classifier = make(few_rules());
  const std::string filler(Classifier::kMaxUserText, ' ');
  const std::string at_begin = "stack trace" + filler;
  EXPECT_EQ(classifier.classify({.last_user = at_begin}).task, "code_generation");
  const std::string at_end = filler + "stack trace";
  EXPECT_EQ(classifier.classify({.last_user = at_end}).task, "code_generation");
  const std::string in_the_middle = filler + "stack trace" + filler;
  EXPECT_EQ(classifier.classify({.last_user = in_the_middle}).task, "chat");
}

TEST(Classifier, APathMayClaimATask) {
  const Classifier classifier = make(builtin_rules(kTasks));
  ASSERT_NE(classifier.task_of_path("/v1/embeddings"), nullptr);
  EXPECT_EQ(*classifier.task_of_path("/v1/embeddings"), "embeddings");
  EXPECT_EQ(classifier.task_of_path("/v1/chat/completions"), nullptr);
}

TEST(Classifier, TheBuiltInRulesKeepToTheTasksThatExist) {
  const ClassifierOptions some = builtin_rules({"reports", "code_generation"});
  ASSERT_EQ(some.tasks.size(), 1u);
  EXPECT_EQ(some.tasks[0].task, "code_generation");
  EXPECT_EQ(some.default_task, "reports");
  EXPECT_EQ(builtin_rules(kTasks).default_task, "chat");
}

TEST(Classifier, RulesCanBeLaidOverOthers) {
  ClassifierOptions options = few_rules();
  options.tasks.push_back({.task = "code_generation",
                           .phrases = {{"Stack  Trace", 0}, {"loop", 9}},
                           .features = {{Feature::CodeFence, 1}, {Feature::CodeFence, 0}}});
  const Classifier classifier = make(options);
  EXPECT_EQ(classifier.classify({.last_user = "stack trace ```x```"}).words,
            "auto: chat (no sign of any other task)");
  EXPECT_DOUBLE_EQ(classifier.classify({.last_user = "loop"}).confidence, 0.9);
}

TEST(Classifier, RulesThatMeanNothingAreRefused) {
  ClassifierOptions options = few_rules();
  options.default_task = "unknown";
  EXPECT_EQ(refusal(options).param(), "classifier.default");
  options = few_rules();
  options.threshold = 1.5;
  EXPECT_EQ(refusal(options).param(), "classifier.threshold");
  options = few_rules();
  options.tasks[0].task = "unknown";
  EXPECT_THAT(refusal(options).message(), HasSubstr("no task is named 'unknown'"));
  const auto with_phrase = [](std::string phrase, double weight) {
    ClassifierOptions one = few_rules();
    one.tasks[0].phrases.emplace_back(std::move(phrase), weight);
    return one;
  };
  EXPECT_EQ(refusal(with_phrase("x", -1)).param(), "classifier.code_generation");
  EXPECT_THAT(refusal(with_phrase("?!", 1)).message(), HasSubstr("has no word"));
  EXPECT_THAT(refusal(with_phrase("a b c d e f g h i", 1)).message(), HasSubstr("more than 8"));
  EXPECT_THAT(refusal(with_phrase(std::string(33, 'x'), 1)).message(), HasSubstr("too long"));
  options = few_rules();
  options.tasks[0].features = {{Feature::Sql, -1}};
  EXPECT_THAT(refusal(options).message(), HasSubstr("weight of sql"));
}

TEST(Classifier, AnyBytesAreText) {
  const Classifier classifier = make(builtin_rules(kTasks));
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 131 >> 3);
  for (size_t size = 0; size < 300; ++size)
    EXPECT_FALSE(
        classifier.classify({.last_user = std::string_view(bytes).substr(0, size)}).task.empty());
}

}  // namespace
}  // namespace sluice::routing
