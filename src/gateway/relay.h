// A streamed reply on its way from an upstream to the client.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/attempt.h"
#include "wire/coding.h"
#include "wire/openai_stream.h"
#include "wire/sse.h"

namespace sluice::gateway {

// Holds everything back until the first content, so that a failure before it leaves the client
// untouched (FB-1, FB-8); from then on the client gets each event as it comes, and a failure
// becomes its last event (FB-3).
class Relay {
 public:
  Relay(Exchange& exchange, const routing::Target& target, Heart& heart, net::CallReply reply);

  // As attempt().
  Task<std::optional<AttemptFailure>> run();

 private:
  // What a piece of the upstream's body led to.
  enum class Progress : uint8_t { More, Done, Failed };

  Result<void> prepare();
  Task<Progress> step();
  // Both put what the client gets into exchange_.shared.out.
  Progress digest(std::string_view bytes);
  Progress digest_end();
  Progress take(const sse::Event& event);
  Progress fail(Outcome outcome, std::string message);
  void commit();
  Task<Result<void>> forward();
  Task<void> finish();
  void settle_usage();

  Exchange& exchange_;
  const routing::Target& target_;
  Heart& heart_;
  net::CallReply reply_;
  sse::Parser parser_;
  openai::StreamReader reader_;
  std::unique_ptr<coding::Decoder> decoder_;  // of the reply's content coding, if it has one
  std::string passed_headers_;                // until the reply to the client has begun
  std::string held_;                          // events before the first content
  std::optional<Error> error_;
  Nanos heard_at_;  // when the upstream last sent anything
  bool committed_ = false;
  bool head_released_ = false;
};

}  // namespace sluice::gateway
