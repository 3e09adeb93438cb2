// A streamed reply of the OpenAI dialect, event by event: what each event means, and the bytes the
// client gets for it.
//
// A chunk that is as OpenAI would have sent it passes untouched; anything else is repaired
// (acceptance SSE-2, SSE-3, SSE-4) or ends the stream as a bad reply. Every chunk is validated:
// after the first good one only from `choices` on, for what stands before it must be the same
// bytes. Usage is read from wherever the upstream puts it, the last one counts, and the client sees
// it once before [DONE] if it asked, else never (COST-2 to COST-6). Single-threaded; one object per
// stream. Idle it holds its head (about 150 bytes) and nothing else, unless tool calls are open.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/outcome.h"
#include "wire/chat.h"
#include "wire/openai_chunk.h"
#include "wire/openai_tools.h"
#include "wire/sse.h"

namespace sluice::openai {

// Borrowed; must outlive the reader.
struct StreamOptions {
  chat::Endpoint endpoint = chat::Endpoint::Chat;
  bool asked_usage = false;  // the client did, see chat::Request
  // What the chunks say where the upstream leaves it out. `id` must not be empty.
  std::string_view id;
  std::string_view model;
  int64_t created = 0;
};

// Why a stream failed. The strings are the upstream's own, where it has any.
struct StreamError {
  Outcome outcome = Outcome::UpstreamError;
  std::string message;
  std::string type;
  std::string code;
};

struct StreamEvent {
  enum class Kind : uint8_t {
    Preamble,  // forward, but it is no content: a role, an empty delta, something unknown
    Content,   // forward
    Finish,    // forward: a choice ends here (and may carry content, see below)
    Usage,     // nothing to forward yet: usage alone; the client gets it before [DONE], if at all
    Done,      // forward: the end, with the usage the client asked for before it
    Error,     // the stream failed, see StreamReader::error(); nothing to forward
    Ignore,    // nothing to forward
  };
  Kind kind = Kind::Ignore;
  bool content = false;    // the caller would see something: from here on there is no going back
  std::string_view bytes;  // of the event or of the scratch given to take(); whole events
};

class StreamReader {
 public:
  explicit StreamReader(const StreamOptions& options) : options_(options) {}

  // `scratch` holds what has to be written anew; its old content is lost. One for a whole thread
  // will do: the result is valid until it is used again.
  StreamEvent take(const sse::Event& event, std::string& scratch);

  struct End {
    bool complete = false;
    std::string_view bytes;  // what the client still has to get, if complete
  };
  // The upstream's stream has ended. Complete if it said [DONE] or every choice it began was
  // finished; else it was truncated (acceptance FB-4).
  End finish(std::string& scratch);

  bool saw_content() const { return saw_content_; }
  bool saw_finish() const { return !seen_.empty() && finished_.has_all(seen_); }
  bool saw_done() const { return done_; }
  // Null unless the stream failed.
  const StreamError* error() const { return error_.get(); }
  // The last usage reported.
  const std::optional<chat::Usage>& usage() const { return usage_; }
  // Bytes of text, reasoning and tool arguments so far, unescaped: for estimates.
  int64_t output_bytes() const { return output_bytes_; }
  // The model that answers, as the upstream names it; empty before the first chunk.
  std::string model() const;
  // An event of this stream that says nothing, for keeping it alive; empty before the first chunk.
  std::string empty_event() const;

 private:
  using Kind = StreamEvent::Kind;

  StreamEvent fail(Outcome outcome, std::string message);
  StreamEvent fail_with(ErrorFacts&& facts);
  StreamEvent done(const sse::Event& event, std::string& scratch);
  StreamEvent chunk(const sse::Event& event, std::string& scratch);
  StreamEvent accept(const sse::Event& event, const Chunk& chunk, bool same_head,
                     std::string& scratch);
  bool decide_tools();
  void learn(std::string_view payload, const Chunk& chunk);
  bool has_identity(const Chunk& chunk) const;
  Identity identity() const;
  void note_usage(const sse::Event& event, const Chunk& chunk, bool repair);
  std::string_view render(const sse::Event& event, const Chunk& chunk, bool repair,
                          std::string& scratch) const;
  Repair repair_for(const Chunk& chunk) const;
  void count(const Chunk& chunk, bool content);
  std::string_view ending(std::string& scratch);

  StreamOptions options_;
  // Everything up to and including `"choices":[` as the first chunk had it.
  std::string head_;
  chat::Span id_;  // in head_, quotes included
  chat::Span created_;
  chat::Span model_;
  ChoiceSet seen_;
  ChoiceSet roles_;
  ChoiceSet finished_;
  std::optional<chat::Usage> usage_;
  std::unique_ptr<std::string> pending_usage_;  // the event the client gets before [DONE]
  std::unique_ptr<ToolCalls> tools_;
  std::unique_ptr<StreamError> error_;
  int64_t output_bytes_ = 0;
  bool saw_content_ = false;
  bool done_ = false;
};

static_assert(sizeof(StreamReader) <= 360);

}  // namespace sluice::openai
