#include "wire/openai_events.h"

#include <utility>

#include "wire/json.h"
#include "wire/openai_answer.h"
#include "wire/openai_conversation_json.h"

namespace sluice::openai {

using chat::AnswerEvent;
using json::Type;
using Kind = AnswerEvent::Kind;

namespace {

constexpr std::string_view kData = "data: ";
// The key of the one call a deprecated `function_call` makes.
constexpr int64_t kFunctionCall = -1;

StreamOptions without_usage(StreamOptions options) {
  options.endpoint = chat::Endpoint::Chat;
  options.asked_usage = false;
  return options;
}

struct CallDelta {
  int64_t index = kFunctionCall;
  std::string id;
  std::string name;
  std::string arguments;
  bool custom = false;
};

void read_function_delta(json::Reader& reader, CallDelta* call) {
  each_member(reader, [&](std::string_view key) {
    if (key == "name") {
      call->name = take_text(reader);
    } else if (key == "arguments" || key == "input") {
      call->arguments = take_text(reader);
    } else {
      reader.skip();
    }
  });
}

CallDelta read_call_delta(json::Reader& reader) {
  CallDelta call;
  each_member(reader, [&](std::string_view key) {
    if (key == "index") {
      call.index = take_integer(reader).value_or(0);
    } else if (key == "id") {
      call.id = take_text(reader);
    } else if (key == "function" || key == "custom") {
      call.custom = key == "custom";
      read_function_delta(reader, &call);
    } else {
      reader.skip();
    }
  });
  return call;
}

}  // namespace

// What one chunk adds to the first choice.
struct EventReader::Delta {
  int64_t index = 0;
  std::string content;
  std::string refusal;
  std::string reasoning_content;
  std::string reasoning;
  std::vector<CallDelta> calls;
  std::string finish;

  void read(json::Reader& reader) {
    each_member(reader, [&](std::string_view key) {
      if (key == "content") {
        content = take_text(reader);
      } else if (key == "refusal") {
        refusal = take_text(reader);
      } else if (key == "reasoning_content") {
        reasoning_content = take_text(reader);
      } else if (key == "reasoning") {
        reasoning = take_text(reader);
      } else if (key == "tool_calls") {
        each_element(reader, [&] { calls.push_back(read_call_delta(reader)); });
      } else if (key == "function_call" && reader.peek() == Type::Object) {
        CallDelta& call = calls.emplace_back();
        call.id = "call_0";
        read_function_delta(reader, &call);
      } else {
        reader.skip();
      }
    });
  }
};

EventReader::EventReader(const StreamOptions& options)
    : options_(without_usage(options)), reader_(options_) {}

bool EventReader::take(const sse::Event& event, std::vector<AnswerEvent>& out) {
  if (ended_) return true;
  if (error() != nullptr) return false;
  const StreamEvent result = reader_.take(event, scratch_);
  switch (result.kind) {
    case StreamEvent::Kind::Error:
      return false;
    case StreamEvent::Kind::Done:
      end(out);
      return true;
    case StreamEvent::Kind::Usage:
    case StreamEvent::Kind::Ignore:
      return true;
    default:
      break;
  }
  std::string_view payload = result.bytes;
  payload.remove_prefix(kData.size());
  read_chunk(payload.substr(0, payload.size() - 2), out);
  return !own_error_;
}

bool EventReader::finish(std::vector<AnswerEvent>& out) {
  if (ended_) return true;
  if (own_error_ || !reader_.finish(scratch_).complete) return false;
  end(out);
  return true;
}

void EventReader::read_chunk(std::string_view payload, std::vector<AnswerEvent>& out) {
  if (!started_) start(json::Reader(payload), out);
  json::Reader reader(payload);
  each_member(reader, [&](std::string_view key) {
    if (key != "choices") {
      reader.skip();
      return;
    }
    each_element(reader, [&] {
      Delta delta;
      read_choice(reader, &delta);
      if (delta.index == 0 && !own_error_) tell(std::move(delta), out);
    });
  });
}

void EventReader::read_choice(json::Reader& reader, Delta* delta) {
  each_member(reader, [&](std::string_view key) {
    if (key == "index") {
      delta->index = take_integer(reader).value_or(0);
    } else if (key == "delta") {
      delta->read(reader);
    } else if (key == "finish_reason") {
      delta->finish = take_text(reader);
    } else {
      reader.skip();
    }
  });
}

void EventReader::start(json::Reader reader, std::vector<AnswerEvent>& out) {
  started_ = true;
  AnswerEvent event;
  event.kind = Kind::Start;
  each_member(reader, [&](std::string_view key) {
    if (key == "id") {
      event.id = take_text(reader);
    } else if (key == "created") {
      event.created = take_integer(reader).value_or(0);
    } else if (key == "model") {
      event.name = take_text(reader);
    } else {
      reader.skip();
    }
  });
  out.push_back(std::move(event));
}

void EventReader::tell(Delta&& delta, std::vector<AnswerEvent>& out) {
  std::string& reasoning =
      delta.reasoning_content.empty() ? delta.reasoning : delta.reasoning_content;
  bool told = order_.text(Kind::Thinking, std::move(reasoning), out) &&
              order_.text(Kind::Text, std::move(delta.content), out) &&
              order_.text(Kind::Refusal, std::move(delta.refusal), out);
  for (CallDelta& call : delta.calls) {
    if (!told) break;
    if (!order_.has_call(call.index)) {
      order_.begin_call(call.index, std::move(call.id), std::move(call.name), call.custom, out);
    }
    told = order_.arguments(call.index, std::move(call.arguments), out);
  }
  if (finish_word_.empty()) finish_word_ = std::move(delta.finish);
  if (told) return;
  own_error_.emplace();
  own_error_->outcome = Outcome::UpstreamBadReply;
  own_error_->message = "the upstream mixed its tool calls so that nobody can tell them apart";
}

void EventReader::end(std::vector<AnswerEvent>& out) {
  ended_ = true;
  if (!started_) {
    AnswerEvent& event = out.emplace_back();
    event.kind = Kind::Start;
    event.id = options_.id;
    event.name = options_.model;
    event.created = options_.created;
  }
  order_.flush(out);
  AnswerEvent& finish = out.emplace_back();
  finish.kind = Kind::Finish;
  finish.finish = finish_named(finish_word_);
  finish.text = std::move(finish_word_);
  if (reader_.usage()) {
    AnswerEvent& event = out.emplace_back();
    event.kind = Kind::Usage;
    event.usage = reader_.usage();
  }
  out.emplace_back().kind = Kind::End;
}

}  // namespace sluice::openai
