// Bodies. The chunked coding (RFC 9112 7.1), strictly:
//
//   chunked  = *chunk last-chunk *(trailer CRLF) CRLF
//   chunk    = 1*16HEXDIG [";" *text] CRLF size*OCTET CRLF
//   trailer  = token ":" *text
#include <algorithm>

#include "net/http1.h"
#include "net/http1_scan.h"

namespace sluice::net {
namespace {

// Of one size line, and of all trailers together.
constexpr uint32_t kMaxExtension = 1024;
constexpr uint32_t kMaxTrailers = 16 * 1024;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// One byte of anything but data. The state's own number of digits doubles, in a trailer, as
// "the colon has been seen".
ChunkedDecoder::State ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::Size:
      if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > 16) return State::Bad;
        left_ = left_ << 4 | static_cast<uint64_t>(digit);
        return State::Size;
      }
      if (digits_ == 0) return State::Bad;
      overhead_ = 0;
      return c == '\r' ? State::SizeLf : c == ';' ? State::Extension : State::Bad;
    case State::Extension:
      if (c == '\r') return State::SizeLf;
      return http1::is(c, http1::kText) && ++overhead_ <= kMaxExtension ? State::Extension
                                                                        : State::Bad;
    case State::SizeLf:
      digits_ = 0;
      overhead_ = 0;
      if (c != '\n') return State::Bad;
      return left_ > 0 ? State::Data : State::TrailerStart;
    case State::DataCr:
      return c == '\r' ? State::DataLf : State::Bad;
    case State::DataLf:
      return c == '\n' ? State::Size : State::Bad;
    case State::TrailerStart:
      digits_ = 0;
      if (c == '\r') return State::EndLf;
      return http1::is(c, http1::kToken) && ++overhead_ <= kMaxTrailers ? State::Trailer
                                                                        : State::Bad;
    case State::Trailer:
      if (c == '\r') return digits_ == 1 ? State::TrailerLf : State::Bad;
      if (++overhead_ > kMaxTrailers) return State::Bad;
      if (digits_ == 1) return http1::is(c, http1::kText) ? State::Trailer : State::Bad;
      if (c == ':') digits_ = 1;
      return c == ':' || http1::is(c, http1::kToken) ? State::Trailer : State::Bad;
    case State::TrailerLf:
      return c == '\n' ? State::TrailerStart : State::Bad;
    case State::EndLf:
      return c == '\n' ? State::End : State::Bad;
    case State::Data:
    case State::End:
    case State::Bad:
      break;
  }
  return state_;
}

ChunkedDecoder::Status ChunkedDecoder::next(std::string_view& input, std::string_view& data) {
  size_t used = 0;
  while (state_ != State::Data && state_ != State::End && state_ != State::Bad) {
    if (used == input.size()) {
      input.remove_prefix(used);
      return Status::NeedMore;
    }
    state_ = step(input[used++]);
  }
  input.remove_prefix(used);
  if (state_ == State::End) return Status::End;
  if (state_ == State::Bad) return Status::Bad;
  if (input.empty()) return Status::NeedMore;
  data = input.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, input.size())));
  input.remove_prefix(data.size());
  left_ -= data.size();
  if (left_ == 0) state_ = State::DataCr;
  return Status::Data;
}

BodyDecoder::BodyDecoder(Framing framing, uint64_t length)
    : framing_(framing),
      ended_(framing == Framing::None || (framing == Framing::Length && length == 0)),
      left_(length) {}

BodyDecoder::Status BodyDecoder::next(std::string_view& input, std::string_view& data) {
  if (ended_) return Status::End;
  if (framing_ == Framing::Chunked) {
    const Status status = chunked_.next(input, data);
    ended_ = status == Status::End;
    return status;
  }
  if (input.empty()) return Status::NeedMore;
  data = input;
  if (framing_ == Framing::Length) {
    data = input.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, input.size())));
    left_ -= data.size();
    ended_ = left_ == 0;
  }
  input.remove_prefix(data.size());
  return Status::Data;
}

bool BodyDecoder::end_of_input() const {
  return ended_ || framing_ == Framing::UntilClose;
}

bool BodyDecoder::complete() const {
  return ended_;
}

}  // namespace sluice::net
