#include "bench/mock_answers.h"

#include <fmt/core.h>
#include <string_view>

namespace sluice::bench {
namespace {

constexpr int kEventBytes = 300;

// Readable filler of exactly `size` characters that needs no JSON escapes.
std::string prose(size_t size) {
  static constexpr std::string_view kWords =
      "the gate opens, water finds its level, and every drop is counted on the way down; ";
  std::string text;
  while (text.size() < size) text += kWords;
  text.resize(size);
  return text;
}

std::string response(std::string_view status, std::string_view extra_heads, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
      "x-request-id: req_bench0123456789\r\n{}\r\n{}",
      status, body.size(), extra_heads, body);
}

std::string chat_body() {
  static constexpr std::string_view kBefore =
      R"({"id":"chatcmpl-bench0123456789","object":"chat.completion","created":1795420800,)"
      R"("model":"bench-chat","service_tier":"default","system_fingerprint":"fp_bench",)"
      R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
  static constexpr std::string_view kAfter =
      R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":212,"completion_tokens":137,"total_tokens":349,)"
      R"("prompt_tokens_details":{"cached_tokens":64,"audio_tokens":0},)"
      R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}})";
  std::string body(kBefore);
  body += prose(kChatBodyBytes - kBefore.size() - kAfter.size());
  body += kAfter;
  return body;
}

std::string error_body(std::string_view message, std::string_view type, std::string_view code) {
  return fmt::format(R"({{"error":{{"message":"{}","type":"{}","param":null,"code":{}}}}})",
                     message, type, code);
}

std::string chunk(std::string_view payload) {
  return fmt::format("{:x}\r\n{}\r\n", payload.size(), payload);
}

std::string event(std::string_view choices, std::string_view usage) {
  return fmt::format(R"(data: {{"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk",)"
                     R"("created":1795420800,"model":"bench-chat","service_tier":"default",)"
                     R"("system_fingerprint":"fp_bench","choices":[{}]{}}})"
                     "\n\n",
                     choices, usage);
}

std::string content_event(std::string_view usage) {
  static constexpr std::string_view kChoice =
      R"({{"index":0,"delta":{{"content":"{}"}},"logprobs":null,"finish_reason":null}})";
  std::string empty = event(fmt::format(kChoice, ""), usage);
  return event(fmt::format(kChoice, prose(kEventBytes - empty.size())), usage);
}

Script stream_script(bool with_usage) {
  static constexpr std::string_view kHead =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
      "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n"
      "x-request-id: req_bench0123456789\r\n\r\n";
  static constexpr std::string_view kUsage =
      R"(,"usage":{"prompt_tokens":212,"completion_tokens":137,"total_tokens":349,)"
      R"("prompt_tokens_details":{"cached_tokens":64},)"
      R"("completion_tokens_details":{"reasoning_tokens":0}})";
  std::string_view null_usage = with_usage ? R"(,"usage":null)" : "";
  Script script;
  script.push_back(std::string(kHead) +
                   chunk(event(R"({"index":0,"delta":{"role":"assistant","content":"",)"
                               R"("refusal":null},"logprobs":null,"finish_reason":null})",
                               null_usage)));
  for (int i = 0; i < kContentEvents; ++i) script.push_back(chunk(content_event(null_usage)));
  script.push_back(
      chunk(event(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"})", null_usage)));
  if (with_usage) script.push_back(chunk(event("", kUsage)));
  script.push_back(chunk("data: [DONE]\n\n") + "0\r\n\r\n");
  return script;
}

}  // namespace

Answers make_answers() {
  Answers answers;
  answers.chat = response("200 OK", "", chat_body());
  answers.models = response(
      "200 OK", "",
      R"({"object":"list","data":[{"id":"bench-chat","object":"model","created":1795420800,)"
      R"("owned_by":"bench"},{"id":"bench-idle","object":"model","created":1795420800,)"
      R"("owned_by":"bench"}]})");
  answers.health = response("200 OK", "", R"({"status":"ok"})");
  answers.not_found =
      response("404 Not Found", "", error_body("no such route", "invalid_request_error", "null"));
  answers.server_error = response("500 Internal Server Error", "",
                                  error_body("the mock fails", "server_error", "null"));
  answers.rate_limited = response("429 Too Many Requests", "retry-after: 1\r\n",
                                  error_body("slow down", "requests", R"("rate_limit_exceeded")"));
  answers.half_chat = answers.chat.substr(0, answers.chat.size() - kChatBodyBytes / 2);
  answers.slow_chat = {answers.chat};
  answers.stream = stream_script(false);
  answers.stream_with_usage = stream_script(true);
  answers.idle_stream = {answers.stream[0] + answers.stream[1]};
  answers.cut_stream = {answers.stream.begin(), answers.stream.begin() + 4};
  return answers;
}

}  // namespace sluice::bench
