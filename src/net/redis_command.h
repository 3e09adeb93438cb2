// A command in the form it goes over the wire, an array of strings; and the key it is about, by
// which a cluster knows where it belongs. Values only.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::net {

//   RedisCommand set("SET", key, value, "PX", 60'000);
//   set.add("NX");
class RedisCommand {
 public:
  template <class... Words>
  explicit RedisCommand(std::string_view name, const Words&... words) {
    add(name);
    (add(words), ...);
  }
  // Any bytes.
  RedisCommand& add(std::string_view word);
  RedisCommand& add(std::integral auto number) { return add(std::to_string(number)); }
  // All words of another one, from its `first`.
  RedisCommand& add_words(const RedisCommand& other, size_t first);

  size_t size() const { return words_; }
  // Empty beyond the last one.
  std::string_view word(size_t index) const;
  size_t wire_size() const { return body_.size() + 16; }
  void append_to(std::string& wire) const;

  // The first key; nothing for what is about none (PING, PUBLISH, ...).
  std::optional<std::string_view> key() const;

 private:
  size_t offset_of(size_t index) const;

  std::string body_;  // "$3\r\nGET\r\n$1\r\na\r\n"
  size_t words_ = 0;
};

inline constexpr uint16_t kRedisSlots = 16384;

// CRC-16/XMODEM of the key, or of what stands between its first '{' and the next '}' if that is not
// empty, modulo the number of slots (Redis cluster specification).
uint16_t redis_slot(std::string_view key);

}  // namespace sluice::net
