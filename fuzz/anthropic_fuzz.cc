// Requests: what was accepted and encoded is accepted again, and what the middle form writes is a
// request of the dialect. Replies: never a negative count. Streams: whatever comes in, what goes
// out is named JSON events in an order an SDK can follow, directly and through the middle form.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/anthropic.h"
#include "wire/anthropic_answer_stream.h"
#include "wire/anthropic_conversation.h"
#include "wire/anthropic_stream.h"
#include "wire/json.h"
#include "wire/sse.h"

namespace {

namespace anthropic = sluice::anthropic;
namespace chat = sluice::chat;
namespace sse = sluice::sse;

constexpr size_t kMaxEvent = 4096;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_usage(const std::optional<chat::Usage>& usage) {
  if (!usage) return;
  check(usage->plain_input >= 0 && usage->cache_read >= 0 && usage->cache_write >= 0);
  check(usage->cache_write_1h >= 0 && usage->visible_output >= 0 && usage->reasoning >= 0);
}

void fuzz_request(chat::Endpoint endpoint, std::string_view body) {
  const sluice::Result<chat::Request> request = anthropic::decode_request(endpoint, body);
  if (!request) return;
  const std::string encoded = anthropic::encode_request(*request, "new \"model\"").str();
  const sluice::Result<chat::Request> again = anthropic::decode_request(endpoint, encoded);
  check(again && again->model == "new \"model\"" && again->stream == request->stream);
  check(again->prompt_bytes == request->prompt_bytes && again->user == request->user);
}

void fuzz_conversation(std::string_view body, bool newer) {
  const sluice::Result<chat::Conversation> conversation = anthropic::read_conversation(body);
  if (!conversation) return;
  check(anthropic::estimate_tokens(*conversation) > 0);
  const chat::TargetTraits target{.model = "m",
                                  .fixed_sampling = newer,
                                  .system_in_turn = newer,
                                  .effort = newer,
                                  .output_schema = newer};
  const sluice::Result<chat::Translated> written = anthropic::write_request(*conversation, target);
  if (!written) return;
  // Whoever nests to the limit may find it crossed by the blocks around it.
  const auto depth =
      std::count_if(body.begin(), body.end(), [](char c) { return c == '[' || c == '{'; });
  if (depth >= sluice::json::kMaxDepth / 2) return;
  check(anthropic::read_conversation(written->body).has_value());
}

void fuzz_reply(std::string_view body) {
  const sluice::Result<chat::Reply> reply = anthropic::decode_reply(body);
  if (!reply || reply->is_error) return;
  check_usage(reply->usage);
  const sluice::Result<chat::Answer> answer = anthropic::read_answer(body);
  check(answer.has_value());
  const std::string written = anthropic::write_answer(*answer, {.id = "i", .model = "m"});
  check(anthropic::decode_reply(written).has_value());
}

// The pass-through reader as the judge of an order.
void check_events(std::string_view bytes, bool complete) {
  sse::Parser parser(64u << 20);
  anthropic::StreamReader judge;
  std::string scratch;
  parser.feed(bytes);
  sse::Event event;
  while (parser.next(&event) == sse::Step::Event) {
    sluice::json::Reader reader(event.data);
    check(sluice::json::is_utf8(event.data) && reader.skip() && reader.finish());
    check(judge.take(event, scratch).kind != chat::StreamEvent::Kind::Error);
  }
  check(!parser.ended_inside_event());
  check(judge.finish(scratch).complete == complete);
}

void fuzz_stream(std::string_view stream) {
  anthropic::StreamReader reader;
  sse::Parser parser(kMaxEvent);
  std::string scratch;
  std::string out;
  parser.feed(stream);
  sse::Event event;
  while (parser.next(&event) == sse::Step::Event) out += reader.take(event, scratch).bytes;
  const bool complete = reader.finish(scratch).complete;
  check_usage(reader.usage());
  check(reader.output_bytes() >= 0);
  check_events(out, complete);
}

void fuzz_events(std::string_view stream) {
  anthropic::EventReader reader;
  anthropic::EventWriter writer({.id = "i", .model = "m"});
  sse::Parser parser(kMaxEvent);
  parser.feed(stream);
  sse::Event event;
  std::vector<chat::AnswerEvent> events;
  bool good = true;
  while (good && parser.next(&event) == sse::Step::Event) good = reader.take(event, events);
  good = good && reader.finish(events);
  check(good == (reader.error() == nullptr));
  std::string out;
  for (const chat::AnswerEvent& one : events) writer.write(one, out);
  check_events(out, good);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 7) {
    case 0:
      fuzz_request(chat::Endpoint::Messages, text);
      break;
    case 1:
      fuzz_request(chat::Endpoint::CountTokens, text);
      break;
    case 2:
      fuzz_conversation(text, false);
      break;
    case 3:
      fuzz_conversation(text, true);
      break;
    case 4:
      fuzz_reply(text);
      break;
    case 5:
      fuzz_stream(text);
      break;
    default:
      fuzz_events(text);
  }
  return 0;
}
