// The bytes the mock upstream answers with, built once at start.
//
// Valid OpenAI dialect: the gateway under test parses and meters it, so nothing may be a sham.
#pragma once

#include <string>
#include <vector>

namespace sluice::bench {

// One streamed answer: each part is one send, already in chunked transfer coding.
using Script = std::vector<std::string>;

struct Answers {
  std::string chat;    // whole HTTP response, body of exactly kChatBodyBytes
  std::string models;  // GET /v1/models
  std::string health;  // any other GET
  std::string not_found;
  std::string server_error;  // model bench-500
  std::string rate_limited;  // model bench-429
  std::string half_chat;     // model bench-cut, buffered: promises more than it sends
  Script slow_chat;          // model bench-slow: the chat answer, one interval late
  Script stream;             // client did not ask for usage
  Script stream_with_usage;  // client asked for stream_options.include_usage
  Script idle_stream;        // role and first content in one send, then silence
  Script cut_stream;  // model bench-cut, streamed: ends without [DONE] and without a last chunk
};

constexpr int kChatBodyBytes = 1200;
constexpr int kContentEvents = 58;  // + role, finish and [DONE] = 61 events, 62 with usage

Answers make_answers();

}  // namespace sluice::bench
