#include "net/redis_reply.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sluice::net {
namespace {

constexpr size_t kMaxErrorText = 200;
// An array's length is a claim: room is made as its items come.
constexpr size_t kReservedItems = 64;
// Bytes used up are cut off when they are that many.
constexpr size_t kCompactAt = 64 * 1024;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Code {
  std::string_view word;
  RedisFault fault;
  Outcome outcome;
};

constexpr std::array kCodes{
    Code{"LOADING", RedisFault::Loading, Outcome::UpstreamOverloaded},
    Code{"BUSY", RedisFault::Busy, Outcome::UpstreamOverloaded},
    Code{"OOM", RedisFault::OutOfMemory, Outcome::UpstreamOverloaded},
    Code{"READONLY", RedisFault::ReadOnly, Outcome::UpstreamError},
    Code{"NOAUTH", RedisFault::Denied, Outcome::UpstreamAuth},
    Code{"WRONGPASS", RedisFault::Denied, Outcome::UpstreamAuth},
    Code{"NOPERM", RedisFault::Denied, Outcome::UpstreamAuth},
    Code{"WRONGTYPE", RedisFault::WrongType, Outcome::UpstreamRejected},
    Code{"NOSCRIPT", RedisFault::NoScript, Outcome::UpstreamRejected},
    Code{"MOVED", RedisFault::Moved, Outcome::UpstreamError},
    Code{"ASK", RedisFault::Moved, Outcome::UpstreamError},
    Code{"CLUSTERDOWN", RedisFault::ClusterDown, Outcome::UpstreamError},
    Code{"TRYAGAIN", RedisFault::ClusterDown, Outcome::UpstreamError},
    Code{"MASTERDOWN", RedisFault::ClusterDown, Outcome::UpstreamError},
};

const Code* code_of(std::string_view word) {
  const auto* found =
      std::find_if(kCodes.begin(), kCodes.end(), [&](const Code& c) { return c.word == word; });
  return found == kCodes.end() ? nullptr : found;
}

RedisReply::Kind kind_of(char type) {
  switch (type) {
    case '%':
      return RedisReply::Kind::Map;
    case '~':
      return RedisReply::Kind::Set;
    case '>':
      return RedisReply::Kind::Push;
    case '!':
      return RedisReply::Kind::Error;
    case '$':
    case '=':
      return RedisReply::Kind::String;
    default:
      return RedisReply::Kind::Array;
  }
}

}  // namespace

std::optional<std::string_view> RedisReply::string() const {
  if (kind != Kind::String && kind != Kind::Status) return std::nullopt;
  return text;
}

std::optional<int64_t> RedisReply::number_of() const {
  if (kind == Kind::Integer) return integer;
  if (kind == Kind::String) return parse_number<int64_t>(text);
  return std::nullopt;
}

Error redis_error(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  const Code* code = code_of(word);
  // "unknown command 'X', with args beginning with: ..." would show keys, values, even a password.
  std::string_view shown = text.substr(0, text.find(", with args beginning with"));
  shown = shown.substr(0, kMaxErrorText);
  return Error(code == nullptr ? Outcome::UpstreamRejected : code->outcome,
               "Redis says: " + std::string(shown), std::string(word));
}

RedisFault redis_fault(const Error& error) {
  if (const Code* code = code_of(error.param())) return code->fault;
  if (!error.param().empty()) return RedisFault::Other;
  switch (error.outcome()) {
    case Outcome::TotalTimeout:
      return RedisFault::Deadline;
    case Outcome::UpstreamBadReply:
      return RedisFault::BadReply;
    default:
      return RedisFault::Down;
  }
}

Result<std::optional<RedisReply>> RespReader::next() {
  RedisReply value;
  for (;;) {
    switch (step(value)) {
      case Step::Bad:
        return Error(Outcome::UpstreamBadReply, std::string("not a Redis reply: ") + bad_);
      case Step::NeedMore:
        compact();
        return std::optional<RedisReply>();
      case Step::Opened:
        continue;
      case Step::Value:
        break;
    }
    if (!place(value)) continue;
    used_ = values_ = 0;
    compact();
    return std::optional<RedisReply>(std::move(value));
  }
}

RespReader::Step RespReader::step(RedisReply& value) {
  if (bad_ != nullptr) return Step::Bad;
  value = RedisReply();
  return bulk_ ? finish_bulk(value) : step_line(value);
}

RespReader::Step RespReader::bad(const char* why) {
  bad_ = why;
  return Step::Bad;
}

RespReader::Step RespReader::step_line(RedisReply& value) {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  const size_t end = rest.find('\n', scanned_);
  if (std::min(end, rest.size()) > limits_.line) return bad("a line is too long");
  if (end == std::string_view::npos) {
    scanned_ = rest.size();
    return Step::NeedMore;
  }
  const std::string_view line = rest.substr(0, end);
  if (line.size() < 2 || line.find('\r') != line.size() - 1) return bad("a line ends badly");
  at_ += end + 1;
  used_ += end + 1;
  scanned_ = 0;
  if (used_ > limits_.bytes) return bad("the reply is too large");
  if (++values_ > limits_.values) return bad("the reply holds too many values");
  return begin(line.front(), line.substr(1, line.size() - 2), value);
}

RespReader::Step RespReader::begin(char type, std::string_view rest, RedisReply& value) {
  switch (type) {
    case '+':
    case '-':
      value.kind = type == '+' ? RedisReply::Kind::Status : RedisReply::Kind::Error;
      value.text = rest;
      return Step::Value;
    case ':': {
      const std::optional<int64_t> number = parse_number<int64_t>(rest);
      if (!number) return bad("an integer is none");
      value.kind = RedisReply::Kind::Integer;
      value.integer = *number;
      return Step::Value;
    }
    case ',': {
      const std::optional<double> number = parse_number<double>(rest);
      if (!number) return bad("a number is none");
      value.kind = RedisReply::Kind::Double;
      value.number = *number;
      return Step::Value;
    }
    case '#':
      if (rest != "t" && rest != "f") return bad("a boolean is none");
      value.kind = RedisReply::Kind::Boolean;
      value.integer = rest == "t" ? 1 : 0;
      return Step::Value;
    case '(':
      value.kind = RedisReply::Kind::String;
      value.text = rest;
      return Step::Value;
    case '_':
      return rest.empty() ? Step::Value : bad("a null holds something");
    case '$':
    case '=':
    case '!':
      return begin_bulk(type, rest, value);
    case '*':
    case '%':
    case '~':
    case '>':
    case '|':
      return begin_aggregate(type, rest, value);
    default:
      return bad("unknown type");
  }
}

RespReader::Step RespReader::begin_bulk(char type, std::string_view rest, RedisReply& value) {
  if (type == '$' && rest == "-1") return Step::Value;  // null
  const std::optional<size_t> size = parse_number<size_t>(rest);
  if (!size) return bad("the length of a string is no number");
  if (*size > limits_.bytes - used_) return bad("the reply is too large");
  if (type == '=' && *size < 4) return bad("a verbatim string is too short");
  bulk_ = size;
  bulk_type_ = type;
  return finish_bulk(value);
}

RespReader::Step RespReader::finish_bulk(RedisReply& value) {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  const size_t size = *bulk_;
  if (rest.size() < size + 2) return Step::NeedMore;
  if (rest.substr(size, 2) != "\r\n") return bad("a string does not end where it should");
  value.kind = kind_of(bulk_type_);
  value.text = rest.substr(0, size);
  if (bulk_type_ == '=') value.text.erase(0, 4);  // "txt:" or "mkd:"
  at_ += size + 2;
  used_ += size + 2;
  bulk_.reset();
  return Step::Value;
}

RespReader::Step RespReader::begin_aggregate(char type, std::string_view rest, RedisReply& value) {
  if (type == '*' && rest == "-1") return Step::Value;  // null
  const std::optional<size_t> claimed = parse_number<size_t>(rest);
  if (!claimed) return bad("the length of an array is no number");
  if (*claimed > limits_.values) return bad("the reply holds too many values");
  const size_t count = type == '%' || type == '|' ? *claimed * 2 : *claimed;
  const bool attribute = type == '|';
  value.kind = kind_of(type);
  if (count == 0 && !attribute) return Step::Value;
  if (open_.size() >= limits_.depth) return bad("arrays are nested too deeply");
  if (count == 0) return Step::Opened;  // an attribute that says nothing
  value.items.reserve(std::min(count, kReservedItems));
  open_.push_back(Open{.value = std::move(value), .missing = count, .attribute = attribute});
  return Step::Opened;
}

bool RespReader::place(RedisReply& value) {
  while (!open_.empty()) {
    Open& outer = open_.back();
    outer.value.items.push_back(std::move(value));
    if (--outer.missing > 0) return false;
    value = std::move(outer.value);
    const bool attribute = outer.attribute;
    open_.pop_back();
    if (attribute) return false;
  }
  return true;
}

void RespReader::compact() {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    // A rare large reply must not keep its room for ever.
    if (buffer_.capacity() > 16 * kCompactAt) buffer_.shrink_to_fit();
    at_ = 0;
  } else if (at_ >= kCompactAt) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
}

}  // namespace sluice::net
