#include "wire/json.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::json {
namespace {

Fault fault_of(std::string_view text) {
  if (!is_utf8(text)) return Fault::Utf8;
  Reader reader(text);
  reader.skip() && reader.finish();
  return reader.fault();
}

std::string nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']');
}

TEST(Json, AcceptsWhatTheStandardAllows) {
  for (const char* text :
       {"null", " true ", "-0", "0.5e-7", "1E+2", "\"\"", "\"\\u00e9\\\"\\/\\b\"", "[]", "[ ]",
        "{}", "{\"a\":[1,{\"b\":null}],\"c\":\"\\ud83d\\ude00\"}", "123456789012345678901234567890",
        "[\"\x7f\"]", "\t\r\n[\n1 ,\n2 ]\n", "1e-400"}) {
    EXPECT_EQ(fault_of(text), Fault::None) << text;
  }
}

TEST(Json, RefusesEverythingElseAndSaysWhy) {
  const std::pair<std::string, Fault> cases[] = {
      {"", Fault::Empty},
      {"  ", Fault::UnexpectedEnd},
      {"[1,]", Fault::UnexpectedByte},
      {"{\"a\":1,}", Fault::ExpectedKey},
      {"{a:1}", Fault::ExpectedKey},
      {"{\"a\" 1}", Fault::ExpectedColon},
      {"{\"a\":1 \"b\":2}", Fault::ExpectedCommaOrBrace},
      {"[1 2]", Fault::ExpectedCommaOrBracket},
      {"[1}", Fault::ExpectedCommaOrBracket},
      {"nul", Fault::UnexpectedEnd},
      {"nulL", Fault::BadLiteral},
      {"truee", Fault::TrailingBytes},
      {"01", Fault::BadNumber},
      {"1.", Fault::UnexpectedEnd},
      {"1.x", Fault::BadNumber},
      {"-", Fault::UnexpectedEnd},
      {"+1", Fault::UnexpectedByte},
      {".5", Fault::UnexpectedByte},
      {"NaN", Fault::UnexpectedByte},
      {"\"\t\"", Fault::ControlCharacter},
      {std::string("\"\0\"", 3), Fault::ControlCharacter},
      {"\"\\x41\"", Fault::BadEscape},
      {"\"\\u12g4\"", Fault::BadEscape},
      {"\"\\u+123\"", Fault::BadEscape},
      {"\"\\u12", Fault::UnexpectedEnd},
      {"\"abc", Fault::UnexpectedEnd},
      {"{} {}", Fault::TrailingBytes},
      {"\xef\xbb\xbf{}", Fault::UnexpectedByte},
      {"\"\xff\"", Fault::Utf8},
      {"\"\xed\xa0\x80\"", Fault::Utf8},
  };
  for (const auto& [text, fault] : cases) EXPECT_EQ(fault_of(text), fault) << text;
}

TEST(Json, RefusesHalvesOfSurrogatePairs) {
  for (const char* text :
       {"\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\n\""}) {
    EXPECT_EQ(fault_of(text), Fault::LoneSurrogate) << text;
  }
}

// C15: bounded stack and time.
TEST(Json, BoundsDepthAndNumbers) {
  EXPECT_EQ(fault_of(nested(kMaxDepth)), Fault::None);
  EXPECT_EQ(fault_of(nested(kMaxDepth + 1)), Fault::TooDeep);
  EXPECT_EQ(fault_of(std::string(100'000, '[')), Fault::TooDeep);
  EXPECT_EQ(fault_of("1e400"), Fault::NumberTooBig);
  EXPECT_EQ(fault_of("-1e400"), Fault::NumberTooBig);
  EXPECT_EQ(fault_of(std::string(400, '9')), Fault::NumberTooBig);
  EXPECT_EQ(fault_of(std::string(10'000'000, '1')), Fault::NumberTooLong);
}

TEST(Json, MixedNestingClosesWithTheRightBracket) {
  EXPECT_EQ(fault_of("[{\"a\":[{\"b\":[]}]},[[{}]]]"), Fault::None);
  EXPECT_EQ(fault_of("[{\"a\":[}]]"), Fault::UnexpectedByte);
  EXPECT_EQ(fault_of("{\"a\":[1}"), Fault::ExpectedCommaOrBracket);
}

TEST(Json, EveryCutOfATextIsAnErrorWhereItEnds) {
  const std::string text =
      R"({"a":[1,-2.5e3,"x\u00e9\ud83d\ude00y",{"b":true,"c":null}],"d":false})";
  ASSERT_EQ(fault_of(text), Fault::None);
  for (size_t length = 1; length < text.size(); ++length) {
    // Of its own memory, so that reading past the end is seen.
    const std::string copy = text.substr(0, length);
    Reader reader(copy);
    EXPECT_FALSE(reader.skip() && reader.finish()) << copy;
    EXPECT_LE(reader.at(), length);
  }
}

TEST(Json, PathNamesTheValueAtAnOffset) {
  const std::string text =
      R"({"model":"m","messages":[{"role":"a"},{"role":"b","content":[1,"x"]}]})";
  EXPECT_EQ(path_at(text, text.find("\"x\"")), "messages[1].content[1]");
  EXPECT_EQ(path_at(text, text.find("\"m\"")), "model");
  EXPECT_EQ(path_at(text, 0), "");
  EXPECT_LE(path_at(std::string(100'000, '['), 100'000).size(), 220u);
}

TEST(Json, PositionCountsLinesAndColumns) {
  EXPECT_EQ(position_at("ab\ncd", 0), "line 1, column 1 (byte 0)");
  EXPECT_EQ(position_at("ab\ncd", 4), "line 2, column 2 (byte 4)");
}

TEST(Json, TextComparesAndMeasuresWhatItStandsFor) {
  const Text text{R"(a\u00e9\n\ud83d\ude00\"\u4e16)", true};
  EXPECT_EQ(text.str(), "a\xc3\xa9\n\xf0\x9f\x98\x80\"\xe4\xb8\x96");
  EXPECT_EQ(text.length(), text.str().size());
  EXPECT_TRUE((Text{"mod\\u0065l", true}.is("model")));
  EXPECT_FALSE((Text{"model", false}.is("mode")));
}

TEST(Json, QuotedTextReadsBackAndIsAlwaysUtf8) {
  std::string quoted;
  append_quoted(quoted, "a\"\\\n\t\x01\x7f\xc3\xa9");
  EXPECT_EQ(quoted, "\"a\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xa9\"");
  std::string broken;
  append_quoted(broken, "x\xff\xc3");
  EXPECT_EQ(broken, "\"x\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(fault_of(broken), Fault::None);
}

TEST(Json, NumbersAreIntegersOnlyWithoutAFraction) {
  EXPECT_EQ(to_integer("42"), 42);
  EXPECT_EQ(to_integer("-7"), -7);
  EXPECT_EQ(to_integer("5.0"), 5);
  EXPECT_EQ(to_integer("1e3"), 1000);
  EXPECT_EQ(to_integer("1.5"), std::nullopt);
  EXPECT_EQ(to_integer("99999999999999999999"), std::nullopt);
}

TEST(Json, Utf8IsCheckedAtEveryPlaceAndLength) {
  for (size_t length = 1; length < 300; ++length) {
    std::string text(length, 'a');
    EXPECT_TRUE(is_utf8(text));
    for (const size_t place : {size_t{0}, length / 2, length - 1}) {
      text[place] = '\xff';
      EXPECT_FALSE(is_utf8(text)) << length << " " << place;
      text[place] = 'a';
    }
    EXPECT_TRUE(is_utf8(text + "\xc3\xa9"));
  }
}

TEST(Json, C_14_InvalidUtf8IsNamedWithItsPlace) {
  const Error error = utf8_error(Outcome::BadRequest, "{\"a\":\"x\xff\"}");
  EXPECT_EQ(error.param(), "a");
  EXPECT_NE(error.message().find("byte 7"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("UTF-8"), std::string::npos);
}

}  // namespace
}  // namespace sluice::json
