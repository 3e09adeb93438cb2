#include "providers/preset.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <string>

namespace sluice::providers {
namespace {

TEST(Preset, IsFoundByItsName) {
  ASSERT_NE(preset_named("groq"), nullptr);
  EXPECT_EQ(preset_named("groq")->base_url, "https://api.groq.com/openai/v1");
  EXPECT_EQ(preset_named("Groq"), nullptr);
}

TEST(Preset, EveryRowHoldsTogether) {
  std::set<std::string_view> names;
  for (const Preset& preset : presets()) {
    EXPECT_TRUE(names.insert(preset.name).second) << preset.name;
    EXPECT_TRUE(preset.speaks.has(Call::Chat)) << preset.name;
    EXPECT_FALSE(preset.base_url.ends_with('/')) << preset.name;
    EXPECT_EQ(preset.local, preset.base_url.starts_with("http://localhost:")) << preset.name;
    EXPECT_TRUE(preset.local || preset.base_url.starts_with("https://")) << preset.name;
    EXPECT_TRUE(preset.local || !preset.key_env.empty()) << preset.name;
    for (size_t i = 0; i < kCallCount; ++i) {
      const auto call = static_cast<Call>(i);
      EXPECT_TRUE(!preset.speaks.has(call) || calls_of(Kind::OpenAi).has(call)) << preset.name;
    }
  }
}

TEST(Preset, TheMarkdownPageHasARowForEach) {
  const std::string page = presets_markdown();
  EXPECT_EQ(static_cast<size_t>(std::count(page.begin(), page.end(), '\n')), presets().size() + 2);
  EXPECT_NE(page.find("| `mistral` | Mistral | `https://api.mistral.ai/v1` | `MISTRAL_API_KEY` | "
                      "bearer | chat, embeddings | `max_completion_tokens` is sent as "
                      "`max_tokens`; no `stream_options` |"),
            std::string::npos);
}

TEST(Preset, TheCommittedPageHoldsTheTable) {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/docs/providers/openai.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_NE(page.str().find(presets_markdown()), std::string::npos) << presets_markdown();
}

}  // namespace
}  // namespace sluice::providers
