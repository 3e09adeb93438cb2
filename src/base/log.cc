#include "base/log.h"

#include <functional>

#include "base/text_out.h"

namespace sluice {
namespace {

// A message may be said so often within the window; the rest is counted.
constexpr uint32_t kBurst = 10;
constexpr Nanos kWindow = 10 * kSecond;

std::string timestamp(const Clock& clock) {
  char text[kTimestampBound];
  return std::string(text, put_timestamp(text, clock.wall_micros()));
}

constexpr std::string_view kColours[] = {"\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};

// Control characters would let a value move the cursor of whoever reads the log.
void append_printable(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

}  // namespace

std::string_view name_of(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warn:
      return "warn";
    case Level::Error:
      return "error";
  }
  return "error";
}

std::optional<Level> level_named(std::string_view name) {
  for (const Level level : {Level::Debug, Level::Info, Level::Warn, Level::Error}) {
    if (name == name_of(level)) return level;
  }
  return std::nullopt;
}

void Field::append_value(std::string& out, bool quoted) const {
  switch (kind_) {
    case Kind::Text:
      quoted ? append_json(out, text_) : append_printable(out, text_);
      return;
    case Kind::Int:
      append_int(out, number_);
      return;
    case Kind::Bool:
      out += number_ != 0 ? "true" : "false";
      return;
  }
}

void Logger::log(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  const std::optional<uint32_t> held = admit(level, message);
  if (!held) return;
  sink_.append(0, style_ == LogStyle::Json ? json_line(level, message, fields, *held)
                                           : pretty_line(level, message, fields, *held));
}

std::optional<uint32_t> Logger::admit(Level level, std::string_view message) {
  const uint64_t hash = std::hash<std::string_view>()(message) + static_cast<uint64_t>(level);
  const Nanos now = clock_.monotonic();
  const std::lock_guard lock(mutex_);
  Repeat& repeat = repeats_[hash % repeats_.size()];
  if (repeat.hash != hash) repeat = Repeat{.hash = hash, .since = now};
  if (now - repeat.since >= kWindow) {
    repeat.since = now;
    repeat.said = 0;
  }
  if (repeat.said >= kBurst) {
    ++repeat.held_back;
    return std::nullopt;
  }
  ++repeat.said;
  const uint32_t held = repeat.held_back;
  repeat.held_back = 0;
  return held;
}

std::string Logger::json_line(Level level, std::string_view message, Fields fields,
                              uint32_t held) const {
  std::string line = R"({"ts":")" + timestamp(clock_) + R"(","level":")";
  line.append(name_of(level)).append(R"(","msg":)");
  append_json(line, message);
  for (const Field& field : fields) {
    line += ',';
    append_json(line, field.key());
    line += ':';
    field.append_value(line, true);
  }
  if (held > 0) {
    line += R"(,"repeated":)";
    append_int(line, held);
  }
  line += "}\n";
  return line;
}

std::string Logger::pretty_line(Level level, std::string_view message, Fields fields,
                                uint32_t held) const {
  std::string line = timestamp(clock_).substr(11, 12) + " ";  // the time of day is enough
  line.append(kColours[static_cast<size_t>(level)]);
  std::string word(name_of(level));
  word.resize(5, ' ');
  line.append(word).append("\x1b[0m ");
  append_printable(line, message);
  for (const Field& field : fields) {
    line.append("  \x1b[2m").append(field.key()).append("=\x1b[0m");
    field.append_value(line, false);
  }
  if (held > 0) {
    line += "  (repeated ";
    append_int(line, held);
    line += " times)";
  }
  line += '\n';
  return line;
}

}  // namespace sluice
