// What the codecs cost per request, reply and stream event. build: -DSLUICE_BENCH=ON, target
// wire_bench.
#include <benchmark/benchmark.h>
#include <simdjson.h>
#include <string>

#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_stream.h"
#include "wire/responses_stream.h"
#include "wire/sse.h"

namespace sluice {
namespace {

std::string request_body(bool stream) {
  std::string body = R"({"model":"gpt-5-mini","messages":[{"role":"system","content":")";
  body += "You are a careful assistant that answers in short sentences.\\nBe kind.";
  body += R"("},{"role":"user","content":")";
  for (int i = 0; i < 12; ++i) body += "Explain \\\"back-pressure\\\" to a new colleague, please. ";
  body += R"("},{"role":"assistant","content":"It is how a slow reader slows the writer."},)";
  body += R"({"role":"user","content":"Thanks. One more example, please, from networking."}],)";
  body += R"("temperature":0.7,"max_tokens":256,"top_p":1,"user":"u-123")";
  if (stream) body += R"(,"stream":true)";
  body += "}";
  return body;
}

std::string reply_body() {
  std::string body =
      R"({"id":"chatcmpl-A1","object":"chat.completion","created":1795420800,)"
      R"("model":"gpt-5-mini-2025-08-07","service_tier":"default","choices":[{"index":0,)"
      R"("message":{"role":"assistant","content":")";
  for (int i = 0; i < 14; ++i) body += "A full glass refuses more water, and so does a socket.\\n";
  body += R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],)"
          R"("usage":{"prompt_tokens":82,"completion_tokens":17,"total_tokens":99,)"
          R"("prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0,"cache_write_tokens":0},)"
          R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,)"
          R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}})";
  return body;
}

std::string event_text(bool usage_null) {
  std::string text =
      R"(data: {"id":"chatcmpl-B2aQx8vY1ZpO4uT7sRkLm","object":"chat.completion.chunk",)"
      R"("created":1795420800,"model":"gpt-5-mini-2025-08-07","service_tier":"default",)"
      R"("system_fingerprint":"fp_0a1b2c3d4e","choices":[{"index":0,"delta":{"content":" water"},)"
      R"("logprobs":null,"finish_reason":null}])";
  if (usage_null) text += R"(,"usage":null)";
  return text + R"(,"obfuscation":"x7Qab"})" + "\n\n";
}

void BM_RequestDecodeEncode(benchmark::State& state) {
  const std::string body = request_body(state.range(0) != 0);
  for (auto _ : state) {
    Result<chat::Request> request = openai::decode_request(chat::Endpoint::Chat, body);
    openai::Pieces pieces =
        openai::encode_request(*request, {.model = "openai/gpt-5-mini", .ask_usage = true});
    benchmark::DoNotOptimize(pieces.size());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(BM_RequestDecodeEncode)->Arg(0)->Arg(1);

// The library's own validation of the same body, for comparison: no field is read.
void BM_SimdjsonDomOfTheSame(benchmark::State& state) {
  const simdjson::padded_string body(request_body(true));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    simdjson::dom::element root;
    benchmark::DoNotOptimize(parser.parse(body).get(root));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(BM_SimdjsonDomOfTheSame);

void BM_ReplyDecode(benchmark::State& state) {
  const std::string body = reply_body();
  for (auto _ : state) {
    Result<chat::Reply> reply = openai::decode_reply(chat::Endpoint::Chat, body);
    benchmark::DoNotOptimize(reply->usage);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(BM_ReplyDecode);

void BM_StreamEvent(benchmark::State& state) {
  const std::string text = event_text(state.range(0) != 0);
  openai::StreamReader reader({.endpoint = chat::Endpoint::Chat, .id = "x", .model = "y"});
  sse::Parser parser;
  std::string scratch;
  size_t bytes = 0;
  for (auto _ : state) {
    sse::Event event;
    parser.feed(text);
    while (parser.next(&event) == sse::Step::Event) {
      bytes += reader.take(event, scratch).bytes.size();
    }
  }
  benchmark::DoNotOptimize(bytes);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_StreamEvent)->Arg(0)->Arg(1);

void BM_ResponsesStreamEvent(benchmark::State& state) {
  const std::string text =
      "event: response.output_text.delta\n"
      R"(data: {"type":"response.output_text.delta","sequence_number":417,)"
      R"("item_id":"msg_0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071","output_index":1,)"
      R"("content_index":0,"delta":" water","logprobs":[],"obfuscation":"x7Qab"})"
      "\n\n";
  responses::StreamReader reader;
  sse::Parser parser;
  std::string scratch;
  size_t bytes = 0;
  for (auto _ : state) {
    sse::Event event;
    parser.feed(text);
    while (parser.next(&event) == sse::Step::Event) {
      bytes += reader.take(event, scratch).bytes.size();
    }
  }
  benchmark::DoNotOptimize(bytes);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_ResponsesStreamEvent);

void BM_SseParseOnly(benchmark::State& state) {
  const std::string text = event_text(true);
  sse::Parser parser;
  size_t bytes = 0;
  for (auto _ : state) {
    sse::Event event;
    parser.feed(text);
    while (parser.next(&event) == sse::Step::Event) bytes += event.data.size();
  }
  benchmark::DoNotOptimize(bytes);
}
BENCHMARK(BM_SseParseOnly);

void BM_ImageBody(benchmark::State& state) {
  std::string body =
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":")";
  body += "data:image/png;base64," + std::string(20u << 20, 'A');
  body += R"("}}]}]})";
  for (auto _ : state) {
    Result<chat::Request> request = openai::decode_request(chat::Endpoint::Chat, body);
    benchmark::DoNotOptimize(request->prompt_bytes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(BM_ImageBody);

}  // namespace
}  // namespace sluice

BENCHMARK_MAIN();
