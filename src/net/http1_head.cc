// Heads, as RFC 9112 has them and nothing more:
//
//   request  = *CRLF method SP target SP "HTTP/1." ("0" | "1") CRLF *(field CRLF) CRLF
//   response = "HTTP/1." ("0" | "1") SP 3DIGIT [SP *text] CRLF *(field CRLF) CRLF
//   field    = token ":" *(SP | TAB) *text         (text: visible, space, tab, 0x80-0xff)
#include <algorithm>
#include <cstring>

#include "net/http1.h"
#include "net/http1_scan.h"

namespace sluice::net {
namespace {

using http1::is;
using Status = HeadParse::Status;

constexpr HeadParse bad(int status, const char* reason) {
  return {.status = Status::Bad, .consumed = 0, .http_status = status, .reason = reason};
}
constexpr HeadParse bad(const char* reason) {
  return bad(400, reason);
}
constexpr HeadParse kNeedMore{};
constexpr HeadParse kDone{.status = Status::Done};

constexpr const char* kBareCr = "a carriage return without a line feed";

// What the fields about the message itself say, before they are held against each other.
struct Fields {
  std::string_view content_length;
  std::string_view transfer_encoding;
  std::string_view host;
  std::string_view expect;
  uint16_t lengths = 0;
  uint16_t encodings = 0;
  uint16_t hosts = 0;
  uint16_t expects = 0;
  bool close = false;
  bool keep_alive = false;
};

void note_connection(std::string_view value, Fields& fields) {
  Headers one;
  if (same_name(value, "keep-alive")) {
    fields.keep_alive = true;
  } else if (same_name(value, "close")) {
    fields.close = true;
  } else {
    one.add("connection", value);
    fields.close |= one.has_token("connection", "close");
    fields.keep_alive |= one.has_token("connection", "keep-alive");
  }
}

inline void note_field(std::string_view name, std::string_view value, Fields& fields) {
  switch (name.size()) {
    case 4:
      if (same_name(name, "host")) {
        ++fields.hosts;
        fields.host = value;
      }
      break;
    case 6:
      if (same_name(name, "expect")) {
        ++fields.expects;
        fields.expect = value;
      }
      break;
    case 10:
      if (same_name(name, "connection")) note_connection(value, fields);
      break;
    case 14:
      if (same_name(name, "content-length")) {
        ++fields.lengths;
        fields.content_length = value;
      }
      break;
    case 17:
      if (same_name(name, "transfer-encoding")) {
        ++fields.encodings;
        fields.transfer_encoding = value;
      }
      break;
    default:
      break;
  }
}

// At the CR or LF that should end a line. Done: `at` is behind it.
HeadParse line_end(const char*& at, const char* end) {
  if (at == end) return kNeedMore;
  if (*at == '\n') return bad("a line feed without a carriage return");
  if (*at != '\r') return bad("a control byte");
  if (at + 1 == end) return kNeedMore;
  if (at[1] != '\n') return bad(kBareCr);
  at += 2;
  return kDone;
}

HeadParse parse_fields(const char*& at, const char* end, const HeadLimits& limits, Headers& headers,
                       Fields& fields) {
  for (;;) {
    if (at == end) return kNeedMore;
    if (*at == '\r' || *at == '\n') return line_end(at, end);
    const char* name = at;
    at = http1::skip(at, end, http1::kToken);
    if (at == end) return kNeedMore;
    if (*at != ':') {
      if (at == name && (*at == ' ' || *at == '\t')) return bad("a folded header line");
      return bad("a header name that is no token");
    }
    if (at == name) return bad("a header line without a name");
    if (headers.size() >= limits.headers) return bad(431, "too many header lines");
    const std::string_view name_text(name, static_cast<size_t>(at - name));

    ++at;
    while (at != end && (*at == ' ' || *at == '\t')) ++at;
    const char* value = at;
    at = http1::skip_text(at, end);
    const char* value_end = at;
    if (const HeadParse ended = line_end(at, end); ended.status != Status::Done) return ended;
    while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
    const std::string_view value_text(value, static_cast<size_t>(value_end - value));
    headers.add(name_text, value_text);
    note_field(name_text, value_text, fields);
  }
}

bool parse_length(std::string_view text, uint64_t& length) {
  // 18 digits cannot overflow, and no body is that long.
  if (text.empty() || text.size() > 18) return false;
  uint64_t sum = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    sum = sum * 10 + static_cast<uint64_t>(c - '0');
  }
  length = sum;
  return true;
}

// `encoding_status`: the answer to a transfer coding that is not ours.
HeadParse decide_framing(const Fields& fields, uint8_t minor_version, int encoding_status,
                         Framing& framing, uint64_t& length) {
  if (fields.lengths > 1) return bad("more than one Content-Length");
  if (fields.encodings > 0) {
    if (fields.lengths > 0) return bad("both Content-Length and Transfer-Encoding");
    if (fields.encodings > 1) return bad("more than one Transfer-Encoding");
    if (minor_version == 0) return bad("Transfer-Encoding in HTTP/1.0");
    if (!same_name(fields.transfer_encoding, "chunked")) {
      return bad(encoding_status, "a transfer coding other than chunked");
    }
    framing = Framing::Chunked;
  } else if (fields.lengths > 0) {
    if (!parse_length(fields.content_length, length)) return bad("a bad Content-Length");
    framing = Framing::Length;
  }
  return kDone;
}

// "HTTP/1.0" or "HTTP/1.1" in [at, at + 8).
HeadParse parse_version(const char* at, uint8_t& minor) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (std::memcmp(at, "HTTP/1.", 7) == 0 && (at[7] == '0' || at[7] == '1')) {
    minor = static_cast<uint8_t>(at[7] - '0');
    return kDone;
  }
  if (std::memcmp(at, "HTTP/", 5) == 0 && digit(at[5]) && at[6] == '.' && digit(at[7])) {
    return bad(505, "an HTTP version other than 1.0 and 1.1");
  }
  return bad("a bad HTTP version");
}

bool target_fits(std::string_view method, std::string_view target) {
  if (method == "CONNECT") return target.find_first_of("/?@") == std::string_view::npos;
  if (target.front() == '/') return true;
  if (target == "*") return method == "OPTIONS";
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  if (!same_name(target.substr(0, scheme), "http") && !same_name(target.substr(0, scheme), "https"))
    return false;
  const std::string_view rest = target.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  return !authority.empty() && authority.find('@') == std::string_view::npos;
}

HeadParse parse_request_line(const char*& at, const char* end, const HeadLimits& limits,
                             RequestHead& head) {
  const char* method = at;
  at = http1::skip(at, end, http1::kToken);
  if (at == end) return kNeedMore;
  if (*at != ' ' || at == method) return bad("a bad method");
  head.method = {method, static_cast<size_t>(at - method)};

  const char* target = ++at;
  at = http1::skip(at, end, http1::kTarget);
  head.target = {target, static_cast<size_t>(at - target)};
  if (head.target.size() > limits.target) return bad(414, "the request target is too long");
  if (at == end) return kNeedMore;
  if (*at != ' ' || at == target) return bad("a bad request target");

  ++at;
  // Told early if it is not HTTP at all, and not before the version is whole if it might be.
  const size_t here = static_cast<size_t>(end - at);
  if (here < 8) {
    return std::memcmp(at, "HTTP/", std::min<size_t>(here, 5)) == 0 ? kNeedMore
                                                                    : bad("a bad HTTP version");
  }
  if (const HeadParse version = parse_version(at, head.minor_version);
      version.status != Status::Done) {
    return version;
  }
  at += 8;
  if (at != end && *at != '\r' && *at != '\n') return bad("a bad HTTP version");
  if (!target_fits(head.method, head.target)) return bad("a bad request target");
  return line_end(at, end);
}

HeadParse parse_request(const char*& at, const char* end, const HeadLimits& limits,
                        RequestHead& head) {
  // Some clients end a body with a CR LF nobody counted.
  while (at != end && (*at == '\r' || *at == '\n')) {
    if (const HeadParse empty = line_end(at, end); empty.status != Status::Done) return empty;
  }
  HeadParse step = parse_request_line(at, end, limits, head);
  if (step.status != Status::Done) return step;
  Fields fields;
  step = parse_fields(at, end, limits, head.headers, fields);
  if (step.status != Status::Done) return step;

  if (fields.hosts > 1) return bad("more than one Host");
  if (fields.hosts == 0 && head.minor_version == 1) return bad("no Host");
  const char* const host_end = fields.host.data() + fields.host.size();
  if (http1::skip(fields.host.data(), host_end, http1::kHost) != host_end) return bad("a bad Host");
  step = decide_framing(fields, head.minor_version, 501, head.framing, head.length);
  if (step.status != Status::Done) return step;
  head.keep_alive = !fields.close && (head.minor_version == 1 || fields.keep_alive);
  if (fields.expects > 0 && head.minor_version == 1) {
    if (fields.expects > 1 || !same_name(fields.expect, "100-continue")) {
      return bad(417, "an expectation other than 100-continue");
    }
    head.expects_continue = true;
  }
  return kDone;
}

HeadParse parse_status_line(const char*& at, const char* end, ResponseHead& head) {
  if (at == end) return kNeedMore;
  const size_t here = static_cast<size_t>(end - at);
  if (here < 12) {
    return std::memcmp(at, "HTTP/1.", std::min<size_t>(here, 7)) == 0 ? kNeedMore
                                                                      : bad("not an HTTP/1 reply");
  }
  if (const HeadParse version = parse_version(at, head.minor_version);
      version.status != Status::Done) {
    return version;
  }
  at += 8;
  if (*at != ' ') return bad("a bad status line");
  ++at;
  for (int i = 0; i < 3; ++i, ++at) {
    if (*at < '0' || *at > '9') return bad("a bad status");
    head.status = head.status * 10 + (*at - '0');
  }
  if (head.status < 100 || head.status > 599) return bad("a bad status");
  if (at != end && *at == ' ') {
    at = http1::skip_text(at, end);
  } else if (at != end && *at != '\r' && *at != '\n') {
    return bad("a bad status line");
  }
  return line_end(at, end);
}

HeadParse parse_response(const char*& at, const char* end, const HeadLimits& limits,
                         bool answers_head, ResponseHead& head) {
  HeadParse step = parse_status_line(at, end, head);
  if (step.status != Status::Done) return step;
  Fields fields;
  step = parse_fields(at, end, limits, head.headers, fields);
  if (step.status != Status::Done) return step;

  step = decide_framing(fields, head.minor_version, 400, head.framing, head.length);
  if (step.status != Status::Done) return step;
  head.keep_alive = !fields.close && (head.minor_version == 1 || fields.keep_alive);
  if (head.status < 200 || head.status == 204) {
    if (head.framing == Framing::Chunked || head.length > 0) {
      return bad("a body where the status allows none");
    }
    head.framing = Framing::None;
  } else if (head.status == 304 || answers_head) {
    head.framing = Framing::None;
    head.length = 0;
  } else if (head.framing == Framing::None) {
    head.framing = Framing::UntilClose;
    head.keep_alive = false;
  }
  return kDone;
}

// Holds the parse against the limit on the whole head, also while it is incomplete.
HeadParse bounded(HeadParse parsed, size_t seen, size_t consumed, const HeadLimits& limits) {
  if (parsed.status == Status::NeedMore && seen >= limits.bytes) {
    return bad(431, "the header section is too large");
  }
  if (parsed.status == Status::Done) {
    if (consumed > limits.bytes) return bad(431, "the header section is too large");
    parsed.consumed = consumed;
  }
  return parsed;
}

}  // namespace

std::string_view RequestHead::path() const {
  std::string_view rest = target;
  if (!rest.empty() && rest.front() != '/') {
    if (const size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
      const size_t slash = rest.find_first_of("/?", scheme + 3);
      if (slash == std::string_view::npos || rest[slash] == '?') return "/";
      rest.remove_prefix(slash);
    }
  }
  return rest.substr(0, rest.find('?'));
}

HeadParse parse_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head) {
  head.headers.clear();
  head.framing = Framing::None;
  head.length = 0;
  head.expects_continue = false;
  const char* at = bytes.data();
  const HeadParse parsed = parse_request(at, bytes.data() + bytes.size(), limits, head);
  return bounded(parsed, bytes.size(), static_cast<size_t>(at - bytes.data()), limits);
}

HeadParse parse_response_head(std::string_view bytes, const HeadLimits& limits, bool answers_head,
                              ResponseHead& head) {
  head.headers.clear();
  head.status = 0;
  head.framing = Framing::None;
  head.length = 0;
  const char* at = bytes.data();
  const HeadParse parsed =
      parse_response(at, bytes.data() + bytes.size(), limits, answers_head, head);
  return bounded(parsed, bytes.size(), static_cast<size_t>(at - bytes.data()), limits);
}

bool may_end_head(std::string_view bytes, size_t from) {
  // The line feed before the empty line may be up to two bytes back.
  size_t at = from < 3 ? 0 : from - 3;
  while ((at = bytes.find('\n', at)) != std::string_view::npos) {
    ++at;
    if (at < bytes.size() && bytes[at] == '\n') return true;
    if (at + 1 < bytes.size() && bytes[at] == '\r' && bytes[at + 1] == '\n') return true;
  }
  return false;
}

}  // namespace sluice::net
