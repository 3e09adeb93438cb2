// How tests show answers and their events, and run a stream through a reader in two pieces.
#pragma once

#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "wire/answer_event.h"
#include "wire/golden_stream.h"
#include "wire/json.h"

namespace sluice::shown {

using chat::Answer;
using chat::AnswerEvent;
using chat::AnswerReader;
using chat::AnswerWriter;
using chat::Finish;
using chat::Part;
using chat::StreamError;
using chat::Usage;

inline std::string quote(std::string_view text) {
  std::string out;
  json::append_quoted(out, text);
  return out;
}

inline std::string_view show(Finish finish) {
  constexpr std::string_view kNames[] = {"unknown", "stop", "length", "tool_calls",
                                         "content_filter"};
  return kNames[static_cast<int>(finish)];
}

inline std::string show(const Usage& usage) {
  return fmt::format(
      "plain_input={} cache_read={} cache_write={} audio_input={} visible_output={} reasoning={} "
      "audio_output={}",
      usage.plain_input, usage.cache_read, usage.cache_write, usage.audio_input,
      usage.visible_output, usage.reasoning, usage.audio_output);
}

// One line for an event.
inline std::string show(const AnswerEvent& event) {
  using Kind = AnswerEvent::Kind;
  switch (event.kind) {
    case Kind::Start:
      return fmt::format("start id={} model={} created={}", event.id, event.name, event.created);
    case Kind::Text:
      return "text " + quote(event.text);
    case Kind::Refusal:
      return "refusal " + quote(event.text);
    case Kind::Thinking:
      return "thinking " + quote(event.text);
    case Kind::Signature:
      return "signature " + quote(event.text);
    case Kind::Redacted:
      return "redacted " + quote(event.text);
    case Kind::ToolCall:
      return fmt::format("call id={} name={}{}", event.id, event.name,
                         event.custom ? " custom" : "");
    case Kind::Arguments:
      return "arguments " + quote(event.text);
    case Kind::Finish:
      return fmt::format("finish {} {}", show(event.finish), quote(event.text));
    case Kind::Usage:
      return "usage " + show(*event.usage);
    case Kind::End:
      return "end";
  }
  return "";
}

struct EventRun {
  std::vector<AnswerEvent> events;
  std::string text;   // a line for each event, and how the stream ended
  std::string bytes;  // what the writer made of them
};

// Feeds `stream` in two pieces, cut at `cut`.
inline EventRun run_events(std::string_view stream, size_t cut, AnswerReader& reader,
                           AnswerWriter& writer) {
  EventRun run;
  bool good = true;
  golden::feed(stream, cut, [&](const sse::Event& event) {
    if (good) good = reader.take(event, run.events);
  });
  if (good) good = reader.finish(run.events);
  for (const AnswerEvent& event : run.events) {
    run.text += show(event) + "\n";
    writer.write(event, run.bytes);
  }
  if (good) return run;
  const StreamError* error = reader.error();
  run.text += error == nullptr
                  ? "CUT SHORT\n"
                  : fmt::format("FAILED {} {}\n", name_of(error->outcome), quote(error->message));
  return run;
}

// A line for each part and fact of an answer.
inline std::string show(const Answer& answer) {
  std::string out =
      fmt::format("id={} model={} created={}\n", answer.id, answer.model, answer.created);
  for (const Part& part : answer.parts) {
    switch (part.kind) {
      case Part::Kind::ToolCall:
        out += fmt::format("call id={} name={}{} arguments={}\n", part.id, part.name,
                           part.custom ? " custom" : "", quote(part.arguments));
        break;
      case Part::Kind::Thinking:
        out += fmt::format("thinking {}\n", quote(part.text));
        break;
      case Part::Kind::Refusal:
        out += fmt::format("refusal {}\n", quote(part.text));
        break;
      default:
        out += fmt::format("text {}\n", quote(part.text));
    }
  }
  out += fmt::format("finish {} {}\n", show(answer.finish), quote(answer.native_finish));
  out += "usage " + (answer.usage ? show(*answer.usage) : "none") + "\n";
  return out;
}

}  // namespace sluice::shown
