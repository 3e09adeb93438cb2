// HTTP/1.1 messages as bytes (RFC 9112): strict parsers for both sides, the chunked coding, and
// writing of heads.
//
// Nothing here copies or allocates but the header list. A message that two implementations could
// read differently is refused, never repaired (acceptance NET-7): both lengths, bare CR or LF,
// folded or spaced-out header lines, any transfer coding but `chunked`, control bytes in values,
// repeated Host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::net {

struct Header {
  std::string_view name;
  std::string_view value;  // without surrounding white space
};

// ASCII case-insensitive.
bool same_letters(const char* a, const char* b, size_t count);
inline bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_letters(a.data(), b.data(), a.size());
}
inline bool begins_with_name(std::string_view text, std::string_view name) {
  return text.size() >= name.size() && same_letters(text.data(), name.data(), name.size());
}

// In the order received. Views into the bytes that were parsed.
class Headers {
 public:
  std::optional<std::string_view> find(std::string_view name) const;    // the first of that name
  bool has_token(std::string_view name, std::string_view token) const;  // in a comma-separated list
  void add(std::string_view name, std::string_view value) { list_.push_back({name, value}); }
  void clear() { list_.clear(); }
  // Makes the views, which point into bytes at `from`, point into a copy of them at `to`.
  void rebase(const char* from, const char* to) {
    for (Header& header : list_) {
      header.name = {to + (header.name.data() - from), header.name.size()};
      header.value = {to + (header.value.data() - from), header.value.size()};
    }
  }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  size_t size() const { return list_.size(); }

 private:
  std::vector<Header> list_;
};

struct HeadLimits {
  size_t bytes = 64 * 1024;  // the whole head
  size_t target = 8 * 1024;
  size_t headers = 100;
};

// How the body's end is found.
enum class Framing : uint8_t { None, Length, Chunked, UntilClose };

struct RequestHead {
  std::string_view method;
  std::string_view target;  // as sent
  uint8_t minor_version = 1;
  Headers headers;
  Framing framing = Framing::None;
  uint64_t length = 0;  // for Framing::Length
  bool keep_alive = true;
  bool expects_continue = false;

  // Without the query, and without scheme and authority if the target has them.
  std::string_view path() const;
};

struct ResponseHead {
  int status = 0;
  uint8_t minor_version = 1;
  Headers headers;
  Framing framing = Framing::None;
  uint64_t length = 0;
  bool keep_alive = true;
};

struct HeadParse {
  enum class Status : uint8_t { Done, NeedMore, Bad };
  Status status = Status::NeedMore;
  size_t consumed = 0;  // bytes of the head, for Done
  // For Bad, what a server answers: 400, 414, 417, 431, 501 (coding) or 505 (version).
  int http_status = 400;
  const char* reason = "";  // for Bad: for a person
};

// `bytes` begins at the message's first byte and may hold more than the head. Empty lines before a
// request line are skipped (RFC 9112 2.2). The head's views point into `bytes`.
HeadParse parse_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head);
// `answers_head`: the request was HEAD, so there is no body whatever the fields say. 1xx heads
// parse as any other, with Framing::None.
HeadParse parse_response_head(std::string_view bytes, const HeadLimits& limits, bool answers_head,
                              ResponseHead& head);
// Whether an empty line ends behind `from`, so that parsing once more may bring more than NeedMore.
// Asked for each new piece, it spares a slow sender's head from being parsed at every byte.
bool may_end_head(std::string_view bytes, size_t from);

// Takes the chunked coding apart as it arrives, at any split. Extensions are skipped, trailers
// dropped, both bounded.
class ChunkedDecoder {
 public:
  enum class Status : uint8_t { Data, NeedMore, End, Bad };
  // Consumes from the front of `input`. Data: `data` is a view into what was consumed. NeedMore:
  // all was consumed. End: the last chunk and the trailers have passed; what is left of `input`
  // belongs to the next message.
  Status next(std::string_view& input, std::string_view& data);

 private:
  enum class State : uint8_t {
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
    Bad
  };
  State step(char c);

  uint64_t left_ = 0;
  uint32_t overhead_ = 0;  // bytes of this size line's extension, or of the trailers so far
  uint8_t digits_ = 0;
  State state_ = State::Size;
};

// Takes a message body apart, whatever its framing, as it arrives.
class BodyDecoder {
 public:
  BodyDecoder(Framing framing, uint64_t length);
  using Status = ChunkedDecoder::Status;
  Status next(std::string_view& input, std::string_view& data);
  // The connection has ended: true if that was the body's end too, false if the body was cut short.
  bool end_of_input() const;
  // All of the body is known to have passed.
  bool complete() const;

 private:
  Framing framing_;
  bool ended_ = false;
  uint64_t left_;
  ChunkedDecoder chunked_;
};

// "200 OK"; "246" for a status without a customary phrase.
std::string_view status_line_text(int status);

// Appends "HTTP/1.1 200 OK\r\n".
void append_status_line(std::string& out, int status);
// Appends "name: value\r\n". Requires: neither holds CR, LF or NUL (see is_header_value).
void append_header(std::string& out, std::string_view name, std::string_view value);
void append_header(std::string& out, std::string_view name, uint64_t value);
bool is_header_value(std::string_view value);
// Appends one chunk: size line, data, CR LF. Nothing for empty data, which would end the body.
void append_chunk(std::string& out, std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
// The same before its trailers and the blank line.
inline constexpr std::string_view kLastChunkSize = kLastChunk.substr(0, 3);
// Size line for a chunk whose data the caller places after it: "1f4\r\n" (and CR LF behind the
// data).
void append_chunk_size(std::string& out, size_t size);

// Fields about one connection, never passed on (RFC 9110 7.6.1), beside those its Connection field
// names.
bool is_hop_by_hop(std::string_view name);

}  // namespace sluice::net
