// Redis replies: whatever comes, in whatever pieces, is read the same, and stays within the limits.
// The first byte says how long the pieces are.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "net/redis_reply.h"

namespace {

using sluice::Result;
using sluice::net::RedisReply;
using sluice::net::RespLimits;
using sluice::net::RespReader;

constexpr RespLimits kLimits{.bytes = 4096, .values = 256, .depth = 6, .line = 128};

void require(bool holds) {
  if (!holds) std::abort();
}

void describe(const RedisReply& reply, size_t depth, size_t& values, std::string& out) {
  require(depth <= kLimits.depth);
  require(++values <= kLimits.values);
  out += static_cast<char>('A' + static_cast<int>(reply.kind));
  out += std::to_string(reply.integer) + "," + std::to_string(reply.number) + "," + reply.text;
  out += '[';
  for (const RedisReply& item : reply.items) describe(item, depth + 1, values, out);
  out += ']';
}

// All replies, and the error at the end if there is one.
std::string read_in_pieces(std::string_view bytes, size_t piece) {
  RespReader reader(kLimits);
  std::string out;
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      Result<std::optional<RedisReply>> reply = reader.next();
      if (!reply) return out + "!" + reply.error().message();
      if (!reply->has_value()) break;
      size_t values = 0;
      describe(**reply, 0, values, out);
      out += '\n';
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = read_in_pieces(bytes, std::max<size_t>(bytes.size(), 1));
  require(read_in_pieces(bytes, data[0] % 16 + 1) == whole);
  return 0;
}
