// How far a long command is, for a person at a terminal; elsewhere nothing is drawn.
#pragma once

#include <string>

namespace sluice::app {

class ProgressBar {
 public:
  // Draws on stderr if that is a terminal.
  explicit ProgressBar(std::string label);
  ~ProgressBar();  // wipes the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // From 0 to 1. Draws only what changed, so that it may be called often.
  void show(double done);

 private:
  std::string label_;
  bool draws_;
  int shown_ = -1;  // percent
};

// "reprice [##########--------------------] 33 %"
std::string progress_text(const std::string& label, int percent);

}  // namespace sluice::app
