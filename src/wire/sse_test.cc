#include "wire/sse.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sluice::sse {
namespace {

struct Seen {
  std::vector<std::string> events;  // name|id|data
  bool too_large = false;
  bool inside = false;
  size_t held = 0;
};

Seen parse(const std::vector<std::string>& pieces, uint32_t max_event = kDefaultMaxEvent) {
  Seen seen;
  Parser parser(max_event);
  for (const std::string& piece : pieces) {
    const std::string copy = piece;
    parser.feed(copy);
    Event event;
    Step step;
    while ((step = parser.next(&event)) == Step::Event) {
      seen.events.push_back(std::string(event.name) + "|" + std::string(event.id) + "|" +
                            std::string(event.data));
    }
    if (step == Step::TooLarge) seen.too_large = true;
  }
  seen.inside = parser.ended_inside_event();
  seen.held = parser.held();
  return seen;
}

using Events = std::vector<std::string>;

TEST(Sse, SSE_1_FieldsCommentsAndMissingSpaces) {
  EXPECT_EQ(parse({"data: a\n\n"}).events, Events{"||a"});
  EXPECT_EQ(parse({"data:a\n\ndata:  b\n\n"}).events, (Events{"||a", "|| b"}));
  EXPECT_EQ(parse({"event: error\nid: 7\nretry: 10\ndata: {}\n\n"}).events, Events{"error|7|{}"});
  EXPECT_EQ(parse({": ping\n\n:\n\ndata: x\n\n: OPENROUTER PROCESSING\n\n"}).events, Events{"||x"});
  EXPECT_EQ(parse({"data: a\n:c\ndata: b\nunknown: 1\ndata\n\n"}).events, Events{"||a\nb\n"});
  EXPECT_EQ(parse({"event: only\n\n\n\ndata:\n\n"}).events, Events{"||"});
  EXPECT_EQ(parse({"event: e\ndata: a\ndata: b\nid: i\n\n"}).events, Events{"e|i|a\nb"});
}

TEST(Sse, SSE_1_EveryLineEndAndAByteOrderMark) {
  for (const std::string end : {"\n", "\r", "\r\n"}) {
    const std::string text =
        "\xef\xbb\xbf"
        "data: a" +
        end + "data: b" + end + end + "event: e" + end + "data: c" + end + end;
    EXPECT_EQ(parse({text}).events, (Events{"||a\nb", "e||c"})) << end;
  }
  EXPECT_EQ(parse({"data: a\r\n\ndata: b\n\r\ndata: c\r\r\n"}).events,
            (Events{"||a", "||b", "||c"}));
  EXPECT_EQ(parse({"\xef\xbb", "data: x\n\ndata: y\n\n"}).events, Events{"||y"});
}

TEST(Sse, COST_4_EverySplitInTwoAndInSingleBytesGivesTheSame) {
  const std::string text =
      "\xef\xbb\xbf: hi\r\n\r\ndata: {\"a\":\"\xe4\xb8\x96\"}\r\n\r\nevent: "
      "x\rdata:1\rdata:2\r\rid: 3\n"
      "data: z\n\n:\n:\n\ndata: last\n\ndata: lost\n";
  const Seen whole = parse({text});
  ASSERT_EQ(whole.events.size(), 4u);
  EXPECT_TRUE(whole.inside);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const Seen split = parse({text.substr(0, cut), text.substr(cut)});
    EXPECT_EQ(split.events, whole.events) << cut;
    EXPECT_EQ(split.inside, whole.inside) << cut;
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(parse(bytes).events, whole.events);
}

TEST(Sse, OnlyOneDataLineAsWeWouldWriteItIsCanonical) {
  const auto canonical = [](const std::string& text) {
    Parser parser;
    parser.feed(text);
    Event event;
    EXPECT_EQ(parser.next(&event), Step::Event) << text;
    if (event.canonical) EXPECT_EQ(event.raw, text);
    return event.canonical;
  };
  EXPECT_TRUE(canonical("data: {}\n\n"));
  EXPECT_FALSE(canonical("data:{}\n\n"));
  EXPECT_FALSE(canonical("data: {}\r\n\r\n"));
  EXPECT_FALSE(canonical("data: {}\r\n\n"));
  EXPECT_FALSE(canonical("data: {\ndata: }\n\n"));
  EXPECT_FALSE(canonical("event: e\ndata: {}\n\n"));
  EXPECT_FALSE(canonical(":c\r\rdata: {}\n\r"));
}

TEST(Sse, WholeEventsAreViewsIntoTheBytesFed) {
  const std::string text = "data: one\n\ndata: two\r\n\r\n";
  Parser parser;
  parser.feed(text);
  Event event;
  while (parser.next(&event) == Step::Event) {
    EXPECT_GE(event.data.data(), text.data());
    EXPECT_LE(event.data.data(), text.data() + text.size());
  }
  EXPECT_EQ(parser.held(), 0u);
}

TEST(Sse, ANamedEventIsTheSameWholeAndInPieces) {
  const std::string text = "event: a\ndata: one\n\nevent: \ndata:  two\n\nevent: c\n\ndata: x\n\n";
  const Events expected{"a||one", "|| two", "||x"};
  EXPECT_EQ(parse({text}).events, expected);
  for (size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_EQ(parse({text.substr(0, cut), text.substr(cut)}).events, expected) << cut;
  }
  Parser parser;
  parser.feed(text);
  Event event;
  ASSERT_EQ(parser.next(&event), Step::Event);
  EXPECT_EQ(event.raw, "event: a\ndata: one\n\n");
  EXPECT_EQ(event.raw.data(), text.data());
  EXPECT_FALSE(event.canonical);
}

TEST(Sse, SSE_9_AnEventOverTheLimitIsAnErrorHoweverItComes) {
  const std::string big = "data: " + std::string(200, 'x') + "\n\n";
  EXPECT_TRUE(parse({big}, 100).too_large);
  EXPECT_TRUE(parse({big.substr(0, 50), big.substr(50)}, 100).too_large);
  EXPECT_TRUE(parse({"data: " + std::string(200, 'x')}, 100).too_large);
  EXPECT_FALSE(parse({big, big}, 208).too_large);
  const Seen seen = parse({big.substr(0, 60), big.substr(60), "data: a\n\n"}, 100);
  EXPECT_TRUE(seen.events.empty());
  EXPECT_EQ(seen.held, 0u);
}

TEST(Sse, PingsWithoutEndHoldNoMemory) {
  std::vector<std::string> pieces(1000, ": ping\n");
  pieces.push_back(": " + std::string(5000, 'x'));
  const Seen seen = parse(pieces, 100);
  EXPECT_FALSE(seen.too_large);
  EXPECT_EQ(seen.held, 0u);
  EXPECT_FALSE(seen.inside);
}

TEST(Sse, HalfAnEventAtTheEndIsReported) {
  EXPECT_TRUE(parse({"data: a\n\ndata: b"}).inside);
  EXPECT_TRUE(parse({"data: b\n"}).inside);
  EXPECT_FALSE(parse({"data: a\n\n"}).inside);
  EXPECT_FALSE(parse({"data: a\n\n: ping"}).inside);
}

}  // namespace
}  // namespace sluice::sse
