// Content codings: gzip, deflate, br and zstd, decoded piece by piece with a bound on what comes
// out, so that a bomb costs its sender more than us.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::coding {

struct Limits {
  size_t max_output = 32u << 20;
  // Output bytes per input byte, looked at once more than 1 MiB came out. Text rarely passes 20,
  // repetitive JSON 200; gzip can reach 1,030.
  size_t max_ratio = 300;
  // The outcome of bytes that are not of the coding: the upstream's doing or the client's.
  Outcome malformed = Outcome::UpstreamBadReply;
};

// Decodes one body. Single-threaded.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Appends to `out` everything the bytes so far allow (a flushed stream can be read as it comes).
  // Error: TooLarge, or limits.malformed. After an error the decoder is of no more use.
  Result<void> feed(std::string_view bytes, std::string& out);
  // At the end of the input: an error if the body was cut short.
  Result<void> finish() const;

 protected:
  explicit Decoder(const Limits& limits) : limits_(limits) {}

  enum class Step { Goes, Ends, Broken };
  // Decodes some of *in (and takes it from there) into [to, to + room); *made bytes of it.
  virtual Step decode(std::string_view* in, char* to, size_t room, size_t* made) = 0;
  // What follows the end of the coded data may begin another member (gzip) or frame (zstd).
  virtual bool restart() = 0;

 private:
  Result<void> check(size_t total) const;
  Error malformed(std::string_view why) const;

  Limits limits_;
  size_t in_ = 0;
  size_t out_ = 0;
  bool ended_ = false;
};

// For the value of a content-encoding header. Null for "" and "identity". Error (limits.malformed)
// for a coding we do not know, or several at once.
Result<std::unique_ptr<Decoder>> make_decoder(std::string_view content_encoding,
                                              const Limits& limits);

}  // namespace sluice::coding
