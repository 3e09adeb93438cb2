// Reply heads, and the body behind them, taken apart in pieces.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/http1.h"

namespace {

using sluice::net::BodyDecoder;
using sluice::net::Framing;
using sluice::net::HeadParse;

void require(bool holds) {
  if (!holds) std::abort();
}

void read_body(std::string_view rest, size_t piece, const sluice::net::ResponseHead& head) {
  BodyDecoder decoder(head.framing, head.length);
  uint64_t total = 0;
  while (!decoder.complete()) {
    std::string_view input = rest.substr(0, piece);
    const size_t before = input.size();
    std::string_view data;
    const BodyDecoder::Status status = decoder.next(input, data);
    rest.remove_prefix(before - input.size());
    if (status == BodyDecoder::Status::Data) {
      require(!data.empty());
      total += data.size();
    }
    if (status == BodyDecoder::Status::Bad) return;
    if (status == BodyDecoder::Status::NeedMore && rest.empty()) break;
  }
  if (head.framing == Framing::Length) {
    require(total <= head.length && decoder.complete() == (total == head.length));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool answers_head = (data[0] & 1) != 0;
  const size_t piece = 1 + (data[0] >> 1);
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  sluice::net::HeadLimits limits;
  limits.bytes = 4096;
  limits.headers = 16;
  sluice::net::ResponseHead head;
  const HeadParse parsed = sluice::net::parse_response_head(bytes, limits, answers_head, head);
  require(parsed.status != HeadParse::Status::NeedMore || bytes.size() < limits.bytes);
  if (parsed.status != HeadParse::Status::Done) return 0;
  require(head.status >= 100 && head.status <= 599);
  require(parsed.consumed <= limits.bytes && parsed.consumed <= bytes.size());
  require(head.framing != Framing::UntilClose || !head.keep_alive);
  if (answers_head || head.status < 200 || head.status == 204 || head.status == 304) {
    require(head.framing == Framing::None);
  }
  read_body(std::string_view(bytes).substr(parsed.consumed), piece, head);
  return 0;
}
