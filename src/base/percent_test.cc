#include "base/percent.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Percent, DecodesTwoHexDigits) {
  EXPECT_EQ(percent_decoded("a%2Fb%2fc%41"), "a/b/cA");
  EXPECT_EQ(percent_decoded("plain"), "plain");
}

TEST(Percent, EncodesWhatMeansSomethingInAUrl) {
  EXPECT_EQ(percent_encoded("a-B_9.~"), "a-B_9.~");
  EXPECT_EQ(percent_encoded("a b+c/d&\xc3\xa9"), "a%20b%2Bc%2Fd%26%C3%A9");
  EXPECT_EQ(percent_decoded(percent_encoded("100% = \"all\"")), "100% = \"all\"");
}

TEST(Percent, LeavesWhatIsNoCode) {
  EXPECT_EQ(percent_decoded("100%"), "100%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz%4x"), "%zz%4x");
}

}  // namespace
}  // namespace sluice
