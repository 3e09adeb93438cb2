// Request heads: whatever the bytes, the same verdict at every split, views inside the bytes, and
// no head that a stricter reading would refuse.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/http1.h"

namespace {

using sluice::net::Framing;
using sluice::net::HeadParse;

void require(bool holds) {
  if (!holds) std::abort();
}

bool inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_done(std::string_view bytes, const HeadParse& parsed,
                const sluice::net::RequestHead& head) {
  const std::string_view used = bytes.substr(0, parsed.consumed);
  require(parsed.consumed <= bytes.size() && used.ends_with("\r\n\r\n"));
  require(inside(head.method, used) && inside(head.target, used) && !head.method.empty());
  require(!head.path().empty());
  size_t lengths = 0;
  size_t codings = 0;
  size_t hosts = 0;
  for (const sluice::net::Header& header : head.headers) {
    require(inside(header.name, used) && inside(header.value, used) && !header.name.empty());
    require(sluice::net::is_header_value(header.value));
    lengths += sluice::net::same_name(header.name, "content-length") ? 1 : 0;
    codings += sluice::net::same_name(header.name, "transfer-encoding") ? 1 : 0;
    hosts += sluice::net::same_name(header.name, "host") ? 1 : 0;
  }
  require(lengths + codings <= 1 && hosts <= 1 && (hosts == 1 || head.minor_version == 0));
  require((head.framing == Framing::Length) == (lengths == 1));
  require((head.framing == Framing::Chunked) == (codings == 1));
  for (size_t at = used.find('\n'); at != used.npos; at = used.find('\n', at + 1)) {
    require(at > 0 && used[at - 1] == '\r');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  sluice::net::HeadLimits limits;
  limits.bytes = 4096;
  limits.target = 256;
  limits.headers = 16;
  sluice::net::RequestHead head;
  const HeadParse whole = sluice::net::parse_request_head(bytes, limits, head);
  if (whole.status == HeadParse::Status::Done) {
    check_done(bytes, whole, head);
    require(sluice::net::may_end_head(bytes, whole.consumed - 1));
  }
  require(whole.status != HeadParse::Status::NeedMore || bytes.size() < limits.bytes);

  // A shorter part is never read as something else.
  const std::string part = bytes.substr(0, bytes.size() * data[0] / 256);
  sluice::net::RequestHead part_head;
  const HeadParse early = sluice::net::parse_request_head(part, limits, part_head);
  if (early.status == HeadParse::Status::Done) require(early.consumed == whole.consumed);
  if (early.status == HeadParse::Status::Bad) {
    require(whole.status == HeadParse::Status::Bad);
    require(early.http_status == 431 || whole.http_status == early.http_status);
  }
  return 0;
}
