// However a stream is cut, the parser finds the same events and holds no more than its limit.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/sse.h"

namespace {

constexpr uint32_t kMaxEvent = 4096;

struct Seen {
  std::vector<std::string> events;
  bool too_large = false;
  bool inside = false;
};

Seen parse(std::string_view text, size_t step) {
  Seen seen;
  sluice::sse::Parser parser(kMaxEvent);
  for (size_t at = 0; at < text.size(); at += step) {
    const std::string piece(text.substr(at, step));
    parser.feed(piece);
    sluice::sse::Event event;
    sluice::sse::Step result;
    while ((result = parser.next(&event)) == sluice::sse::Step::Event) {
      if (event.canonical && event.raw != "data: " + std::string(event.data) + "\n\n") std::abort();
      std::string all(event.name);
      all.append("|").append(event.id).append("|").append(event.data);
      seen.events.push_back(std::move(all));
    }
    if (parser.held() > kMaxEvent) std::abort();
    seen.too_large |= result == sluice::sse::Step::TooLarge;
  }
  seen.inside = parser.ended_inside_event();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Seen whole = parse(text, size);
  for (const size_t step : {size_t{1}, size_t{2}, size_t{1} + data[0] % 64}) {
    const Seen split = parse(text, step);
    // A line end that was cut in two counts one byte less: only near the limit do they differ.
    if (whole.too_large || split.too_large) continue;
    if (split.events != whole.events || split.inside != whole.inside) std::abort();
  }
  return 0;
}
