// Whatever is read in one dialect is written as sound JSON in another, and reads as the same again.
// Streams: events keep the order that every dialect can tell, and what is written of them is a
// stream that needs no repair. Vectors: base64 has its exact size.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/cortex.h"
#include "wire/cortex_embed.h"
#include "wire/json.h"
#include "wire/openai_answer.h"
#include "wire/openai_conversation.h"
#include "wire/openai_events.h"
#include "wire/openai_stream.h"
#include "wire/openai_write.h"
#include "wire/openai_write_embeddings.h"
#include "wire/sse.h"

namespace {

namespace chat = sluice::chat;
namespace cortex = sluice::cortex;
namespace openai = sluice::openai;
using Kind = chat::AnswerEvent::Kind;

constexpr chat::StreamOptions kOptions{
    .asked_usage = true, .id = "chatcmpl-x", .model = "m", .created = 1};
constexpr openai::AnswerNames kNames{.id = "chatcmpl-x", .model = "m", .created = 1};

void check(bool holds) {
  if (!holds) std::abort();
}

void check_json(std::string_view text) {
  sluice::json::Reader reader(text);
  check(sluice::json::is_utf8(text) && reader.skip() && reader.finish());
}

// What is written may stand a few levels deeper than it was read.
bool is_deep(std::string_view text) {
  const auto opens = [](char c) { return c == '{' || c == '['; };
  return std::count_if(text.begin(), text.end(), opens) > sluice::json::kMaxDepth - 10;
}

void fuzz_request(std::string_view body) {
  const sluice::Result<chat::Conversation> first = openai::read_conversation(body);
  if (!first || is_deep(body)) return;
  const sluice::Result<chat::Translated> native =
      cortex::write_complete_request(*first, {.model = "claude"});
  if (native) check_json(native->body);
  const chat::TargetTraits traits{.model = "m", .ask_usage = true, .cache_breakpoints = true};
  const sluice::Result<chat::Translated> written = openai::write_request(*first, traits);
  if (!written) return;
  const sluice::Result<chat::Conversation> second = openai::read_conversation(written->body);
  check(second.has_value());
  const sluice::Result<chat::Translated> again = openai::write_request(*second, traits);
  check(again.has_value() && again->body == written->body);
}

void fuzz_answer(const sluice::Result<chat::Answer>& answer) {
  if (!answer) return;
  const std::string written = openai::write_answer(*answer, kNames);
  const sluice::Result<chat::Answer> second = openai::read_answer(written);
  check(second.has_value());
  check(openai::write_answer(*second, kNames) == written);
}

bool is_text(Kind kind) {
  return kind == Kind::Text || kind == Kind::Thinking || kind == Kind::Refusal;
}

void check_order(const std::vector<chat::AnswerEvent>& events, bool complete) {
  for (size_t i = 0; i < events.size(); ++i) {
    const Kind kind = events[i].kind;
    check((kind == Kind::Start) == (i == 0));
    if (i == 0) continue;
    const Kind before = events[i - 1].kind;
    if (kind == Kind::Arguments) check(before == Kind::ToolCall || before == Kind::Arguments);
    if (is_text(kind) || kind == Kind::ToolCall) check(before < Kind::Finish);
    if (kind == Kind::Finish) check(before < Kind::Finish);
    if (kind == Kind::Usage) check(before == Kind::Finish && events[i].usage.has_value());
    if (kind == Kind::End) check(before >= Kind::Finish && before != Kind::End);
  }
  check(complete == (!events.empty() && events.back().kind == Kind::End));
}

// Every rule for chunks is StreamReader's to know: it has nothing to repair and no fault to find.
void check_chunks(const std::string& bytes, bool complete) {
  openai::StreamReader reader(kOptions);
  sluice::sse::Parser parser(64u << 20);
  sluice::sse::Event event;
  std::string scratch;
  std::string sent;
  bool done = false;
  parser.feed(bytes);
  while (parser.next(&event) == sluice::sse::Step::Event) {
    check(!done);
    const chat::StreamEvent out = reader.take(event, scratch);
    done = out.kind == chat::StreamEvent::Kind::Done;
    if (!done) sent += out.bytes;
  }
  check(reader.error() == nullptr && done == complete && bytes.starts_with(sent));
}

void fuzz_stream(chat::AnswerReader& reader, std::string_view stream) {
  std::vector<chat::AnswerEvent> events;
  sluice::sse::Parser parser(4096);
  sluice::sse::Event event;
  bool good = true;
  parser.feed(stream);
  while (good && parser.next(&event) == sluice::sse::Step::Event) {
    good = reader.take(event, events);
    check(good == (reader.error() == nullptr));
  }
  const bool complete = good && reader.finish(events);
  check_order(events, complete);
  openai::EventWriter writer(kOptions);
  std::string bytes;
  for (const chat::AnswerEvent& entry : events) writer.write(entry, bytes);
  check_chunks(bytes, complete);
}

void fuzz_embeddings(std::string_view body) {
  const sluice::Result<openai::EmbeddingsCall> call = openai::read_embeddings(body);
  if (call) check_json(cortex::write_embed_request(call->inputs, call->model));
  const sluice::Result<cortex::EmbedReply> reply = cortex::read_embed_reply(body, 2);
  if (!reply) return;
  const openai::Embeddings embeddings{
      .vectors = reply->vectors, .model = reply->model, .tokens = reply->tokens};
  check_json(openai::write_embeddings(embeddings, false));
  const std::string packed = openai::write_embeddings(embeddings, true);
  check_json(packed);
  size_t numbers = 0;
  for (const std::string_view vector : reply->vectors) {
    numbers += 1 + static_cast<size_t>(std::count(vector.begin(), vector.end(), ','));
  }
  check(packed.size() >= numbers * 16 / 3);
  const std::vector<cortex::EmbedShare> shares = {{1, 7}, {1, static_cast<int64_t>(body.size())}};
  int64_t tokens = 0;
  for (const cortex::EmbedReply& part : cortex::split_embed_reply(*reply, shares)) {
    check(part.vectors.size() == 1 && part.tokens.value_or(0) >= 0);
    tokens += part.tokens.value_or(0);
  }
  check(tokens == reply->tokens.value_or(0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 6) {
    case 0:
      fuzz_request(text);
      break;
    case 1:
      fuzz_answer(openai::read_answer(text));
      break;
    case 2:
      fuzz_answer(cortex::read_answer(text, 100));
      break;
    case 3: {
      openai::EventReader reader(kOptions);
      fuzz_stream(reader, text);
      break;
    }
    case 4: {
      cortex::EventReader reader(kOptions, 100);
      fuzz_stream(reader, text);
      break;
    }
    default:
      fuzz_embeddings(text);
  }
  return 0;
}
