#include "bench/response_reader.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "bench/histogram.h"
#include "bench/mock_answers.h"

namespace sluice::bench {
namespace {

std::string joined(const Script& script) {
  std::string text;
  for (const std::string& part : script) text += part;
  return text;
}

TEST(ResponseReader, CountsAStreamTheSameWhereverItIsSplit) {
  std::string text = joined(make_answers().stream_with_usage);
  for (size_t cut = 1; cut < text.size(); ++cut) {
    ResponseReader reader;
    reader.start();
    EXPECT_EQ(reader.feed(std::string_view(text).substr(0, cut)), cut);
    EXPECT_FALSE(reader.done());
    reader.feed(std::string_view(text).substr(cut));
    ASSERT_TRUE(reader.done()) << "split at " << cut;
    ASSERT_EQ(reader.events(), kContentEvents + 4) << "split at " << cut;
    ASSERT_TRUE(reader.ended_with_done()) << "split at " << cut;
  }
}

TEST(ResponseReader, StopsAtTheEndOfOneAnswer) {
  std::string chat = make_answers().chat;
  ResponseReader reader;
  reader.start();
  EXPECT_EQ(reader.feed(chat + "HTTP/1.1 500"), chat.size());
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.body_bytes(), kChatBodyBytes);
}

TEST(ResponseReader, DoesNotTakeACutStreamForAWholeOne) {
  ResponseReader reader;
  reader.start();
  reader.feed(joined(make_answers().cut_stream));
  EXPECT_FALSE(reader.done());
  EXPECT_FALSE(reader.ended_with_done());
}

TEST(Histogram, FindsQuantilesWithinAThousandth) {
  Histogram histogram;
  for (int64_t value = 1; value <= 1'000'000; ++value) histogram.add(value * 10);
  EXPECT_NEAR(static_cast<double>(histogram.at(0.5)), 5e6, 5e3);
  EXPECT_NEAR(static_cast<double>(histogram.at(0.99)), 9.9e6, 1e4);
  EXPECT_EQ(histogram.max(), 10'000'000);
}

}  // namespace
}  // namespace sluice::bench
