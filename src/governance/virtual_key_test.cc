#include "governance/virtual_key.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace sluice::governance {
namespace {

KeyDigester digester(const std::string& pepper) {
  return KeyDigester(Secret(pepper));
}

TEST(VirtualKey, IsRecognisedByItsPrefixAndChecksum) {
  const Secret key = mint_key();
  const std::string text(key.reveal());
  EXPECT_EQ(text.size(), 59U);
  EXPECT_TRUE(text.starts_with("sk-sluice-"));
  EXPECT_TRUE(is_minted_key(text));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string typo = text;
    typo[i] = typo[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(is_minted_key(typo)) << i;
  }
  EXPECT_FALSE(is_minted_key(text.substr(1)));
  EXPECT_FALSE(is_minted_key(text + "a"));
  EXPECT_FALSE(is_minted_key(""));
}

TEST(VirtualKey, NoTwoAreTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.emplace(mint_key().reveal());
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(VirtualKey, SEC_2_ShowsItsLastFourCharactersAtMost) {
  const Secret key = mint_key();
  EXPECT_EQ(shown_key(key.reveal()), "sk-sluice-…" + std::string(key.reveal().substr(55)));
  EXPECT_EQ(shown_key("my-own-key"), "…");
  EXPECT_EQ(shown_key(""), "…");
}

TEST(VirtualKey, SEC_11_ItsDigestIsAnHmacUnderThePepper) {
  // RFC 4231, test case 2, and case 6 with a key longer than a block.
  EXPECT_EQ(hex_of(digester("Jefe").of("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_of(digester(std::string(131, '\xaa'))
                       .of("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(VirtualKey, APepperIsToldFromAnother) {
  EXPECT_EQ(digester("one").fingerprint(), digester("one").fingerprint());
  EXPECT_NE(digester("one").fingerprint(), digester("two").fingerprint());
}

TEST(VirtualKey, DigestsAreWrittenInHex) {
  const Digest digest = sha256_of("abc");
  EXPECT_EQ(hex_of(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of_hex(hex_of(digest)), digest);
  EXPECT_EQ(digest_of_hex("sha256:" + hex_of(digest)), digest);
  EXPECT_EQ(digest_of_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
            digest);
  EXPECT_EQ(digest_of_hex("ba78"), std::nullopt);
  EXPECT_EQ(digest_of_hex(std::string(64, 'g')), std::nullopt);
  EXPECT_TRUE(same_digest(digest, digest));
  EXPECT_FALSE(same_digest(digest, sha256_of("abd")));
}

// Refusals show it to whoever sent it, in JSON, and the ledger keeps it.
TEST(VirtualKey, SEC_2_WhatIsShownIsPlainText) {
  const std::string end(20, 'a');
  EXPECT_EQ(shown_key(end + "1234wxyz"), "…wxyz");
  EXPECT_EQ(shown_key(end + "123\xc3\xa9\xc3\xa9"), "…");
  EXPECT_EQ(shown_key(end + "1234w\nyz"), "…");
  EXPECT_EQ(shown_key("short-wxyz"), "…");
}

}  // namespace
}  // namespace sluice::governance
