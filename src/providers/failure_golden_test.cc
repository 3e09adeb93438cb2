// Runs every file of tests/golden/errors against what stands beside it.
//
//   x.reply  a status, header lines, an empty line, a body  ->  x.txt  what was made of it
//
// The first word of a name is the kind of the upstream; names of services that speak OpenAI's
// dialect stand for that kind. A failing test prints the text as it is now.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

#include "providers/failure.h"

namespace sluice::providers {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kNow = 1'795'420'800'000'000;  // 2026-11-23T08:00:00Z

fs::path golden_dir() {
  return fs::path(SLUICE_SOURCE_DIR) / "tests/golden/errors";
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Reply {
  int status = 0;
  net::Headers headers;
  std::string_view body;
};

// `text` must outlive the reply.
Reply parse(std::string_view text) {
  Reply reply;
  const size_t first = text.find('\n');
  reply.status = std::stoi(std::string(text.substr(0, first)));
  text.remove_prefix(first + 1);
  for (size_t end = text.find('\n'); end != 0; end = text.find('\n')) {
    const size_t colon = text.find(": ");
    reply.headers.add(text.substr(0, colon), text.substr(colon + 2, end - colon - 2));
    text.remove_prefix(end + 1);
  }
  reply.body = text.substr(1);
  return reply;
}

std::string show(const std::optional<int64_t>& number) {
  return number ? std::to_string(*number) : "unknown";
}

std::string show(const UpstreamFailure& failure) {
  constexpr std::string_view kShapes[] = {"none", "openai", "anthropic", "flat", "portkey"};
  std::string out = fmt::format("{} shape={}", name_of(failure.outcome),
                                kShapes[static_cast<size_t>(failure.shape)]);
  if (failure.lasting) out += " lasting";
  if (failure.blames_key) out += " blames_key";
  if (failure.retry_after)
    out += fmt::format(" retry_after={}ms", *failure.retry_after / kMillisecond);
  if (failure.overflow) {
    out += fmt::format(" tokens={} limit={}", show(failure.overflow->tokens),
                       show(failure.overflow->limit));
  }
  if (failure.wanted) {
    out += fmt::format(" reject={} use={}", failure.wanted->reject,
                       failure.wanted->use.empty() ? "nothing" : failure.wanted->use);
  }
  return out + "\nmessage: " + failure.message + "\n";
}

TEST(FailureGolden, RET_3_RET_14_FB_10_TR_2_EveryKnownErrorMeansWhatIsWrittenBesideIt) {
  std::vector<fs::path> replies;
  for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir())) {
    if (entry.path().extension() == ".reply") replies.push_back(entry.path());
  }
  std::sort(replies.begin(), replies.end());
  ASSERT_GT(replies.size(), 80U);
  for (const fs::path& path : replies) {
    const std::string name = path.stem().string();
    const std::string text = read(path);
    const Reply reply = parse(text);
    const Kind kind = kind_named(name.substr(0, name.find('_'))).value_or(Kind::OpenAi);
    const std::string actual = show(classify(kind, reply.status, reply.headers, reply.body, kNow));
    EXPECT_EQ(actual, read(fs::path(path).replace_extension(".txt"))) << name << " is\n" << actual;
  }
}

TEST(FailureGolden, AnyKindAndAnyCutOfAnyErrorIsClassifiedSomehow) {
  for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir())) {
    if (entry.path().extension() != ".reply") continue;
    const std::string text = read(entry.path());
    const Reply reply = parse(text);
    for (size_t k = 0; k < kKindCount; ++k) {
      for (size_t end = 0; end <= reply.body.size(); end += 7) {
        const UpstreamFailure failure = classify(static_cast<Kind>(k), reply.status, reply.headers,
                                                 reply.body.substr(0, end), kNow);
        EXPECT_TRUE(is_upstream_failure(failure.outcome)) << entry.path();
      }
    }
  }
}

}  // namespace
}  // namespace sluice::providers
