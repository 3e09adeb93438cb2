// The state behind a CallReply: the connection, the head's bytes and what is left of the body.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/frame_pool.h"
#include "net/byte_buffer.h"
#include "net/client.h"
#include "net/pool.h"

namespace sluice::net {

struct CallReply::State {
  State(std::shared_ptr<Pool> the_pool, std::unique_ptr<Connection> the_connection,
        Nanos the_idle_timeout);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  static void* operator new(size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* state, size_t bytes) { free_frame(state, bytes); }

  Stream& stream() { return connection->stream(); }
  std::span<char> scratch() { return pool->loop().scratch(); }

  // The head's bytes, as they arrive. Done: head is valid and what follows it waits to be decoded.
  // 1xx heads are taken away.
  enum class HeadStatus : uint8_t { Done, NeedMore, Bad };
  void append(std::string_view bytes) { buffer.append(bytes); }
  HeadStatus parse_head(bool answers_head, const char*& reason);
  // The head is whole: the body, if there is one, begins.
  void begin_body(bool whole_request_sent);

  // Takes `size` bytes apart where they stand; what belongs to the body is moved together. Nothing
  // if there is no body byte, end or error in it.
  using Piece = std::optional<Result<std::string_view>>;
  Piece decode(char* bytes, size_t size);
  Piece digest(const IoResult& got, char* bytes);
  // What came behind the head, if it has not been decoded yet.
  Piece decode_pending();
  Piece try_next();
  // Why a wait for body bytes ended without any.
  Error wait_error(const IoResult& got, Until until) const;
  Until until_idle(Until until) const;
  // What was in the buffer has been used.
  void release_buffer() {
    buffer = ByteBuffer();
    body_at = 0;
  }
  // The body's end: the connection goes back to its pool, or is closed.
  void complete(bool may_keep);
  Result<std::string_view> fail(Outcome outcome, std::string why);

  std::shared_ptr<Pool> pool;
  std::unique_ptr<Connection> connection;  // null when the body has ended
  ResponseHead head;
  std::optional<BodyDecoder> decoder;
  ByteBuffer buffer;  // head, and what came with it
  size_t parsed = 0;  // bytes of it seen by the last attempt to parse a head
  size_t body_at = 0;
  ByteBuffer document;  // for read_all(), if the body does not stand in `buffer`
  uint64_t length = 0;  // of the body, for Framing::Length; head may have been released
  Nanos idle_timeout;
  Framing framing = Framing::None;
  uint8_t informational = 0;  // 1xx heads so far
  bool keep = false;          // the connection can be used again after the body
  bool done = false;
  bool head_released = false;
};

}  // namespace sluice::net
