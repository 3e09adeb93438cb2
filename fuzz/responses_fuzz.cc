// Requests: what was accepted and encoded is accepted again, and says the same; a conversation read
// from it names what it leaves out. Replies: never a negative count. Streams: whatever comes in,
// what goes out is whole events of JSON. Answers: what the writer says, the readers understand.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"
#include "wire/responses.h"
#include "wire/responses_stream.h"
#include "wire/responses_writer.h"
#include "wire/sse.h"

namespace {

using sluice::chat::AnswerEvent;
namespace chat = sluice::chat;
namespace responses = sluice::responses;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_object(std::string_view text) {
  check(sluice::json::is_utf8(text));
  sluice::json::Reader reader(text);
  check(reader.peek() == sluice::json::Type::Object && reader.skip() && reader.finish());
}

void check_usage(const std::optional<chat::Usage>& usage) {
  if (!usage) return;
  check(usage->plain_input >= 0 && usage->cache_read >= 0 && usage->cache_write >= 0);
  check(usage->visible_output >= 0 && usage->reasoning >= 0);
  check(usage->provider_cost.value_or(1) > 0);
}

void fuzz_request(std::string_view body) {
  const sluice::Result<chat::Request> request = responses::decode_request(body);
  if (!request) return;
  const std::string encoded = responses::encode_request(*request, "new \"model\"").str();
  const sluice::Result<chat::Request> again = responses::decode_request(encoded);
  check(again.has_value());
  check(again->model == "new \"model\"" && again->stream == request->stream);
  check(again->prompt_bytes == request->prompt_bytes && again->user == request->user);
  check((again->references == nullptr) == (request->references == nullptr));
  check_object("{" + responses::read_echo(body) + "}");
  const sluice::Result<chat::Conversation> conversation = responses::read_conversation(body);
  if (conversation) check(conversation->model == request->model);
}

// Gives what every event says; all must be objects.
size_t check_events(std::string_view bytes) {
  sluice::sse::Parser parser(64u << 20);
  parser.feed(bytes);
  sluice::sse::Event event;
  size_t count = 0;
  while (parser.next(&event) == sluice::sse::Step::Event) {
    check_object(event.data);
    ++count;
  }
  check(!parser.ended_inside_event());
  return count;
}

void fuzz_stream(std::string_view stream) {
  responses::StreamReader reader;
  sluice::sse::Parser parser(4096);
  std::string scratch;
  std::string out;
  parser.feed(stream);
  sluice::sse::Event event;
  bool done = false;
  while (parser.next(&event) == sluice::sse::Step::Event) {
    const chat::StreamEvent meaning = reader.take(event, scratch);
    check(!done || meaning.bytes.empty());
    done |= meaning.kind == chat::StreamEvent::Kind::Done;
    out += meaning.bytes;
  }
  check(reader.finish(scratch).complete == done);
  check(!(done && reader.error() != nullptr));
  check_events(out);
  check_usage(reader.usage());
  check(reader.output_bytes() >= 0 && reader.next_sequence() >= 0);
}

// Each line is an event: its first byte says which, the rest is the text of it.
void fuzz_writer(std::string_view script) {
  responses::EventWriter writer({.id = "g", .model = "m", .created = 1, .echo = "\"tools\":[]"});
  std::string out;
  writer.write({.kind = AnswerEvent::Kind::Start}, out);
  while (!script.empty()) {
    const size_t end = std::min(script.find('\n'), script.size());
    const std::string_view line = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    if (line.empty()) continue;
    AnswerEvent event;
    const int kind = 1 + static_cast<unsigned char>(line[0]) % 7;
    event.kind = static_cast<AnswerEvent::Kind>(kind);
    event.text = line.substr(1);
    event.name = line.substr(1);
    event.custom = line.size() % 2 == 0;
    writer.write(event, out);
  }
  writer.write({.kind = AnswerEvent::Kind::Finish, .finish = chat::Finish::Stop}, out);
  writer.write({.kind = AnswerEvent::Kind::End}, out);
  check(check_events(out) == static_cast<size_t>(writer.next_sequence()));
  responses::StreamReader reader;
  sluice::sse::Parser parser(64u << 20);
  std::string scratch;
  std::string through;
  parser.feed(out);
  sluice::sse::Event event;
  while (parser.next(&event) == sluice::sse::Step::Event) {
    through += reader.take(event, scratch).bytes;
  }
  check(through == out && reader.finish(scratch).complete);
  check(reader.next_sequence() == writer.next_sequence());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0:
      fuzz_request(text);
      break;
    case 1: {
      const sluice::Result<chat::Reply> reply = responses::decode_reply(text);
      if (reply) check_usage(reply->usage);
      break;
    }
    case 2:
      fuzz_stream(text);
      break;
    default:
      fuzz_writer(text);
  }
  return 0;
}
