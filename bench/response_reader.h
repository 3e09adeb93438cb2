// Reads one HTTP/1.1 response after another from a byte stream split anywhere: status, body length,
// server-sent events. Trusts the server to speak HTTP; what it cannot read it reports as broken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

class ResponseReader {
 public:
  void start();                         // forget the last response
  size_t feed(std::string_view bytes);  // bytes used; stops at the response's end

  bool done() const { return stage_ == Stage::done; }
  bool broken() const { return stage_ == Stage::broken; }
  int status() const { return status_; }
  int64_t body_bytes() const { return body_bytes_; }
  int64_t events() const { return events_; }  // lines that begin with "data:"
  bool ended_with_done() const { return ended_with_done_; }

 private:
  enum class Stage { head, length_body, chunk_size, chunk_data, chunk_end, trailer, done, broken };

  size_t read_head(std::string_view bytes);
  size_t read_counted(std::string_view bytes);
  size_t read_line(std::string_view bytes);
  void read_chunk_size();
  void take_body(std::string_view bytes);
  void take_line_piece(std::string_view piece, bool last);

  Stage stage_ = Stage::head;
  std::string line_;   // a head or chunk-size line not yet whole
  uint64_t left_ = 0;  // bytes left in the body or chunk
  int status_ = 0;
  int64_t body_bytes_ = 0;
  int64_t events_ = 0;
  size_t line_at_ = 0;  // bytes of the current body line already seen
  bool in_data_line_ = false;
  bool ended_with_done_ = false;
};

}  // namespace sluice::bench
