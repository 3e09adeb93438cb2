#include "bench/load_options.h"

#include <cstdlib>
#include <fmt/core.h>
#include <string_view>

#include "bench/net.h"

namespace sluice::bench {
namespace {

constexpr std::string_view kUsage =
    R"(usage: bench_load --port N [--mode closed|rate|hold] [--connections N] [--rate N]
    [--warmup S] [--window S] [--requests N] [--stream] [--include-usage] [--model NAME]
    [--header 'K: V']... [--expect-bytes N] [--expect-events N] [--stagger S] [--tls]
    [--watch PID]...
prints one JSON line; hold mode prints it when all are open and ends when its input closes)";

// A conversation of ordinary shape: about 1 KB of JSON.
constexpr std::string_view kMessages =
    R"([{"role":"system","content":"You are a careful assistant of a water works company. Answer )"
    R"(in short plain sentences, name the unit of every figure, and say so when you do not know. )"
    R"(Never invent a reading, never round a cost, and keep the order of the customer's questions.)"
    R"("},{"role":"user","content":"The gauge at the upper gate showed 4.82 m at six in the morning )"
    R"(and 4.37 m at noon. How much water left the basin if its surface is 12,400 square metres?"},)"
    R"({"role":"assistant","content":"The level fell by 0.45 m, so about 5,580 cubic metres left )"
    R"(the basin, if nothing flowed in meanwhile."},{"role":"user","content":"The inlet ran at )"
    R"(35 litres a second for the first two hours. Please correct the figure, show each step of the )"
    R"(calculation, and tell me what the average outflow was in litres a second over the six hours )"
    R"(between the two readings."}])";

Mode parse_mode(std::string_view name) {
  if (name == "closed") return Mode::closed;
  if (name == "rate") return Mode::rate;
  if (name == "hold") return Mode::hold;
  die("unknown mode " + std::string(name));
}

// The flags that take a value; false when `flag` is none of them.
bool take_value(LoadOptions& options, std::string_view flag, const char* value) {
  if (flag == "--port") return options.port = std::atoi(value), true;
  if (flag == "--mode") return options.mode = parse_mode(value), true;
  if (flag == "--connections") return options.connections = std::atoi(value), true;
  if (flag == "--rate") return options.rate = std::atof(value), true;
  if (flag == "--warmup") return options.warmup_s = std::atof(value), true;
  if (flag == "--window") return options.window_s = std::atof(value), true;
  if (flag == "--requests") return options.requests = std::atoll(value), true;
  if (flag == "--model") return options.model = value, true;
  if (flag == "--header") return options.headers.emplace_back(value), true;
  if (flag == "--expect-bytes") return options.expect_bytes = std::atoll(value), true;
  if (flag == "--expect-events") return options.expect_events = std::atoll(value), true;
  if (flag == "--stagger") return options.stagger_s = std::atof(value), true;
  if (flag == "--watch") return options.watch.push_back(std::atoi(value)), true;
  return false;
}

}  // namespace

LoadOptions parse_options(int argc, char** argv) {
  LoadOptions options;
  for (int i = 1; i < argc; ++i) {
    std::string_view flag = argv[i];
    if (flag == "--tls") {
      options.tls = true;
    } else if (flag == "--stream") {
      options.stream = true;
    } else if (flag == "--include-usage") {
      options.include_usage = true;
    } else if (i + 1 < argc && take_value(options, flag, argv[i + 1])) {
      ++i;
    } else {
      die(std::string(kUsage));
    }
  }
  if (options.port == 0 || options.connections < 1) die(std::string(kUsage));
  if (options.mode == Mode::rate && options.rate <= 0) die("--mode rate needs --rate");
  return options;
}

std::string LoadOptions::request() const {
  std::string_view streaming = !stream ? ""
                               : include_usage
                                   ? R"("stream":true,"stream_options":{"include_usage":true},)"
                                   : R"("stream":true,)";
  std::string body = fmt::format(R"({{"model":"{}",{}"messages":{},"temperature":0.2}})", model,
                                 streaming, kMessages);
  std::string head = fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
      "Content-Type: application/json\r\nAccept: application/json\r\nUser-Agent: sluice-bench\r\n"
      "Content-Length: {}\r\n",
      port, body.size());
  for (const std::string& header : headers) head += header + "\r\n";
  return head + "\r\n" + body;
}

}  // namespace sluice::bench
