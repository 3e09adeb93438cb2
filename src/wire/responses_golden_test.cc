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
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>

#include "wire/openai.h"
#include "wire/responses.h"
#include "wire/responses_stream.h"
#include "wire/sse.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;  // name -> content

fs::path golden_dir() {
  return fs::path(SLUICE_SOURCE_DIR) / "tests/golden/responses";
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
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
  if (!reply) {
    return fmt::format("{}: {}\n", name_of(reply.error().outcome()), reply.error().message());
  }
  std::string text = fmt::format("model={} id={} items={} content={} output_bytes={}\nusage: {}\n",
                                 reply->model, reply->response_id, reply->item_ids,
                                 reply->has_content, reply->output_bytes, show(reply->usage));
  if (reply->is_error) {
    text += fmt::format("error: {} \"{}\" code=\"{}\" type=\"{}\"\n", name_of(reply->error_outcome),
                        reply->error_message, reply->error_code, reply->error_type);
  }
  return text;
}

struct StreamRun {
  std::string bytes;
  std::string facts;
};

// Feeds the stream in two pieces, cut at `cut`.
StreamRun run_stream(std::string_view stream, size_t cut) {
  StreamRun run;
  responses::StreamReader reader;
  sse::Parser parser;
  std::string scratch;
  std::string kinds;
  for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
    // A copy of its own, so that a view kept for too long is seen by the sanitizer.
    const std::string copy(piece);
    parser.feed(copy);
    sse::Event event;
    while (parser.next(&event) == sse::Step::Event) {
      const chat::StreamEvent out = reader.take(event, scratch);
      run.bytes += out.bytes;
      kinds += fmt::format("{}{} ", "PCFUDEI"[static_cast<int>(out.kind)], out.content ? "+" : "");
    }
  }
  const responses::StreamReader::End end = reader.finish(scratch);
  run.bytes += end.bytes;
  run.facts = fmt::format(
      "complete={} content={} output_bytes={} model={} id={} items={} next_sequence={}\n"
      "usage: {}\n",
      end.complete, reader.saw_content(), reader.output_bytes(), reader.model(),
      reader.response_id(), reader.item_ids(), reader.next_sequence(), show(reader.usage()));
  if (const chat::StreamError* error = reader.error()) {
    run.facts += fmt::format("error: {} \"{}\" code=\"{}\" type=\"{}\"\n", name_of(error->outcome),
                             error->message, error->code, error->type);
  }
  run.facts += "events: " + kinds + "\n";
  return run;
}

// Every file that has to stand beside the inputs.
Files expected_files() {
  Files files;
  for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir())) {
    const std::string name = entry.path().filename();
    const std::string stem = name.substr(0, name.find('.'));
    const std::string text = read(entry.path());
    if (name.ends_with(".request.json")) {
      files[stem + ".upstream.json"] = upstream_body(text);
      files[stem + ".request.txt"] = request_facts(text);
      files[stem + ".conversation.txt"] = test::show_conversation(text);
    }
    if (name.ends_with(".bad.json")) files[stem + ".refusal.json"] = refusal(text);
    if (name.ends_with(".reply.json")) files[stem + ".facts.txt"] = reply_facts(text);
    if (name.ends_with(".stream.sse")) {
      const StreamRun run = run_stream(text, text.size());
      files[stem + ".client.sse"] = run.bytes;
      files[stem + ".stream.txt"] = run.facts;
    }
    if (name.ends_with(".script.txt")) {
      const test::Written written = test::write_script(text);
      files[stem + ".written.sse"] = written.events;
      files[stem + ".written.json"] = written.response;
    }
  }
  return files;
}

void for_each_stream(const std::function<void(const std::string&, const std::string&)>& check) {
  size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir())) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".stream.sse")) continue;
    SCOPED_TRACE(name);
    check(name, read(entry.path()));
    ++count;
  }
  EXPECT_GE(count, 12u);
}

TEST(ResponsesGolden, TR_1_COST_8_EveryFileComesOutAsItStandsBesideItsInput) {
  const Files files = expected_files();
  EXPECT_GE(files.size(), 60u);
  for (const auto& [name, text] : files) EXPECT_EQ(read(golden_dir() / name), text) << name;
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

// Writes what EveryFile... expects.
void rewrite_responses_golden() {
  for (const auto& [name, text] : expected_files()) {
    std::ofstream(golden_dir() / name, std::ios::binary) << text;
  }
}

}  // namespace sluice
