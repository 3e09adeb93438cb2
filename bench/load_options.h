// What one run of the load generator does; see kUsage in load_options.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::bench {

enum class Mode {
  closed,  // every connection asks again as soon as it is answered
  rate,    // requests start at planned times, whether or not the last ones are back
  hold,    // every connection asks once, then stays open and silent
};

struct LoadOptions {
  Mode mode = Mode::closed;
  int port = 0;
  bool tls = false;
  int connections = 64;
  double rate = 0;       // requests a second, all connections together
  double warmup_s = 1;   // runs, but counts nothing
  double window_s = 4;   // the counted window
  int64_t requests = 0;  // closed mode: stop after so many instead of after window_s
  bool stream = false;
  bool include_usage = false;
  std::string model = "bench-chat";
  std::vector<std::string> headers;
  int64_t expect_bytes = -1;   // body length that counts as right; -1: any
  int64_t expect_events = -1;  // events of a whole stream; -1: any
  double stagger_s = 0;        // spread the first requests over this time
  std::vector<int> watch;      // processes whose CPU time is read at the window's edges

  std::string request() const;  // head and body, about 1 KB of body
};

LoadOptions parse_options(int argc, char** argv);

}  // namespace sluice::bench
