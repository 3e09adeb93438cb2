// Runs every file of tests/golden/responses against what stands beside it.
//
//   x.request.json  a client's body      -> x.upstream.json  what an upstream of the dialect gets
//                                           x.request.txt    what was read from it
//                                           x.conversation.txt  the whole, for other dialects
//   x.bad.json      a body we refuse     -> x.refusal.json   the error the client gets
//   x.reply.json    a buffered reply     -> x.facts.txt      what was read from it
//   x.stream.sse    an upstream's stream -> x.client.sse     what the client gets
//                                           x.stream.txt     what was read from it
//   x.script.txt    an answer            -> x.written.sse    as a stream for a client
//                                           x.written.json   as a buffered reply
//
// `wire_test --rewrite-golden` writes the right sides anew; review reads the diff.
#include "tests/support/responses_golden.h"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <gtest/gtest.h>
#include <string>

#include "wire/golden_files.h"
#include "wire/golden_stream.h"
#include "wire/openai.h"
#include "wire/responses.h"
#include "wire/responses_stream.h"

namespace sluice {
namespace {

using golden::StreamRun;

std::filesystem::path golden_dir() {
  return golden::folder(SLUICE_SOURCE_DIR, "responses");
}

std::string show(const std::optional<chat::Usage>& usage) {
  if (!usage) return "none";
  std::string text =
      fmt::format("plain_input={} cache_read={} cache_write={} visible_output={} reasoning={}",
                  usage->plain_input, usage->cache_read, usage->cache_write, usage->visible_output,
                  usage->reasoning);
  if (usage->provider_cost) text += fmt::format(" cost={}", *usage->provider_cost);
  if (usage->upstream_cost) text += fmt::format(" upstream_cost={}", *usage->upstream_cost);
  return text;
}

std::string upstream_body(const std::string& body) {
  const Result<chat::Request> request = responses::decode_request(body);
  if (!request) return "REFUSED: " + request.error().message();
  return responses::encode_request(*request, "vendor/model-1").str();
}

std::string request_facts(const std::string& body) {
  const Result<chat::Request> request = responses::decode_request(body);
  if (!request) return "";
  std::string text = fmt::format(
      "model={} user={} stream={} max_output_tokens={} prompt_bytes={} background={} store={}\n",
      request->model, request->user, request->stream, request->max_output_tokens.value_or(-1),
      request->prompt_bytes, request->background, request->store);
  if (const chat::References* known = request->references.get()) {
    text += fmt::format(
        "previous_response={} conversation={} prompt={} items={} reasoning={} encrypted={} "
        "own_reasoning={}\n",
        known->previous_response, known->conversation, known->prompt, known->items,
        known->reasoning, known->encrypted, known->own_reasoning.size());
  }
  return text;
}

std::string refusal(const std::string& body) {
  const Result<chat::Request> request = responses::decode_request(body);
  return request ? "ACCEPTED" : openai::encode_error(request.error()) + "\n";
}

std::string reply_facts(const std::string& body) {
  const Result<chat::Reply> reply = responses::decode_reply(body);
  if (!reply) return golden::show(reply.error());
  return fmt::format("model={} id={} items={} content={} output_bytes={}\nusage: {}\n",
                     reply->model, reply->response_id, reply->item_ids, reply->has_content,
                     reply->output_bytes, show(reply->usage)) +
         golden::show_error(*reply);
}

// Feeds the stream in two pieces, cut at `cut`.
StreamRun run_stream(std::string_view stream, size_t cut) {
  responses::StreamReader reader;
  StreamRun run = golden::pass_through(reader, stream, cut);
  run.facts += fmt::format(" id={} items={} next_sequence={}\nusage: {}\n", reader.response_id(),
                           reader.item_ids(), reader.next_sequence(), show(reader.usage()));
  run.facts += golden::show_error(reader) + "events: " + run.kinds + "\n";
  return run;
}

void for_each_stream(const std::function<void(const std::string&, const std::string&)>& check) {
  size_t count = 0;
  golden::for_each(golden_dir(), ".stream.sse",
                   [&](const std::string& name, const std::string& stream) {
                     check(name, stream);
                     ++count;
                   });
  EXPECT_GE(count, 12u);
}

}  // namespace

// Every file that has to stand beside the inputs.
golden::Files golden::responses_files() {
  Files files;
  const std::filesystem::path dir = golden_dir();
  for_each(dir, ".request.json", [&](const std::string& name, const std::string& text) {
    files[stem_of(name) + ".upstream.json"] = upstream_body(text);
    files[stem_of(name) + ".request.txt"] = request_facts(text);
    files[stem_of(name) + ".conversation.txt"] = test::show_conversation(text);
  });
  for_each(dir, ".bad.json", [&](const std::string& name, const std::string& text) {
    files[stem_of(name) + ".refusal.json"] = refusal(text);
  });
  for_each(dir, ".reply.json", [&](const std::string& name, const std::string& text) {
    files[stem_of(name) + ".facts.txt"] = reply_facts(text);
  });
  for_each(dir, ".stream.sse", [&](const std::string& name, const std::string& text) {
    const StreamRun run = run_stream(text, text.size());
    files[stem_of(name) + ".client.sse"] = run.bytes;
    files[stem_of(name) + ".stream.txt"] = run.facts;
  });
  for_each(dir, ".script.txt", [&](const std::string& name, const std::string& text) {
    const test::Written written = test::write_script(text);
    files[stem_of(name) + ".written.sse"] = written.events;
    files[stem_of(name) + ".written.json"] = written.response;
  });
  return files;
}

namespace {

TEST(ResponsesGolden, TR_1_COST_8_EveryFileComesOutAsItStandsBesideItsInput) {
  const golden::Files files = golden::responses_files();
  EXPECT_GE(files.size(), 60u);
  for (const auto& [name, text] : files) EXPECT_EQ(golden::read(golden_dir() / name), text) << name;
}

TEST(ResponsesGolden, EverySplitOfEveryStreamMeansTheSame) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    const StreamRun whole = run_stream(stream, stream.size());
    // Of those that differ in what they say, not in how, a few cuts will do.
    const bool framing = name.starts_with("framing_") || name.starts_with("error_") ||
                         name.starts_with("text.") || name.starts_with("data_only.");
    for (size_t cut = 0; cut < stream.size(); cut += framing ? 1 : 37) {
      const StreamRun split = run_stream(stream, cut);
      ASSERT_EQ(split.bytes, whole.bytes) << "cut at " << cut;
      ASSERT_EQ(split.facts, whole.facts) << "cut at " << cut;
    }
  });
}

TEST(ResponsesGolden, TR_1_WellFramedStreamsPassUntouched) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    if (name.starts_with("framing_")) return;
    // What fails is cut off where it fails.
    EXPECT_TRUE(stream.starts_with(run_stream(stream, stream.size()).bytes));
  });
}

}  // namespace
}  // namespace sluice
