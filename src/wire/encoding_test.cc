#include "wire/encoding.h"

#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <zlib.h>

#include "wire/json.h"

namespace sluice::tokens {
namespace {

const Encoding& encoding(EncodingName name) {
  static const std::unique_ptr<const Encoding> all[] = {*Encoding::load(EncodingName::O200kBase),
                                                        *Encoding::load(EncodingName::Cl100kBase)};
  return *all[static_cast<size_t>(name)];
}

std::vector<Token> encoded(EncodingName name, std::string_view text) {
  Merger merger;
  std::vector<Token> tokens;
  encoding(name).encode(text, merger, tokens);
  return tokens;
}

std::string decoded(EncodingName name, const std::vector<Token>& tokens) {
  std::string text;
  for (const Token token : tokens) text += encoding(name).vocabulary().bytes_of(token);
  return text;
}

// Four bytes a token, little-endian, as scripts/golden_texts.py has it.
uint32_t crc_of(const std::vector<Token>& tokens) {
  uLong crc = crc32(0, nullptr, 0);
  for (const Token token : tokens) {
    std::array<Bytef, 4> bytes{};
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<Bytef>(token >> (8 * i));
    crc = crc32(crc, bytes.data(), bytes.size());
  }
  return static_cast<uint32_t>(crc);
}

struct Golden {
  size_t tokens[kEncodings];
  uint32_t crc[kEncodings];
  std::string text;
};

std::vector<Golden> golden_texts() {
  std::ifstream file(SLUICE_SOURCE_DIR "/tests/golden/tokens/texts.txt");
  std::vector<Golden> all;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Golden golden;
    for (size_t i = 0; i < kEncodings; ++i) {
      words >> std::dec >> golden.tokens[i] >> std::hex >> golden.crc[i];
    }
    const size_t quote = line.find('"');
    golden.text = json::unescape(std::string_view(line).substr(quote + 1, line.size() - quote - 2));
    all.push_back(std::move(golden));
  }
  return all;
}

TEST(Encoding, TokensAreThoseOfTheReference) {
  const std::vector<Golden> all = golden_texts();
  ASSERT_GT(all.size(), 2000u);
  for (const Golden& golden : all) {
    for (size_t i = 0; i < kEncodings; ++i) {
      const auto name = static_cast<EncodingName>(i);
      const std::vector<Token> tokens = encoded(name, golden.text);
      ASSERT_EQ(tokens.size(), golden.tokens[i]) << i << ": " << golden.text;
      ASSERT_EQ(crc_of(tokens), golden.crc[i]) << i << ": " << golden.text;
      ASSERT_EQ(decoded(name, tokens), golden.text);
    }
  }
}

TEST(Encoding, ACountIsTheNumberOfTokens) {
  Merger merger;
  for (const Golden& golden : golden_texts()) {
    const Count count = encoding(EncodingName::O200kBase).count(golden.text, merger);
    EXPECT_EQ(count, (Count{static_cast<int64_t>(golden.tokens[0]), true})) << golden.text;
  }
}

TEST(Encoding, KnownTokensOfTheVendorsExamples) {
  EXPECT_EQ(encoded(EncodingName::Cl100kBase, "tiktoken is great!"),
            (std::vector<Token>{83, 1609, 5963, 374, 2294, 0}));
  EXPECT_EQ(encoded(EncodingName::O200kBase, "tiktoken is great!"),
            (std::vector<Token>{83, 8251, 2488, 382, 2212, 0}));
}

TEST(Encoding, EveryTokenIsItselfAndWhatItsBytesMergeInto) {
  for (size_t i = 0; i < kEncodings; ++i) {
    const Vocabulary& vocabulary = encoding(static_cast<EncodingName>(i)).vocabulary();
    Merger merger;
    for (Token token = 0; token < vocabulary.size(); ++token) {
      ASSERT_EQ(vocabulary.find(vocabulary.bytes_of(token)), token);
      const std::span<const Token> merged = merger.merge(vocabulary, vocabulary.bytes_of(token));
      ASSERT_EQ(merged.size(), 1u);
      ASSERT_EQ(merged[0], token);
    }
  }
}

TEST(Encoding, BytesThatAreNoTextAreKept) {
  for (const std::string text : {"\xff", "a\x80z", "\xe4\xbd", "\xf0\x9f\x98", "\xc0\xaf",
                                 "\xed\xa0\x80", "ab\xf5\x80\x80\x80 cd", "\xf4\x90\x80\x80"}) {
    EXPECT_EQ(decoded(EncodingName::O200kBase, encoded(EncodingName::O200kBase, text)), text);
    EXPECT_EQ(decoded(EncodingName::Cl100kBase, encoded(EncodingName::Cl100kBase, text)), text);
  }
}

TEST(Encoding, APieceTooLongForTheMergerIsCountedInPartsAndNotCalledExact) {
  Merger merger;
  const Encoding& o200k = encoding(EncodingName::O200kBase);
  EXPECT_TRUE(o200k.count(std::string(Merger::kLongest, 'a'), merger).exact);
  const Count count = o200k.count(std::string(4 * Merger::kLongest, 'a'), merger);
  EXPECT_FALSE(count.exact);
  EXPECT_EQ(count.tokens, static_cast<int64_t>(4 * Merger::kLongest / 8));
}

}  // namespace
}  // namespace sluice::tokens
