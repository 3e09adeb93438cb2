// Runs every file of tests/golden/openai against what stands beside it.
//
//   x.request.json  a client's body       -> x.upstream.json   what the upstream gets
//   x.bad.json      a body we refuse      -> x.refusal.json    the error the client gets
//   x.reply.json    a buffered reply      -> x.facts.txt       what was read from it
//   x.stream.sse    an upstream's stream  -> x.asked.sse       what a client gets that asked for
//   usage
//                                            x.unasked.sse     ... that did not
//                                            x.stream.txt      what was read from it
//
// Names that begin with completions_ or embeddings_ are of those endpoints, all others of chat.
// `wire_test --rewrite-golden` writes the right sides anew; review reads the diff.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "wire/golden_files.h"
#include "wire/golden_stream.h"
#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_events_test_support.h"
#include "wire/openai_stream.h"
#include "wire/sse.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using golden::Files;
using golden::StreamRun;

fs::path golden_dir() {
  return golden::folder(SLUICE_SOURCE_DIR, "openai");
}

chat::Endpoint endpoint_of(std::string_view name) {
  if (name.starts_with("completions_")) return chat::Endpoint::Completions;
  if (name.starts_with("embeddings_")) return chat::Endpoint::Embeddings;
  return chat::Endpoint::Chat;
}

std::string show(const std::optional<chat::Usage>& usage) {
  if (!usage) return "none";
  const std::optional<double>& cost = usage->provider_cost;
  return shown::show(*usage) + (cost ? fmt::format(" cost={}", *cost) : "");
}

std::string upstream_body(std::string_view name, const std::string& body) {
  const Result<chat::Request> request = openai::decode_request(endpoint_of(name), body);
  if (!request) return "REFUSED: " + request.error().message();
  return openai::encode_request(*request, {.model = "vendor/model-1", .ask_usage = true}).str();
}

std::string refusal(std::string_view name, const std::string& body) {
  const Result<chat::Request> request = openai::decode_request(endpoint_of(name), body);
  return request ? "ACCEPTED" : openai::encode_error(request.error()) + "\n";
}

std::string reply_facts(std::string_view name, const std::string& body) {
  const Result<chat::Reply> reply = openai::decode_reply(endpoint_of(name), body);
  if (!reply) return golden::show(reply.error());
  return fmt::format("model={} content={} output_bytes={}\nusage: {}\n", reply->model,
                     reply->has_content, reply->output_bytes, show(reply->usage)) +
         golden::show_error(*reply);
}

// Feeds the stream in two pieces, cut at `cut`. The facts are without the kinds of events.
StreamRun run_stream(std::string_view name, std::string_view stream, bool asked, size_t cut) {
  openai::StreamReader reader({.endpoint = endpoint_of(name),
                               .asked_usage = asked,
                               .id = "chatcmpl-gateway",
                               .model = "vendor/model-1",
                               .created = 1795420801});
  StreamRun run = golden::pass_through(reader, stream, cut);
  run.facts += fmt::format(" inside_event={}\nusage: {}\n", run.inside_event, show(reader.usage()));
  run.facts += golden::show_error(reader);
  return run;
}

// Every file that has to stand beside the inputs.
Files expected_files() {
  Files files;
  const fs::path dir = golden_dir();
  golden::for_each(dir, ".request.json", [&](const std::string& name, const std::string& text) {
    files[golden::stem_of(name) + ".upstream.json"] = upstream_body(name, text);
  });
  golden::for_each(dir, ".bad.json", [&](const std::string& name, const std::string& text) {
    files[golden::stem_of(name) + ".refusal.json"] = refusal(name, text);
  });
  golden::for_each(dir, ".reply.json", [&](const std::string& name, const std::string& text) {
    files[golden::stem_of(name) + ".facts.txt"] = reply_facts(name, text);
  });
  golden::for_each(dir, ".stream.sse", [&](const std::string& name, const std::string& text) {
    const std::string stem = golden::stem_of(name);
    const StreamRun asked = run_stream(name, text, true, text.size());
    const StreamRun unasked = run_stream(name, text, false, text.size());
    files[stem + ".asked.sse"] = asked.bytes;
    files[stem + ".unasked.sse"] = unasked.bytes;
    files[stem + ".stream.txt"] =
        asked.facts + "asked: " + asked.kinds + "\nunasked: " + unasked.kinds + "\n";
  });
  return files;
}

void for_each_stream(const std::function<void(const std::string&, const std::string&)>& check) {
  size_t count = 0;
  golden::for_each(golden_dir(), ".stream.sse",
                   [&](const std::string& name, const std::string& stream) {
                     check(name, stream);
                     ++count;
                   });
  EXPECT_GE(count, 25u);
}

std::vector<std::string> payloads_of(const std::string& bytes) {
  std::vector<std::string> payloads;
  sse::Parser parser;
  parser.feed(bytes);
  sse::Event event;
  while (parser.next(&event) == sse::Step::Event) {
    EXPECT_TRUE(event.canonical) << event.raw;
    payloads.emplace_back(event.data);
  }
  return payloads;
}

TEST(Golden, TR_1_FB_10_SSE_2_EveryFileComesOutAsItStandsBesideItsInput) {
  const Files files = expected_files();
  EXPECT_GE(files.size(), 100u);
  for (const auto& [name, text] : files) EXPECT_EQ(golden::read(golden_dir() / name), text) << name;
}

TEST(Golden, COST_4_EverySplitOfEveryStreamMeansTheSame) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    for (const bool asked : {false, true}) {
      const StreamRun whole = run_stream(name, stream, asked, stream.size());
      for (size_t cut = 0; cut < stream.size(); ++cut) {
        const StreamRun split = run_stream(name, stream, asked, cut);
        ASSERT_EQ(split.bytes, whole.bytes) << "cut at " << cut;
        ASSERT_EQ(split.facts, whole.facts) << "cut at " << cut;
      }
    }
  });
}

TEST(Golden, SSE_1_EveryPayloadSentIsJsonOrDone) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    for (const std::string& payload :
         payloads_of(run_stream(name, stream, true, stream.size()).bytes)) {
      if (payload == "[DONE]") continue;
      json::Reader reader(payload);
      EXPECT_TRUE(reader.skip() && reader.finish()) << payload;
    }
  });
}

TEST(Golden, SSE_8_CompleteStreamsEndWithOneDoneAndOthersHaveNone) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    const StreamRun run = run_stream(name, stream, true, stream.size());
    const std::vector<std::string> payloads = payloads_of(run.bytes);
    const bool complete = run.facts.starts_with("complete=true");
    EXPECT_EQ(std::count(payloads.begin(), payloads.end(), "[DONE]"), complete ? 1 : 0);
    if (complete) EXPECT_EQ(payloads.back(), "[DONE]");
  });
}

TEST(Golden, COST_2_AClientThatDidNotAskNeverSeesTheWordUsage) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    const std::string bytes = run_stream(name, stream, false, stream.size()).bytes;
    EXPECT_EQ(bytes.find("\"usage\""), std::string::npos) << bytes;
  });
}

TEST(Golden, COST_3_AClientThatAskedSeesUsageOnceBeforeDone) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    const StreamRun run = run_stream(name, stream, true, stream.size());
    std::vector<size_t> places;
    const std::vector<std::string> payloads = payloads_of(run.bytes);
    for (size_t i = 0; i < payloads.size(); ++i) {
      if (payloads[i].find("\"usage\":{") != std::string::npos) places.push_back(i);
    }
    const bool reported = run.facts.find("usage: none") == std::string::npos;
    const bool complete = run.facts.starts_with("complete=true");
    ASSERT_EQ(places.size(), reported && complete ? 1u : 0u);
    if (places.empty()) return;
    EXPECT_EQ(places[0] + 2, payloads.size());
    EXPECT_NE(payloads[places[0]].find("\"choices\":[]"), std::string::npos);
  });
}

// SSE-3 and SSE-4: what strict clients look at in every chunk.
TEST(Golden, SSE_3_SSE_4_EveryChunkHasTheSameHeadAndAnArrayOfChoices) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    std::set<std::string> heads;
    for (const std::string& payload :
         payloads_of(run_stream(name, stream, true, stream.size()).bytes)) {
      if (payload == "[DONE]") continue;
      std::map<std::string, std::string> head;
      json::Reader reader(payload);
      json::Text key;
      ASSERT_TRUE(reader.open_object());
      while (reader.next_member(&key)) {
        reader.peek();
        const char* start = reader.pointer();
        ASSERT_TRUE(reader.skip());
        head[key.str()] = reader.since(start);
      }
      heads.insert(head["id"] + head["object"] + head["created"] + head["model"]);
      EXPECT_TRUE(head["id"].size() > 2 && head["model"].size() > 2 && !head["created"].empty());
      EXPECT_TRUE(head["choices"].starts_with("[")) << payload;
    }
    EXPECT_LE(heads.size(), 1u);
  });
}

}  // namespace

// Writes what the tests named EveryFile... expect.
static int rewrite_golden() {
  golden::write(golden_dir(), expected_files());
  golden::write(golden::folder(SLUICE_SOURCE_DIR, "responses"), golden::responses_files());
  golden::write(golden::folder(SLUICE_SOURCE_DIR, "anthropic"), golden::anthropic_files());
  golden::write(golden::folder(SLUICE_SOURCE_DIR, "anthropic"), golden::anthropic_write_files());
  golden::write(golden::folder(SLUICE_SOURCE_DIR, ""), golden::translation_files());
  return 0;
}

}  // namespace sluice

// Of the whole room's tests: GoogleTest's own main knows no arguments but its own.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc == 2 && std::string_view(argv[1]) == "--rewrite-golden") return sluice::rewrite_golden();
  return RUN_ALL_TESTS();
}
