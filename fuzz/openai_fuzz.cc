// Requests: what was accepted and encoded is accepted again, and says the same. Replies: never a
// negative count. Streams: whatever comes in, what goes out is JSON or [DONE], with one head.
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_stream.h"
#include "wire/sse.h"

namespace {

using sluice::chat::Endpoint;
namespace openai = sluice::openai;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_usage(const std::optional<sluice::chat::Usage>& usage) {
  if (!usage) return;
  check(usage->plain_input >= 0 && usage->cache_read >= 0 && usage->cache_write >= 0);
  check(usage->audio_input >= 0 && usage->visible_output >= 0 && usage->reasoning >= 0);
  check(usage->audio_output >= 0 && usage->provider_cost.value_or(1) > 0);
}

void fuzz_request(Endpoint endpoint, std::string_view body) {
  const sluice::Result<sluice::chat::Request> request = openai::decode_request(endpoint, body);
  if (!request) return;
  const openai::Pieces pieces =
      openai::encode_request(*request, {.model = "new \"model\"", .ask_usage = true});
  const std::string encoded = pieces.str();
  check(encoded.size() == pieces.size());
  const sluice::Result<sluice::chat::Request> again = openai::decode_request(endpoint, encoded);
  check(again.has_value());
  check(again->model == "new \"model\"" && again->stream == request->stream);
  check(again->prompt_bytes == request->prompt_bytes && again->user == request->user);
  check(again->asked_usage == (endpoint != Endpoint::Embeddings && request->stream));
}

void check_payloads(std::string_view bytes, bool asked) {
  sluice::sse::Parser parser(64u << 20);
  parser.feed(bytes);
  sluice::sse::Event event;
  bool done = false;
  while (parser.next(&event) == sluice::sse::Step::Event) {
    check(event.canonical && !done);
    done = event.data == "[DONE]";
    if (done) continue;
    check(sluice::json::is_utf8(event.data));
    sluice::json::Reader reader(event.data);
    sluice::json::Text key;
    bool choices = false;
    check(reader.open_object());
    while (reader.next_member(&key)) {
      if (key.raw == "choices") {
        choices = true;
        check(reader.peek() == sluice::json::Type::Array);
      }
      check(asked || key.raw != "usage");
      check(reader.skip());
    }
    check(reader.finish() && choices);
  }
  check(!parser.ended_inside_event());
}

void fuzz_stream(Endpoint endpoint, bool asked, std::string_view stream) {
  openai::StreamReader reader(
      {.endpoint = endpoint, .asked_usage = asked, .id = "chatcmpl-x", .model = "m", .created = 1});
  sluice::sse::Parser parser(4096);
  std::string scratch;
  std::string out;
  parser.feed(stream);
  sluice::sse::Event event;
  while (parser.next(&event) == sluice::sse::Step::Event) out += reader.take(event, scratch).bytes;
  const openai::StreamReader::End end = reader.finish(scratch);
  out += end.bytes;
  check_payloads(out, asked);
  check_usage(reader.usage());
  check(reader.output_bytes() >= 0);
  check(end.complete == out.ends_with("data: [DONE]\n\n"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto endpoint = static_cast<Endpoint>(data[0] % 3);
  switch (data[0] / 3 % 4) {
    case 0:
      fuzz_request(endpoint, text);
      break;
    case 1: {
      const sluice::Result<sluice::chat::Reply> reply = openai::decode_reply(endpoint, text);
      if (reply) check_usage(reply->usage);
      break;
    }
    default:
      fuzz_stream(endpoint == Endpoint::Embeddings ? Endpoint::Chat : endpoint, data[0] / 3 % 2,
                  text);
  }
  return 0;
}
