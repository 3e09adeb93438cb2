// Where a reply of the lab goes: through the server, as any handler's, or, for faults below HTTP,
// byte by byte onto the connection. The code that makes replies need not know which.
//
// One reply per sink. `plan` must outlive it. Every co_await gives false when the client is gone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/task.h"
#include "net/server.h"
#include "providers/lab_coding.h"
#include "providers/lab_faults.h"

namespace sluice::providers {

class LabSink {
 public:
  LabSink(net::ServerExchange& exchange, const LabPlan& plan);

  // A reply of known length. `headers` are complete lines. `cut` >= 0: only so many bytes of the
  // body are sent, and the length tells of all.
  Task<bool> reply(int status, std::string headers, std::string body, int64_t cut = -1);
  // The head of a stream goes out with its first event.
  void begin(std::string headers);
  Task<bool> send(std::string_view events);
  Task<bool> end();
  // Only the head of a good stream.
  Task<bool> head_only();
  // These bytes and nothing else.
  Task<bool> literal(std::string_view bytes);

 private:
  Task<bool> reply_raw(int status, std::string_view headers, std::string_view body, int64_t cut);
  Task<bool> write_head(std::string head);
  Task<bool> write_pieces(std::string_view data);
  Task<bool> write(std::string bytes, int64_t ms_between);
  Task<bool> pause(int64_t ms);
  Until until() { return Until(Deadline::never(), &exchange_.cancel()); }

  net::ServerExchange& exchange_;
  const LabPlan& plan_;
  const bool raw_;
  std::unique_ptr<LabCoder> coder_;
  std::string stream_headers_;  // until they are sent
  bool head_sent_ = false;
  int64_t sent_ = 0;  // bytes of the body
};

}  // namespace sluice::providers
