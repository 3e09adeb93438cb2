#include "wire/translated_stream.h"

namespace sluice::chat {
namespace {

bool is_content(AnswerEvent::Kind kind) {
  switch (kind) {
    case AnswerEvent::Kind::Text:
    case AnswerEvent::Kind::Refusal:
    case AnswerEvent::Kind::Thinking:
    case AnswerEvent::Kind::Redacted:
    case AnswerEvent::Kind::ToolCall:
    case AnswerEvent::Kind::Arguments:
      return true;
    default:
      return false;
  }
}

}  // namespace

StreamEvent TranslatedStream::take(const sse::Event& event, std::string& scratch) {
  if (done_ || reader_->error() != nullptr) return {};
  events_.clear();
  if (!reader_->take(event, events_)) return {.kind = StreamEvent::Kind::Error};
  return write(scratch);
}

bool TranslatedStream::note(const AnswerEvent& event) {
  using Kind = AnswerEvent::Kind;
  Continuation& answer = *continuation_;
  switch (event.kind) {
    case Kind::Start:
      answer.started = true;
      return !resumes_;
    case Kind::Text:
      answer.text += event.text;
      return true;
    case Kind::Thinking:
    case Kind::Signature:
    case Kind::Redacted:
      return !resumes_;  // it has been thought about
    case Kind::Refusal:
    case Kind::ToolCall:
    case Kind::Arguments:
      answer.only_text = false;
      return true;
    default:
      return true;
  }
}

StreamEvent TranslatedStream::write(std::string& scratch) {
  using Kind = StreamEvent::Kind;
  StreamEvent meaning;
  scratch.clear();
  for (AnswerEvent& event : events_) {
    if (continuation_ == nullptr || note(event)) writer_->write(event, scratch);
    if (event.usage) usage_ = event.usage;
    if (is_content(event.kind)) {
      meaning.content = true;
      output_bytes_ += static_cast<int64_t>(event.text.size());
    }
    if (event.kind == AnswerEvent::Kind::Start) model_ = std::move(event.name);
    if (event.kind == AnswerEvent::Kind::Finish) {
      meaning.kind = Kind::Finish;
      meaning.content = true;  // an empty answer is one
    }
    done_ |= event.kind == AnswerEvent::Kind::End;
  }
  saw_content_ |= meaning.content;
  meaning.bytes = scratch;
  if (done_) {
    meaning.kind = Kind::Done;
  } else if (meaning.kind == Kind::Ignore && !scratch.empty()) {
    meaning.kind = meaning.content ? Kind::Content : Kind::Preamble;
  }
  return meaning;
}

ReplyStream::End TranslatedStream::finish(std::string& scratch) {
  if (done_) return {.complete = true, .bytes = {}};
  events_.clear();
  if (reader_->error() != nullptr || !reader_->finish(events_)) return {};
  write(scratch);
  return {.complete = done_, .bytes = scratch};
}

}  // namespace sluice::chat
