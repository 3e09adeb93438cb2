// Besides the cases here, every tests/golden/lists/KIND_x.json is read, and x.txt beside it says
// what was understood. A failing test prints the text as it is now.
#include "providers/model_list.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace sluice::providers {
namespace {

namespace fs = std::filesystem;

fs::path golden_dir() {
  return fs::path(SLUICE_SOURCE_DIR) / "tests/golden/lists";
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string show(const ListedRates& rates) {
  const auto one = [](std::string_view name, const std::optional<int64_t>& rate) {
    return rate ? fmt::format(" {}={}", name, *rate) : "";
  };
  return one("input", rates.input) + one("cached", rates.cached_input) +
         one("write", rates.cache_write) + one("write_1h", rates.cache_write_1h) +
         one("output", rates.output);
}

std::string show(const Result<ModelList>& list) {
  if (!list)
    return std::string(name_of(list.error().outcome())) + ": " + list.error().message() + "\n";
  std::string out =
      fmt::format("{} models{}{}\n", list->models.size(), list->has_prices ? ", with prices" : "",
                  list->more ? ", more to come" : "");
  for (const ListedModel& model : list->models) {
    out += model.id + (model.price ? show(model.price->base) : " unpriced") + "\n";
    if (!model.price) continue;
    for (const ListedStep& step : model.price->steps)
      out += fmt::format("  from {} tokens{}\n", step.from_prompt_tokens, show(step.rates));
    for (const ListedHours& hours : model.price->hours)
      out += fmt::format("  from {} to {} s{}\n", hours.start, hours.end, show(hours.rates));
  }
  return out;
}

TEST(ModelListGolden, PRICE_6_EveryListMeansWhatIsWrittenBesideIt) {
  size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir())) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    const std::string name = entry.path().stem().string();
    const Kind kind = *kind_named(name.substr(0, name.find('_')));
    const std::string actual = show(read_model_list(kind, content_of(entry.path())));
    EXPECT_EQ(actual, content_of(fs::path(entry.path()).replace_extension(".txt")))
        << name << " is\n"
        << actual;
  }
  EXPECT_GE(count, 6U);
}

TEST(ModelList, PRICE_6_ACutListIsRefusedAtEveryByte) {
  for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir())) {
    if (entry.path().extension() != ".json") continue;
    const Kind kind =
        *kind_named(entry.path().stem().string().starts_with("cortex") ? "cortex" : "openrouter");
    std::string text = content_of(entry.path());
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (size_t end = 0; end < text.size(); ++end)
      ASSERT_FALSE(read_model_list(kind, std::string_view(text).substr(0, end))) << entry.path();
  }
}

TEST(ModelList, AListOfAnotherShapeIsRefused) {
  const auto refused = [](Kind kind, std::string_view json) {
    const Result<ModelList> list = read_model_list(kind, json);
    return !list && list.error().outcome() == Outcome::UpstreamBadReply;
  };
  EXPECT_TRUE(refused(Kind::OpenRouter, "<html>"));
  EXPECT_TRUE(refused(Kind::OpenRouter, R"({"models":[]})"));
  EXPECT_TRUE(refused(Kind::OpenRouter, R"({"data":{}})"));
  EXPECT_TRUE(refused(Kind::OpenRouter, R"({"data":["a"]})"));
  EXPECT_TRUE(refused(Kind::OpenRouter, R"({"data":[{"id":""}]})"));
  EXPECT_TRUE(refused(Kind::OpenRouter, R"({"data":[{"id":"a b"}]})"));
  EXPECT_TRUE(refused(Kind::OpenRouter, R"({"data":[{"id":"a","pricing":[]}]})"));
  EXPECT_TRUE(refused(Kind::Cortex, R"({"data":[{"id":"a"}]})"));
  EXPECT_TRUE(refused(Kind::Cortex, R"({"models":[{"name":"a"}]})"));
  EXPECT_TRUE(refused(Kind::Cortex, R"([])"));
}

TEST(ModelList, AListWithoutAnEndIsRefused) {
  std::string json = R"({"models":[)";
  for (size_t i = 0; i <= kMostListedModels; ++i) json += fmt::format(R"("m{}",)", i);
  json.back() = ']';
  EXPECT_FALSE(read_model_list(Kind::Cortex, json + "}"));
}

TEST(ModelList, OnlyKindsWithAListHaveAPath) {
  EXPECT_EQ(list_path_of(Kind::OpenRouter), "/models");
  EXPECT_EQ(list_path_of(Kind::Cortex), "/models");
  EXPECT_EQ(list_path_of(Kind::OpenAi), "");
}

}  // namespace
}  // namespace sluice::providers
