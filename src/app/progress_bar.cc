#include "app/progress_bar.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

namespace sluice::app {

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)), draws_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (draws_ && shown_ >= 0) fmt::print(stderr, "\r\033[K");
}

void ProgressBar::show(double done) {
  const int percent = static_cast<int>(std::clamp(done, 0.0, 1.0) * 100);
  if (!draws_ || percent == shown_) return;
  shown_ = percent;
  fmt::print(stderr, "\r{}", progress_text(label_, percent));
  std::fflush(stderr);
}

std::string progress_text(const std::string& label, int percent) {
  constexpr int kWidth = 30;
  const int full = percent * kWidth / 100;
  return fmt::format("{} [{:#<{}}{:-<{}}] {} %", label, "", full, "", kWidth - full, percent);
}

}  // namespace sluice::app
