#include "net/redis_command.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "net/url_parts.h"

namespace sluice::net {
namespace {

// Where the first key stands, for the commands that have it elsewhere than right after the name; 0:
// nowhere.
struct KeyPlace {
  std::string_view name;
  size_t index;
};

constexpr std::array kKeyPlaces{
    KeyPlace{"ping", 0},     KeyPlace{"echo", 0},     KeyPlace{"publish", 0},
    KeyPlace{"info", 0},     KeyPlace{"time", 0},     KeyPlace{"script", 0},
    KeyPlace{"function", 0}, KeyPlace{"config", 0},   KeyPlace{"client", 0},
    KeyPlace{"cluster", 0},  KeyPlace{"command", 0},  KeyPlace{"dbsize", 0},
    KeyPlace{"flushall", 0}, KeyPlace{"flushdb", 0},  KeyPlace{"scan", 0},
    KeyPlace{"wait", 0},     KeyPlace{"role", 0},     KeyPlace{"pubsub", 0},
    KeyPlace{"eval", 3},     KeyPlace{"evalsha", 3},  KeyPlace{"eval_ro", 3},
    KeyPlace{"fcall", 3},    KeyPlace{"fcall_ro", 3}, KeyPlace{"evalsha_ro", 3},
    KeyPlace{"xgroup", 2},   KeyPlace{"xinfo", 2},    KeyPlace{"object", 2},
    KeyPlace{"memory", 2},
};

constexpr std::array<uint16_t, 256> crc_table() {
  std::array<uint16_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc & 0x8000) != 0 ? 0x1021u : 0u);
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}
constexpr std::array<uint16_t, 256> kCrcTable = crc_table();

uint16_t crc16(std::string_view bytes) {
  uint16_t crc = 0;
  for (const char c : bytes) {
    const auto index = static_cast<uint8_t>(crc >> 8 ^ static_cast<uint8_t>(c));
    crc = static_cast<uint16_t>(crc << 8 ^ kCrcTable[index]);
  }
  return crc;
}

}  // namespace

RedisCommand& RedisCommand::add(std::string_view word) {
  body_ += '$';
  body_ += std::to_string(word.size());
  body_ += "\r\n";
  body_ += word;
  body_ += "\r\n";
  ++words_;
  return *this;
}

RedisCommand& RedisCommand::add_words(const RedisCommand& other, size_t first) {
  if (first >= other.words_) return *this;
  body_ += std::string_view(other.body_).substr(other.offset_of(first));
  words_ += other.words_ - first;
  return *this;
}

size_t RedisCommand::offset_of(size_t index) const {
  size_t at = 0;
  for (; index > 0; --index) {
    size_t length = 0;
    const auto [end, error] =
        std::from_chars(body_.data() + at + 1, body_.data() + body_.size(), length);
    at = static_cast<size_t>(end - body_.data()) + 2 + length + 2;
  }
  return at;
}

std::string_view RedisCommand::word(size_t index) const {
  if (index >= words_) return {};
  const std::string_view rest = std::string_view(body_).substr(offset_of(index));
  size_t length = 0;
  const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), length);
  return rest.substr(static_cast<size_t>(end - rest.data()) + 2, length);
}

void RedisCommand::append_to(std::string& wire) const {
  wire += '*';
  wire += std::to_string(words_);
  wire += "\r\n";
  wire += body_;
}

std::optional<std::string_view> RedisCommand::key() const {
  const std::string name = lower(word(0));
  size_t index = 1;
  if (name == "xread" || name == "xreadgroup") {
    while (index < words_ && lower(word(index)) != "streams") ++index;
    ++index;
  } else {
    const auto* place = std::find_if(kKeyPlaces.begin(), kKeyPlaces.end(),
                                     [&](const KeyPlace& p) { return p.name == name; });
    if (place != kKeyPlaces.end()) index = place->index;
    // A script without keys: EVAL source 0 arguments...
    if (index == 3 && word(2) == "0") index = 0;
  }
  if (index == 0 || index >= words_) return std::nullopt;
  return word(index);
}

uint16_t redis_slot(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      key = key.substr(open + 1, close - open - 1);
    }
  }
  return crc16(key) % kRedisSlots;
}

}  // namespace sluice::net
