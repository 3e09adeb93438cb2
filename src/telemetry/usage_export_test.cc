#include "telemetry/usage_export.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace sluice::telemetry {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kDay = 20'780;  // 2026-11-23

Result<ExportSums> read(const std::string& text, ExportFormat format = ExportFormat::Auto) {
  std::istringstream in(text);
  return read_export(in, format, [](int64_t) {});
}

ExportSums golden(const std::string& name) {
  std::ifstream in(SLUICE_SOURCE_DIR "/tests/golden/reconcile/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  auto sums = read_export(in, ExportFormat::Auto, [](int64_t) {});
  EXPECT_TRUE(sums) << name << ": " << sums.error().message();
  return sums ? *std::move(sums) : ExportSums{};
}

// What the export states of a model on a day, by name.
std::map<std::string, int64_t> stated(const ExportSums& sums, const std::string& model,
                                      int64_t day = kDay) {
  std::map<std::string, int64_t> out;
  const auto found = sums.sums.find({day, model});
  if (found == sums.sums.end()) return out;
  for (size_t i = 0; i < kFigures; ++i) {
    if (sums.states[i]) out.emplace(name_of(static_cast<Figure>(i)), found->second[i]);
  }
  return out;
}

using Stated = std::map<std::string, int64_t>;

TEST(UsageExport, TOK_9_EveryProvidersExportIsRecognisedAndRead) {
  const ExportSums openai = golden("openai_usage.json");
  EXPECT_EQ(openai.format, ExportFormat::OpenAi);
  EXPECT_EQ(stated(openai, "gpt-5-mini"),
            (Stated{{"requests", 2}, {"prompt", 1200}, {"cache_read", 200}, {"output", 300}}));
  EXPECT_EQ(stated(openai, "gpt-4-1").at("requests"), 1);
  EXPECT_EQ(openai.sums.size(), 2U) << "a day without use is no line";
  EXPECT_EQ(stated(golden("openai_costs.csv"), "gpt-5-mini"), (Stated{{"cost", 855'000}}));

  const Stated anthropic = {
      {"input", 3}, {"cache_read", 40}, {"cache_write", 12'309}, {"output", 550}};
  EXPECT_EQ(golden("anthropic_usage.csv").format, ExportFormat::Anthropic);
  EXPECT_EQ(stated(golden("anthropic_usage.csv"), "claude-sonnet-4-5"), anthropic);
  EXPECT_EQ(stated(golden("anthropic_usage.json"), "claude-sonnet-4-5"), anthropic);
  EXPECT_EQ(stated(golden("anthropic_cost.json"), "claude-sonnet-4-5"),
            (Stated{{"cost", 54'399'000}}))
      << "its amounts are cents";

  const ExportSums router = golden("openrouter_activity.csv");
  EXPECT_EQ(router.format, ExportFormat::OpenRouter);
  EXPECT_EQ(stated(router, "gpt-5-mini"), (Stated{{"requests", 1},
                                                  {"prompt", 1000},
                                                  {"cache_read", 100},
                                                  {"output", 200},
                                                  {"cost", 12'300'000},
                                                  {"upstream", 0}}));
  EXPECT_EQ(stated(router, "gpt-5-mini", kDay + 1).at("upstream"), 250'000'000);
  EXPECT_EQ(stated(golden("openrouter_activity.json"), "gpt-5-mini").at("cost"), 12'300'000);

  EXPECT_EQ(golden("portkey_logs.jsonl").format, ExportFormat::Portkey);
  EXPECT_EQ(stated(golden("portkey_logs.jsonl"), "gpt-5-mini"),
            (Stated{{"requests", 2}, {"prompt", 1010}, {"output", 202}, {"cost", 656'500}}));

  const ExportSums snowflake = golden("snowflake_cortex.csv");
  EXPECT_EQ(snowflake.format, ExportFormat::Snowflake);
  EXPECT_EQ(stated(snowflake, "llama3-3-70b"),
            (Stated{{"tokens", 1'000'000}, {"credits", 1'210'000'000}}))
      << "11 p.m. in California is the next day in UTC";
}

TEST(UsageExport, AFileThatCannotBeReadSaysWhereAndWhy) {
  const auto error = [](const std::string& text) {
    const auto sums = read(text);
    return sums ? "" : sums.error().message();
  };
  EXPECT_THAT(error(""), HasSubstr("empty"));
  EXPECT_THAT(error("a,b\n1,2\n"), HasSubstr("no export that is known"));
  EXPECT_THAT(error("nothing of the kind"), HasSubstr("no export that is known"));
  EXPECT_THAT(error("generation_id,created_at,cost_total\ng,2026-11-23,1\nh,2026-11-23\n"),
              HasSubstr("record 2: has 2 fields, the header 3"));
  EXPECT_THAT(error("generation_id,created_at,cost_total\ng,2026-11-23,one\n"),
              HasSubstr("record 1: `cost_total` is no number: one"));
  EXPECT_THAT(error("generation_id,created_at,cost_total\ng,soon,1\n"),
              HasSubstr("no date that can be read: soon"));
  EXPECT_THAT(error("generation_id,cost_total\ng,1\n"), HasSubstr("has no date"));
  EXPECT_THAT(error("{\"starting_at\":}"), HasSubstr("is no JSON"));
  EXPECT_THAT(error("{\"starting_at\":"), HasSubstr("in the middle of a record"));
}

TEST(UsageExport, DaysAreThoseOfUtc) {
  for (const char* moment : {"2026-11-23", "2026-11-23T00:00:00Z", "2026-11-23 23:59:59.999",
                             "1795392000", "2026-11-24T01:00:00+02:00",
                             "2026-11-22 20:00:00.000 -0800", "2026-11-23T10:00:00+00:00"}) {
    EXPECT_EQ(day_of(moment), kDay) << moment;
  }
  for (const char* moment :
       {"", "tomorrow", "2026-13-01", "2026-02-30", "2026/11/23", "2026-11-23T"}) {
    EXPECT_EQ(day_of(moment), std::nullopt) << moment;
  }
}

TEST(UsageExport, OneModelHasOneName) {
  for (const char* name : {"gpt-5.1", "GPT-5.1-2025-08-07", "openai/gpt-5.1:free", "gpt-5-1"}) {
    EXPECT_EQ(common_model_name(name), "gpt-5-1") << name;
  }
  EXPECT_EQ(common_model_name("Claude Sonnet 4.5"), "claude-sonnet-4-5");
}

}  // namespace
}  // namespace sluice::telemetry
