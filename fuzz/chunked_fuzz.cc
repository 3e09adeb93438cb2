// The chunked coding: the same data, end and rest at every split; and what was decoded, encoded
// again, decodes to itself.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/http1.h"

namespace {

using sluice::net::ChunkedDecoder;
using Status = ChunkedDecoder::Status;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Decoded {
  Status status = Status::NeedMore;
  std::string data;
  size_t rest = 0;
};

Decoded decode(std::string_view bytes, size_t piece) {
  ChunkedDecoder decoder;
  Decoded out;
  for (;;) {
    std::string_view input = bytes.substr(0, piece);
    const size_t before = input.size();
    std::string_view data;
    out.status = decoder.next(input, data);
    bytes.remove_prefix(before - input.size());
    if (out.status == Status::Data) {
      require(!data.empty() && data.size() <= before);
      out.data += data;
    } else if (out.status != Status::NeedMore || bytes.empty()) {
      out.rest = bytes.size();
      return out;
    } else {
      require(input.empty());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Decoded whole = decode(bytes, bytes.size() + 1);
  const Decoded pieces = decode(bytes, 1 + data[0] % 64);
  require(whole.status == pieces.status && whole.data == pieces.data);
  if (whole.status != Status::Bad) require(whole.rest == pieces.rest);

  std::string again;
  sluice::net::append_chunk(again, whole.data);
  again += sluice::net::kLastChunk;
  const Decoded second = decode(again, 1 + data[0] % 64);
  require(second.status == Status::End && second.data == whole.data && second.rest == 0);
  return 0;
}
