#include "wire/anthropic_stream.h"

#include <string_view>

namespace sluice::anthropic {
namespace {

constexpr std::string_view kEventField = "event: ";
constexpr std::string_view kDataField = "\ndata: ";
constexpr std::string_view kEnd = "\n\n";
constexpr std::string_view kNoInput = "{}";

// True if the raw bytes are exactly "event: NAME\ndata: DATA\n\n" and NAME is the payload's type.
bool is_well_framed(const sse::Event& event, const json::Text& type) {
  const std::string_view raw = event.raw;
  const size_t size =
      kEventField.size() + event.name.size() + kDataField.size() + event.data.size() + kEnd.size();
  return raw.size() == size && !event.name.empty() && event.name == type.raw &&
         raw.starts_with(kEventField) && raw.ends_with(kEnd) &&
         raw.substr(kEventField.size() + event.name.size()).starts_with(kDataField);
}

// A name that would break out of its line is none.
bool is_name(std::string_view name) {
  return !name.empty() && name.find_first_of("\r\n") == std::string_view::npos;
}

std::string_view frame(const sse::Event& event, const json::Text& type, std::string& scratch) {
  scratch.clear();
  const std::string name = type.str();
  if (is_name(name)) {
    scratch += kEventField;
    scratch += name;
    scratch += kDataField;
  } else {
    scratch += kDataField.substr(1);
  }
  // Joined data lines have line ends between tokens, where a space does as well.
  const size_t start = scratch.size();
  scratch += event.data;
  for (size_t i = start; (i = scratch.find('\n', i)) != std::string::npos;) scratch[i] = ' ';
  scratch += kEnd;
  return scratch;
}

}  // namespace

chat::StreamEvent StreamReader::take(const sse::Event& event, std::string& scratch) {
  StreamFacts facts;
  switch (state_.take(event, &facts)) {
    case StreamState::Step::Skip:
      return {};
    case StreamState::Step::Failed:
      return {.kind = Kind::Error, .bytes = {}};
    case StreamState::Step::Event:
      break;
  }
  if (facts.type == EventType::MessageStart) model_ = facts.model.str();
  const bool visible = is_visible(facts);
  if (visible) {
    saw_content_ = true;
    output_bytes_ += static_cast<int64_t>(facts.text.length());
    if (facts.input.size() > kNoInput.size()) {
      output_bytes_ += static_cast<int64_t>(facts.input.size());
    }
  }
  return {.kind = visible ? Kind::Content : kind_of(facts),
          .content = visible,
          .bytes = is_well_framed(event, facts.type_name) ? event.raw
                                                          : frame(event, facts.type_name, scratch)};
}

// True if the caller would see something of it.
bool StreamReader::is_visible(const StreamFacts& facts) const {
  if (facts.type == EventType::BlockStart) {
    // A tool call is content from its name on, and so is a block that comes whole.
    const bool opens_empty = facts.block == BlockType::Text || facts.block == BlockType::Thinking;
    return !opens_empty || !facts.text.empty();
  }
  if (facts.type != EventType::BlockDelta) return false;
  if (facts.delta == DeltaType::Citations) return true;
  return facts.delta != DeltaType::Signature && !facts.text.empty();
}

chat::StreamEvent::Kind StreamReader::kind_of(const StreamFacts& facts) const {
  if (facts.type == EventType::MessageStop) return Kind::Done;
  const bool ends = facts.type == EventType::MessageDelta && !facts.stop_reason.empty();
  return ends ? Kind::Finish : Kind::Preamble;
}

chat::ReplyStream::End StreamReader::finish(std::string&) {
  return {.complete = state_.done(), .bytes = {}};
}

std::string StreamReader::empty_event() const {
  return state_.started() && !state_.done() ? std::string(kPing) : "";
}

}  // namespace sluice::anthropic
