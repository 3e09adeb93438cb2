#include "wire/responses_stream.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "wire/json.h"
#include "wire/responses.h"
#include "wire/responses_facts.h"

namespace sluice::responses {

using chat::StreamEvent;
using json::Reader;
using json::Text;
using json::Type;

// What the members of one event say, whatever its type.
struct StreamReader::Payload {
  Text type;
  openai::Content delta;  // of `delta`, a string
  openai::Content whole;  // of `text`, `refusal`, `arguments`: what the deltas said, once more
  ItemFacts item;
  ItemFacts part;
  std::unique_ptr<ResponseFacts> response;
  chat::ErrorFacts error;
  bool has_error = false;
  int64_t sequence = -1;
};

namespace {

constexpr std::string_view kEventField = "event: ";
constexpr std::string_view kDataField = "data: ";

// What an event is to the gateway; of types not named here, Other.
enum class Sort : uint8_t {
  Other,
  TextDelta,
  MediaDelta,
  Whole,
  ItemAdded,
  ItemDone,
  Ended,
  Failed,
  Error
};
struct Known {
  std::string_view type;
  Sort sort;
};
// The first is by far the most frequent.
constexpr std::array<Known, 26> kKnown{{
    {"response.output_text.delta", Sort::TextDelta},
    {"response.function_call_arguments.delta", Sort::TextDelta},
    {"response.reasoning_summary_text.delta", Sort::TextDelta},
    {"response.reasoning_text.delta", Sort::TextDelta},
    {"response.refusal.delta", Sort::TextDelta},
    {"response.custom_tool_call_input.delta", Sort::TextDelta},
    {"response.mcp_call_arguments.delta", Sort::TextDelta},
    {"response.code_interpreter_call_code.delta", Sort::TextDelta},
    {"response.audio.transcript.delta", Sort::TextDelta},
    {"response.audio.delta", Sort::MediaDelta},
    {"response.output_text.done", Sort::Whole},
    {"response.function_call_arguments.done", Sort::Whole},
    {"response.reasoning_summary_text.done", Sort::Whole},
    {"response.reasoning_summary_part.done", Sort::Whole},
    {"response.reasoning_text.done", Sort::Whole},
    {"response.refusal.done", Sort::Whole},
    {"response.custom_tool_call_input.done", Sort::Whole},
    {"response.mcp_call_arguments.done", Sort::Whole},
    {"response.code_interpreter_call_code.done", Sort::Whole},
    {"response.content_part.done", Sort::Whole},
    {"response.output_item.added", Sort::ItemAdded},
    {"response.output_item.done", Sort::ItemDone},
    {"response.completed", Sort::Ended},
    {"response.incomplete", Sort::Ended},
    {"response.failed", Sort::Failed},
    {"error", Sort::Error},
}};

Sort sort_of(std::string_view type) {
  for (const Known& known : kKnown) {
    if (known.type == type) return known.sort;
  }
  return Sort::Other;
}

// True if the event stands in `raw` as "event: <name>\ndata: <one line>\n\n", or without its first
// line.
bool is_well_framed(const sse::Event& event) {
  if (event.canonical) return true;
  const size_t lead = kEventField.size() + event.name.size() + 1 + kDataField.size();
  return !event.raw.empty() && event.raw.size() == lead + event.data.size() + 2 &&
         event.data.data() == event.raw.data() + lead && event.raw.ends_with("\n\n") &&
         event.raw.starts_with(kEventField) &&
         event.name.data() == event.raw.data() + kEventField.size() &&
         event.raw[lead - kDataField.size() - 1] == '\n';
}

// The event's own bytes, or the same event framed anew.
std::string_view frame(const sse::Event& event, std::string_view type, std::string& scratch) {
  if (is_well_framed(event)) return event.raw;
  scratch = kEventField;
  scratch += event.name.empty() ? type : event.name;
  scratch += '\n';
  scratch += kDataField;
  const size_t start = scratch.size();
  scratch += event.data;
  // Data of several lines has its line ends between tokens, where a space does as well.
  std::replace(scratch.begin() + static_cast<ptrdiff_t>(start), scratch.end(), '\n', ' ');
  scratch += "\n\n";
  return scratch;
}

bool read_sequence(Reader& reader, int64_t* sequence) {
  if (reader.peek() != Type::Number) return reader.skip();
  std::string_view digits;
  if (!reader.number(&digits)) return false;
  const int64_t number = json::to_integer(digits).value_or(-1);
  if (number >= 0 && number < INT32_MAX) *sequence = number;
  return true;
}

// A member that says what went wrong, of an event of type `error`.
bool read_word(Reader& reader, std::string* word) {
  Text text;
  if (reader.peek() != Type::String) return reader.skip();
  if (!reader.string(&text)) return false;
  *word = text.str();
  return true;
}

}  // namespace

StreamEvent StreamReader::fail(Outcome outcome, std::string message) {
  error_ = std::make_unique<chat::StreamError>();
  error_->outcome = outcome;
  error_->message = std::move(message);
  return {.kind = Kind::Error};
}

StreamEvent StreamReader::fail_with(chat::ErrorFacts&& facts) {
  if (facts.message.empty()) facts.message = "the upstream reported an error without a message";
  const Outcome outcome = outcome_of_error(facts.code, facts.type, facts.message);
  const StreamEvent event = fail(outcome, std::move(facts.message));
  error_->type = std::move(facts.type);
  error_->code = std::move(facts.code);
  return event;
}

StreamEvent StreamReader::take(const sse::Event& event, std::string& scratch) {
  if (done_ || error_) return {};
  const size_t first = event.data.find_first_not_of(" \t\n");
  // Some servers say it between answer and end of stream, as in chat; it means nothing here.
  if (first == std::string_view::npos || event.data.substr(first).starts_with("[DONE]")) return {};
  Payload payload;
  Reader reader(event.data);
  const bool utf8 = json::is_utf8(event.data);
  if (!utf8 || !read(event.data, &payload, &reader)) {
    if (event.name == "error") {
      return fail_with(
          {.message = "the upstream sent an unreadable error event", .type = {}, .code = {}});
    }
    const Error error = utf8 ? json::error_of(Outcome::UpstreamBadReply, event.data, reader)
                             : json::utf8_error(Outcome::UpstreamBadReply, event.data);
    return fail(Outcome::UpstreamBadReply,
                fmt::format("the upstream sent a bad event: {}", error.message()));
  }
  return accept(event, payload, scratch);
}

// False if the payload is not a JSON object.
bool StreamReader::read(std::string_view data, Payload* payload, Reader* reader) {
  if (!reader->open_object()) return false;
  Text key;
  while (reader->next_member(&key)) {
    const std::string_view name = key.raw;
    if (name == "type") {
      chat::read_string(*reader, &payload->type);
    } else if (name == "sequence_number") {
      read_sequence(*reader, &payload->sequence);
    } else if (name == "delta") {
      openai::read_text(*reader, &payload->delta);
    } else if (name == "text" || name == "refusal" || name == "arguments" || name == "input") {
      openai::read_text(*reader, &payload->whole);
    } else if (name == "item") {
      read_item(*reader, &payload->item);
    } else if (name == "part") {
      read_item(*reader, &payload->part);
    } else if (name == "response") {
      payload->response = std::make_unique<ResponseFacts>();
      read_response(*reader, payload->response.get());
    } else if (name == "error") {
      openai::read_error(*reader, &payload->error, &payload->has_error);
    } else if (name == "message" && payload->error.message.empty()) {
      read_word(*reader, &payload->error.message);
    } else if (name == "code" && payload->error.code.empty()) {
      read_word(*reader, &payload->error.code);
    } else {
      reader->skip();
    }
  }
  return reader->finish() && data.size() > 0;
}

StreamEvent StreamReader::accept(const sse::Event& event, Payload& payload, std::string& scratch) {
  const std::string unescaped = payload.type.escaped ? payload.type.str() : std::string();
  std::string_view type = payload.type.escaped ? std::string_view(unescaped) : payload.type.raw;
  if (type.empty()) type = event.name;
  if (payload.sequence >= 0) next_sequence_ = payload.sequence + 1;
  if (replays_) {
    return {.kind = Kind::Content, .content = true, .bytes = frame(event, type, scratch)};
  }
  learn(payload);
  const Sort sort = event.name == "error" || payload.has_error ? Sort::Error : sort_of(type);
  bool content = false;
  switch (sort) {
    case Sort::Other:
      break;
    case Sort::TextDelta:
      output_bytes_ += payload.delta.bytes;
      content = payload.delta.any;
      break;
    case Sort::MediaDelta:
      content = payload.delta.any;
      break;
    case Sort::Whole:
      content = payload.whole.any || payload.part.content.any;
      break;
    case Sort::ItemAdded:
    case Sort::ItemDone:
      content = payload.item.visible(sort == Sort::ItemDone);
      break;
    case Sort::Ended:
      return ended(event, payload, scratch);
    case Sort::Failed:
      if (!payload.response) return fail_with({});
      return fail_with(std::move(payload.response->error));
    case Sort::Error:
      return fail_with(std::move(payload.error));
  }
  saw_content_ |= content;
  return {.kind = content ? Kind::Content : Kind::Preamble,
          .content = content,
          .bytes = frame(event, type, scratch)};
}

StreamEvent StreamReader::ended(const sse::Event& event, Payload& payload, std::string& scratch) {
  if (!payload.response) {
    return fail(Outcome::UpstreamBadReply, "the upstream ended its stream without a response");
  }
  if (payload.response->is_failure()) return fail_with(std::move(payload.response->error));
  done_ = true;
  // Whoever sends no deltas sends it all at once.
  output_bytes_ = std::max(output_bytes_, payload.response->output_bytes);
  saw_content_ |= payload.response->visible;
  return {.kind = Kind::Done, .content = true, .bytes = frame(event, payload.type.raw, scratch)};
}

void StreamReader::learn_item(std::string id) {
  const bool known = std::find(item_ids_.begin(), item_ids_.end(), id) != item_ids_.end();
  if (!known && item_ids_.size() < kMaxItemIds) item_ids_.push_back(std::move(id));
}

void StreamReader::learn(Payload& payload) {
  if (!payload.item.id.empty()) learn_item(payload.item.id.str());
  if (!payload.item.encrypted.empty()) learn_item(seal_id(payload.item.encrypted));
  if (!payload.response) return;
  const ResponseFacts& response = *payload.response;
  if (id_.empty()) id_ = response.id.str();
  if (model_.empty()) model_ = response.model.str();
  if (response.usage) usage_ = response.usage;
}

StreamReader::End StreamReader::finish(std::string& scratch) {
  scratch.clear();
  return {.complete = (done_ || replays_) && !error_, .bytes = {}};
}

}  // namespace sluice::responses
