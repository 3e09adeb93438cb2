#include "app/progress_bar.h"

#include <gtest/gtest.h>

namespace sluice::app {
namespace {

TEST(ProgressBar, IsAsFullAsTheWorkIsDone) {
  EXPECT_EQ(progress_text("x", 0), "x [------------------------------] 0 %");
  EXPECT_EQ(progress_text("x", 50), "x [###############---------------] 50 %");
  EXPECT_EQ(progress_text("x", 100), "x [##############################] 100 %");
}

}  // namespace
}  // namespace sluice::app
