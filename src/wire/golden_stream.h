// Streams of golden files: fed in two pieces, and passed through the reader of their own dialect.
// For tests.
#pragma once

#include <fmt/format.h>
#include <functional>
#include <string>
#include <string_view>

#include "wire/golden_show.h"
#include "wire/reply_stream.h"
#include "wire/sse.h"

namespace sluice::golden {

// Gives every event of the stream, which comes in two pieces, cut at `cut`. Each piece is a copy of
// its own, so that a view kept for too long is seen by the sanitizer. True if the stream ends
// inside an event.
inline bool feed(std::string_view stream, size_t cut,
                 const std::function<void(const sse::Event&)>& take) {
  sse::Parser parser;
  for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
    const std::string copy(piece);
    parser.feed(copy);
    sse::Event event;
    while (parser.next(&event) == sse::Step::Event) take(event);
  }
  return parser.ended_inside_event();
}

struct StreamRun {
  std::string bytes;  // what the client gets
  std::string facts;  // what was read
  std::string kinds;  // a letter for each event, with a plus if it carries content
  bool inside_event = false;
};

inline StreamRun pass_through(chat::ReplyStream& reader, std::string_view stream, size_t cut) {
  StreamRun run;
  std::string scratch;
  run.inside_event = feed(stream, cut, [&](const sse::Event& event) {
    const chat::StreamEvent out = reader.take(event, scratch);
    run.bytes += out.bytes;
    run.kinds +=
        fmt::format("{}{} ", "PCFUDEI"[static_cast<int>(out.kind)], out.content ? "+" : "");
  });
  const chat::ReplyStream::End end = reader.finish(scratch);
  run.bytes += end.bytes;
  run.facts = fmt::format("complete={} content={} output_bytes={} model={}", end.complete,
                          reader.saw_content(), reader.output_bytes(), reader.model());
  return run;
}

// "" unless the stream failed.
inline std::string show_error(const chat::ReplyStream& reader) {
  const chat::StreamError* const error = reader.error();
  if (error == nullptr) return "";
  return show_error(error->outcome, error->message, error->code, error->type);
}

}  // namespace sluice::golden
