// What a Redis server says (RESP2 and RESP3, https://redis.io/docs/latest/develop/reference/
// protocol-spec): one reply as a value, and a reader that takes bytes as they come.
//
// Values only, no I/O. A reader belongs to one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::net {

struct RedisReply {
  enum class Kind : uint8_t {
    Null,
    Status,   // "OK": text
    Error,    // text, with the code word in front; only inside arrays: see redis_error()
    Integer,  // integer
    Double,   // number
    Boolean,  // integer: 0 or 1
    String,   // text: any bytes; also big numbers and verbatim strings without their format
    Array,    // items
    Map,      // items: key, value, key, value
    Set,      // items
    Push,     // items: out of band, answers no command
  };

  Kind kind = Kind::Null;
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<RedisReply> items;

  bool is_null() const { return kind == Kind::Null; }
  bool is_error() const { return kind == Kind::Error; }
  // The text of a string or status, else nothing: a value of another type is a miss to a cache.
  std::optional<std::string_view> string() const;
  // An integer, or a string that is written as one.
  std::optional<int64_t> number_of() const;
};

// What is wrong, for callers that act on it. Everything but Down, Deadline and BadReply is the
// server's own answer, to the command or, where there is no connection, to the login.
enum class RedisFault : uint8_t {
  Down,         // no connection, or lost before the reply: may have been carried out or not
  Deadline,     // no reply in time: may still be carried out
  BadReply,     // not RESP, or more than we take
  Loading,      // the server is reading its data from disk
  Busy,         // it runs a long script
  OutOfMemory,  // maxmemory is reached and nothing can be evicted
  ReadOnly,     // a replica: the master is elsewhere now
  Denied,       // no or wrong password, or a right that this user lacks
  WrongType,    // the key holds something else
  NoScript,
  Moved,  // the cluster keeps the key elsewhere; only after too many redirections
  ClusterDown,
  Other,
};

// An error reply ("WRONGTYPE Operation against ...") as an Error. Its param is the code word. The
// message never repeats a command's arguments, as some of Redis' own do.
Error redis_error(std::string_view text);
// What an Error that came out of a Redis call means.
RedisFault redis_fault(const Error& error);

struct RespLimits {
  size_t bytes = size_t{64} << 20;  // of one reply, on the wire
  size_t values = size_t{1} << 20;  // in one reply, all levels together
  size_t depth = 16;                // arrays within arrays
  size_t line = size_t{64} << 10;   // of a status, error, number or length
};

class RespReader {
 public:
  explicit RespReader(RespLimits limits = RespLimits()) : limits_(limits) {}

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole reply; nothing while bytes are missing. Error UpstreamBadReply for what is no
  // RESP or above a limit: what follows cannot be told apart any more, and the reader says the same
  // for ever.
  Result<std::optional<RedisReply>> next();

 private:
  enum class Step : uint8_t { NeedMore, Value, Opened, Bad };
  struct Open {
    RedisReply value;
    size_t missing;  // items
    bool attribute;  // to be dropped: it answers nothing
  };

  Step step(RedisReply& value);
  Step step_line(RedisReply& value);
  Step begin(char type, std::string_view rest, RedisReply& value);
  Step begin_bulk(char type, std::string_view rest, RedisReply& value);
  Step begin_aggregate(char type, std::string_view rest, RedisReply& value);
  Step finish_bulk(RedisReply& value);
  Step bad(const char* why);
  // Puts a finished value into the array it belongs to; true if it is a whole reply.
  bool place(RedisReply& value);
  void compact();

  RespLimits limits_;
  std::string buffer_;
  size_t at_ = 0;       // bytes of the buffer that are used up
  size_t scanned_ = 0;  // bytes after at_ without a line feed
  size_t used_ = 0;     // bytes of the reply being read, before at_
  size_t values_ = 0;   // of the reply being read
  std::vector<Open> open_;
  std::optional<size_t> bulk_;  // length of the string being read
  char bulk_type_ = '$';
  const char* bad_ = nullptr;
};

}  // namespace sluice::net
