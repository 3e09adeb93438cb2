#include "bench/response_reader.h"

#include <algorithm>
#include <cstdlib>
#include <strings.h>

namespace sluice::bench {
namespace {

constexpr std::string_view kDone = "data: [DONE]";

}  // namespace

void ResponseReader::start() {
  stage_ = Stage::head;
  line_.clear();
  left_ = 0;
  status_ = 0;
  body_bytes_ = 0;
  events_ = 0;
  line_at_ = 0;
  ended_with_done_ = false;
}

size_t ResponseReader::feed(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !done() && !broken()) {
    std::string_view rest = bytes.substr(used);
    switch (stage_) {
      case Stage::head:
        used += read_head(rest);
        break;
      case Stage::length_body:
      case Stage::chunk_data:
        used += read_counted(rest);
        break;
      default:
        used += read_line(rest);
        break;
    }
  }
  return used;
}

size_t ResponseReader::read_head(std::string_view bytes) {
  size_t old_size = line_.size();
  line_.append(bytes);
  size_t end = line_.find("\r\n\r\n", old_size < 3 ? 0 : old_size - 3);
  if (end == std::string::npos) return bytes.size();
  size_t head = end + 4;
  bool chunked = false;
  bool counted = false;
  status_ = line_.size() > 12 ? std::atoi(line_.c_str() + 9) : 0;
  for (size_t at = line_.find("\r\n"); at < end; at = line_.find("\r\n", at + 2)) {
    const char* name = line_.c_str() + at + 2;
    if (strncasecmp(name, "content-length:", 15) == 0) {
      counted = true;
      left_ = std::strtoull(name + 15, nullptr, 10);
    } else if (strncasecmp(name, "transfer-encoding:", 18) == 0) {
      chunked = true;
    }
  }
  line_.clear();
  if (chunked) {
    stage_ = Stage::chunk_size;
  } else if (counted) {
    stage_ = left_ == 0 ? Stage::done : Stage::length_body;
  } else {
    stage_ = Stage::broken;  // a body that ends with the connection cannot be told from a cut one
  }
  return head - old_size;
}

size_t ResponseReader::read_counted(std::string_view bytes) {
  size_t size = std::min<uint64_t>(left_, bytes.size());
  take_body(bytes.substr(0, size));
  left_ -= size;
  if (left_ == 0) stage_ = stage_ == Stage::length_body ? Stage::done : Stage::chunk_end;
  return size;
}

size_t ResponseReader::read_line(std::string_view bytes) {
  size_t end = bytes.find('\n');
  if (end == std::string_view::npos) {
    line_.append(bytes);
    return bytes.size();
  }
  line_.append(bytes.substr(0, end));
  if (stage_ == Stage::chunk_size) {
    read_chunk_size();
  } else if (stage_ == Stage::chunk_end) {
    stage_ = Stage::chunk_size;
  } else if (line_ == "\r") {  // the empty line after the last chunk and its trailers
    stage_ = Stage::done;
  }
  line_.clear();
  return end + 1;
}

void ResponseReader::read_chunk_size() {
  char* end = nullptr;
  left_ = std::strtoull(line_.c_str(), &end, 16);
  if (end == line_.c_str()) {
    stage_ = Stage::broken;
  } else {
    stage_ = left_ == 0 ? Stage::trailer : Stage::chunk_data;
  }
}

void ResponseReader::take_body(std::string_view bytes) {
  body_bytes_ += static_cast<int64_t>(bytes.size());
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    bool whole = end != std::string_view::npos;
    take_line_piece(bytes.substr(0, whole ? end : bytes.size()), whole);
    if (!whole) return;
    bytes.remove_prefix(end + 1);
  }
}

// Pieces of one line may come in several reads; only the line's first bytes are looked at.
void ResponseReader::take_line_piece(std::string_view piece, bool last) {
  if (line_at_ == 0 && !piece.empty()) {
    in_data_line_ = piece[0] == 'd';
    if (in_data_line_) {
      ++events_;
      ended_with_done_ = true;  // until a byte differs
    }
  }
  if (in_data_line_ && line_at_ < kDone.size()) {
    ended_with_done_ &= piece.starts_with(kDone.substr(line_at_, piece.size()));
  }
  line_at_ = last ? 0 : line_at_ + piece.size();
}

}  // namespace sluice::bench
