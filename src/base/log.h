// The structured log: one line per event, JSON for machines, plain words on a terminal.
//
//   log.info("listening", {{"address", address}, {"port", port}});
//
// Never blocks (see LineSink), may be called from any thread. The same message said too often is
// held back and its count reported with the next one that passes. A Secret cannot be a field.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/line_sink.h"
#include "base/secret.h"
#include "base/time.h"

namespace sluice {

enum class Level : uint8_t { Debug, Info, Warn, Error };

std::string_view name_of(Level level);
std::optional<Level> level_named(std::string_view name);

// One key with its value; borrows both for the length of the call.
class Field {
 public:
  Field(std::string_view key, std::string_view value)
      : key_(key), text_(value), kind_(Kind::Text) {}
  Field(std::string_view key, const char* value) : Field(key, std::string_view(value)) {}
  Field(std::string_view key, const std::string& value) : Field(key, std::string_view(value)) {}
  Field(std::string_view key, bool value) : key_(key), number_(value ? 1 : 0), kind_(Kind::Bool) {}
  template <std::integral T>
  Field(std::string_view key, T value)
      : key_(key), number_(static_cast<int64_t>(value)), kind_(Kind::Int) {}
  Field(std::string_view key, const Secret& value) = delete;

  std::string_view key() const { return key_; }
  // As JSON if `quoted`, else as a person reads it.
  void append_value(std::string& out, bool quoted) const;

 private:
  enum class Kind : uint8_t { Text, Int, Bool };
  std::string_view key_;
  std::string_view text_;
  int64_t number_ = 0;
  Kind kind_;
};

enum class LogStyle : uint8_t { Json, Pretty };

class Logger {
 public:
  // Borrows both for its life.
  Logger(LineSink& sink, const Clock& clock, LogStyle style, Level level = Level::Info)
      : sink_(sink), clock_(clock), style_(style), level_(level) {}

  using Fields = std::initializer_list<Field>;
  void debug(std::string_view message, Fields fields = {}) { log(Level::Debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { log(Level::Info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { log(Level::Warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { log(Level::Error, message, fields); }
  void log(Level level, std::string_view message, Fields fields);

  bool enabled(Level level) const { return level >= level_.load(std::memory_order_relaxed); }
  // May be changed while others log.
  void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }

 private:
  // How often one message was said lately.
  struct Repeat {
    uint64_t hash = 0;
    Nanos since = 0;
    uint32_t said = 0;
    uint32_t held_back = 0;
  };
  // Nothing if the message is to be held back; else how many were, before it.
  std::optional<uint32_t> admit(Level level, std::string_view message);
  std::string json_line(Level level, std::string_view message, Fields fields, uint32_t held) const;
  std::string pretty_line(Level level, std::string_view message, Fields fields,
                          uint32_t held) const;

  LineSink& sink_;
  const Clock& clock_;
  const LogStyle style_;
  std::atomic<Level> level_;
  std::mutex mutex_;
  std::array<Repeat, 64> repeats_;  // by hash; a clash only lets a message through
};

}  // namespace sluice
