#include "governance/sealed_secret.h"

#include <gtest/gtest.h>
#include <set>

namespace sluice::governance {
namespace {

constexpr std::string_view kHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr std::string_view kOther =
    "f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kValue = "sk-live-0123456789";

SecretsKey key(std::string_view text = kHex) {
  return *SecretsKey::parse(text);
}

TEST(SecretsKey, IsThirtyTwoBytesInHexOrBase64) {
  EXPECT_EQ(key(kHex).check(), key(kBase64).check());
  EXPECT_EQ(key(kHex).check(), key(kBase64.substr(0, 43)).check());
  EXPECT_NE(key(kHex).check(), key(kOther).check());
  for (const char* wrong : {"", "short", "000102030405060708090a0b0c0d0e0f",
                            "!AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                            "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}) {
    const auto read = SecretsKey::parse(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().message().find("0102"), std::string::npos);
  }
}

TEST(SealedSecret, SEC_11_OpensWithItsKeyAlone) {
  const SealedSecret sealed = *key().seal("openai", 1, kValue);
  EXPECT_EQ(key().open(sealed)->reveal(), kValue);
  EXPECT_FALSE(key(kOther).open(sealed));
  for (const std::string* part : {&sealed.sealed, &sealed.wrapped})
    EXPECT_EQ(part->find("sk-live"), std::string::npos);
}

TEST(SealedSecret, EachIsSealedWithAKeyOfItsOwn) {
  std::set<std::string> seen;
  for (int i = 0; i < 3; ++i) {
    const SealedSecret sealed = *key().seal("openai", 1, kValue);
    EXPECT_TRUE(seen.insert(sealed.sealed).second);
    EXPECT_TRUE(seen.insert(sealed.wrapped).second);
  }
}

TEST(SealedSecret, SEC_11_ARowInAnothersPlaceDoesNotOpen) {
  const SealedSecret a = *key().seal("a", 1, "value of a");
  const SealedSecret b = *key().seal("b", 1, "value of b");
  SealedSecret swapped = a;
  swapped.name = "b";
  EXPECT_FALSE(key().open(swapped)) << "under another name";
  swapped = a;
  swapped.version = 2;
  EXPECT_FALSE(key().open(swapped)) << "under another version";
  swapped = b;
  swapped.sealed = a.sealed;
  EXPECT_FALSE(key().open(swapped)) << "another's value";
  swapped = b;
  swapped.wrapped = a.wrapped;
  EXPECT_FALSE(key().open(swapped)) << "another's key";
}

TEST(SealedSecret, SEC_11_NoByteOfItMayChange) {
  const SealedSecret sealed = *key().seal("a", 1, kValue);
  for (std::string SealedSecret::*part : {&SealedSecret::sealed, &SealedSecret::wrapped}) {
    for (size_t i = 0; i < (sealed.*part).size(); ++i) {
      SealedSecret changed = sealed;
      (changed.*part)[i] = static_cast<char>((changed.*part)[i] ^ 1);
      EXPECT_FALSE(key().open(changed));
      changed = sealed;
      (changed.*part).resize(i);
      EXPECT_FALSE(key().open(changed));
    }
  }
}

TEST(SealedSecret, AnyBytesComeBackAsTheyWere) {
  for (const std::string& value :
       {std::string(), std::string("\0\n\xff", 3), std::string(70000, 'x')})
    EXPECT_EQ(key().open(*key().seal("a", 1, value))->reveal(), value);
}

TEST(SealedSecret, OpensUnderTheNewKeyOnceRewrapped) {
  SealedSecret sealed = *key().seal("a", 7, kValue);
  sealed.changed_micros = 99;
  const SealedSecret moved = *key().rewrap(sealed, key(kOther));
  EXPECT_EQ(moved.version, 7);
  EXPECT_EQ(moved.changed_micros, 99);
  EXPECT_EQ(key(kOther).open(moved)->reveal(), kValue);
  EXPECT_FALSE(key().open(moved));
  EXPECT_FALSE(key(kOther).rewrap(sealed, key()));
}

TEST(SecretsKey, AFingerprintTellsValuesApartAndIsShort) {
  EXPECT_EQ(key().fingerprint("a").size(), 8U);
  EXPECT_EQ(key().fingerprint("a"), key().fingerprint("a"));
  EXPECT_NE(key().fingerprint("a"), key().fingerprint("b"));
  EXPECT_NE(key().fingerprint("a"), key(kOther).fingerprint("a"));
}

}  // namespace
}  // namespace sluice::governance
