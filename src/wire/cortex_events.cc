// Streams of the native API.
#include <fmt/format.h>
#include <utility>

#include "wire/cortex.h"
#include "wire/cortex_content.h"
#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_usage.h"

namespace sluice::cortex {

using chat::AnswerEvent;
using json::Type;
using Kind = AnswerEvent::Kind;

// One event's payload.
struct EventReader::Chunk {
  std::string id;
  std::string model;
  int64_t created = 0;
  std::vector<ContentItem> items;
  std::string finish;
  std::optional<chat::Usage> usage;
  chat::ErrorFacts error;
  bool has_error = false;
  bool has_choices = false;

  void read(json::Reader& reader);
  void read_choice(json::Reader& reader);
};

void EventReader::Chunk::read(json::Reader& reader) {
  openai::each_member(reader, [&](std::string_view key) {
    if (key == "id") {
      id = openai::take_text(reader);
    } else if (key == "model") {
      model = openai::take_text(reader);
    } else if (key == "created") {
      created = openai::take_integer(reader).value_or(0);
    } else if (key == "usage") {
      usage = read_usage(reader);
    } else if (key == "error") {
      openai::read_error(reader, &error, &has_error);
    } else if (key == "message") {
      error.message = openai::take_text(reader);
    } else if (key == "code" || key == "error_code") {
      error.code = openai::take_text(reader);
    } else if (key == "choices") {
      has_choices = reader.peek() == Type::Array;
      bool first = true;
      openai::each_element(reader, [&] {
        if (first) {
          read_choice(reader);
        } else {
          reader.skip();
        }
        first = false;
      });
    } else {
      reader.skip();
    }
  });
}

void EventReader::Chunk::read_choice(json::Reader& reader) {
  openai::each_member(reader, [&](std::string_view key) {
    if (key == "delta") {
      items = flatten(read_item(reader));
    } else if (key == "finish_reason") {
      finish = openai::take_text(reader);
    } else {
      reader.skip();
    }
  });
}

bool EventReader::fail(Outcome outcome, std::string message) {
  error_.emplace();
  error_->outcome = outcome;
  error_->message = std::move(message);
  return false;
}

bool EventReader::take(const sse::Event& event, std::vector<AnswerEvent>& out) {
  if (error_) return false;
  if (ended_ || event.data.empty()) return true;
  if (event.data == "[DONE]") {
    end(out);
    return true;
  }
  if (!openai::is_json(event.data, Type::Object)) {
    return fail(Outcome::UpstreamBadReply, "the upstream sent an event that is no JSON object");
  }
  Chunk chunk;
  json::Reader reader(event.data);
  chunk.read(reader);
  if (!chunk.has_error && !chunk.has_choices && !chunk.usage) {
    // Words without an answer are an error; nothing at all is some ping.
    if (chunk.error.message.empty() && event.name != "error") return true;
    chunk.has_error = true;
  }
  if (chunk.has_error) {
    std::string message = std::move(chunk.error.message);
    if (message.empty()) message = "the upstream reported an error without a message";
    fail(openai::outcome_of_error(chunk.error.code, chunk.error.type), std::move(message));
    error_->code = std::move(chunk.error.code);
    error_->type = std::move(chunk.error.type);
    return false;
  }
  return accept(std::move(chunk), out);
}

bool EventReader::accept(Chunk&& chunk, std::vector<AnswerEvent>& out) {
  if (!started_) start(chunk, out);
  last_had_usage_ = chunk.usage.has_value();
  if (chunk.usage) usage_ = chunk.usage;
  if (!chunk.finish.empty()) finish_word_ = std::move(chunk.finish);
  for (ContentItem& item : chunk.items) {
    if (!tell(std::move(item), out)) {
      return fail(Outcome::UpstreamBadReply,
                  "the upstream sent a tool call that nobody can put together");
    }
  }
  return true;
}

void EventReader::start(Chunk& chunk, std::vector<AnswerEvent>& out) {
  started_ = true;
  AnswerEvent& event = out.emplace_back();
  event.kind = Kind::Start;
  event.id = chunk.id.empty() ? std::string(options_.id) : std::move(chunk.id);
  event.name = chunk.model.empty() ? std::string(options_.model) : std::move(chunk.model);
  event.created = chunk.created == 0 ? options_.created : chunk.created;
}

bool EventReader::tell(ContentItem&& item, std::vector<AnswerEvent>& out) {
  if (item.is_call()) return tell_call(std::move(item), out);
  if (item.is_thinking()) return order_.text(Kind::Thinking, item.take_thinking(), out);
  return order_.text(Kind::Text, std::move(item.text), out);
}

// A call begins with its id and name; fragments of its input follow, with or without the id.
bool EventReader::tell_call(ContentItem&& item, std::vector<AnswerEvent>& out) {
  const bool begins = item.id.empty() ? !item.name.empty() : item.id != call_id_;
  if (begins) {
    if (item.name.empty()) return false;
    ++calls_;
    call_id_ = item.id.empty() ? fmt::format("call_{}", calls_) : std::move(item.id);
    order_.begin_call(calls_, call_id_, std::move(item.name), /*custom=*/false, out);
    // Where input is a value, an empty one stands for what the fragments will say.
    if (item.input_json && item.input == "{}") return true;
  }
  if (calls_ == 0) return false;
  return order_.arguments(calls_, std::move(item.input), out);
}

bool EventReader::finish(std::vector<AnswerEvent>& out) {
  if (error_) return false;
  if (ended_) return true;
  if (!last_had_usage_ && finish_word_.empty()) return false;
  end(out);
  return true;
}

void EventReader::end(std::vector<AnswerEvent>& out) {
  ended_ = true;
  if (!started_) {
    Chunk nothing;
    start(nothing, out);
  }
  order_.flush(out);
  AnswerEvent& finish = out.emplace_back();
  finish.kind = Kind::Finish;
  finish.finish = finish_of(finish_word_, calls_ > 0, usage_, max_tokens_);
  finish.text = std::move(finish_word_);
  if (usage_) {
    AnswerEvent& usage = out.emplace_back();
    usage.kind = Kind::Usage;
    usage.usage = usage_;
  }
  out.emplace_back().kind = Kind::End;
}

}  // namespace sluice::cortex
