// Runs every file of tests/golden/translate (the OpenAI dialect) and tests/golden/cortex
// (Snowflake's native API) against what stands beside it.
//
//   x.chat.json    a chat request      -> x.openai.json   the same, written anew for a strict model
//                                         x.cortex.json   written for the native API
//                                         x.dropped.txt   what either had no place for
//   x.reply.json   an upstream's reply -> x.answer.txt    what was read from it
//                                         x.written.json  the answer an OpenAI client gets
//   x.stream.sse   an upstream's stream-> x.events.txt    what was read from it
//                                         x.chunks.sse    the stream an OpenAI client gets
//   x.embed.json   vectors             -> x.floats.json, x.base64.json  what an OpenAI client gets
//
// `wire_test --rewrite-golden` writes the right sides anew; review reads the diff.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "wire/cortex.h"
#include "wire/cortex_embed.h"
#include "wire/golden_files.h"
#include "wire/golden_show.h"
#include "wire/json.h"
#include "wire/openai_answer.h"
#include "wire/openai_conversation.h"
#include "wire/openai_events.h"
#include "wire/openai_events_test_support.h"
#include "wire/openai_stream.h"
#include "wire/openai_write.h"
#include "wire/openai_write_embeddings.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using golden::Files;  // by paths below tests/golden

constexpr int64_t kMaxTokens = 4096;
constexpr chat::StreamOptions kOptions{.asked_usage = true,
                                       .id = "chatcmpl-gateway",
                                       .model = "vendor/model-1",
                                       .created = 1795420801};

fs::path golden_dir() {
  return golden::folder(SLUICE_SOURCE_DIR, "");
}

std::string listed(std::string_view target, const Result<chat::Translated>& out) {
  std::string text(target);
  text += ":";
  if (!out) return text + " refused\n";
  for (const std::string& name : out->dropped) text += "\n  " + name;
  return text + "\n";
}
std::string body_of(const Result<chat::Translated>& out) {
  return (out ? out->body : fmt::format("REFUSED {}", out.error().message())) + "\n";
}

void translate_request(const std::string& stem, const std::string& body, Files* files) {
  const Result<chat::Conversation> conversation = openai::read_conversation(body);
  ASSERT_TRUE(conversation) << stem << conversation.error().message();
  const Result<chat::Translated> same = openai::write_request(
      *conversation, {.model = "gpt-6.1-sol", .ask_usage = true, .fixed_sampling = true});
  const Result<chat::Translated> native = cortex::write_complete_request(
      *conversation, {.model = "claude-sonnet-4-5", .default_max_output = kMaxTokens});
  (*files)[stem + ".openai.json"] = body_of(same);
  (*files)[stem + ".cortex.json"] = body_of(native);
  (*files)[stem + ".dropped.txt"] = listed("openai", same) + listed("cortex", native);
}

void translate_reply(bool native, const std::string& stem, const std::string& body, Files* files) {
  const Result<chat::Answer> answer =
      native ? cortex::read_answer(body, kMaxTokens) : openai::read_answer(body);
  if (!answer) {
    (*files)[stem + ".answer.txt"] = golden::show(answer.error());
    return;
  }
  (*files)[stem + ".answer.txt"] = shown::show(*answer);
  (*files)[stem + ".written.json"] =
      openai::write_answer(
          *answer, {.id = kOptions.id, .model = kOptions.model, .created = kOptions.created}) +
      "\n";
}

shown::EventRun run_stream(bool native, std::string_view stream, size_t cut) {
  std::unique_ptr<chat::AnswerReader> reader;
  if (native) {
    reader = std::make_unique<cortex::EventReader>(kOptions, kMaxTokens);
  } else {
    reader = std::make_unique<openai::EventReader>(kOptions);
  }
  openai::EventWriter writer(kOptions);
  return shown::run_events(stream, cut, *reader, writer);
}

void translate_embeddings(const std::string& stem, const std::string& body, Files* files) {
  const Result<cortex::EmbedReply> reply = cortex::read_embed_reply(body, 2);
  ASSERT_TRUE(reply) << stem << reply.error().message();
  const openai::Embeddings embeddings{
      .vectors = reply->vectors, .model = reply->model, .tokens = reply->tokens};
  (*files)[stem + ".floats.json"] = openai::write_embeddings(embeddings, false) + "\n";
  (*files)[stem + ".base64.json"] = openai::write_embeddings(embeddings, true) + "\n";
}

// Calls `check` with each input of a kind: whether it is of the native API, its stem and content.
void for_each_input(
    const std::string& ending,
    const std::function<void(bool, const std::string&, const std::string&)>& check) {
  for (const char* folder : {"translate", "cortex"}) {
    const auto visit = [&](const std::string& name, const std::string& text) {
      check(folder == std::string_view("cortex"),
            fmt::format("{}/{}", folder, name.substr(0, name.size() - ending.size())), text);
    };
    golden::for_each(golden_dir() / folder, ending, visit);
  }
}

}  // namespace

golden::Files golden::translation_files() {
  Files files;
  for_each_input(".chat.json", [&](bool, const std::string& stem, const std::string& body) {
    translate_request(stem, body, &files);
  });
  for_each_input(".reply.json", [&](bool native, const std::string& stem, const std::string& body) {
    translate_reply(native, stem, body, &files);
  });
  for_each_input(".stream.sse", [&](bool native, const std::string& stem, const std::string& text) {
    const shown::EventRun run = run_stream(native, text, text.size());
    files[stem + ".events.txt"] = run.text;
    files[stem + ".chunks.sse"] = run.bytes;
  });
  for_each_input(".embed.json", [&](bool, const std::string& stem, const std::string& body) {
    translate_embeddings(stem, body, &files);
  });
  return files;
}

namespace {

TEST(TranslateGolden, TR_9_TR_10_EveryFileComesOutAsItStandsBesideItsInput) {
  const Files files = golden::translation_files();
  EXPECT_GE(files.size(), 60u);
  for (const auto& [name, text] : files) EXPECT_EQ(golden::read(golden_dir() / name), text) << name;
}

TEST(TranslateGolden, TR_9_EveryBodyWrittenIsJson) {
  for (const auto& [name, text] : golden::translation_files()) {
    if (!name.ends_with(".json") || text.starts_with("REFUSED")) continue;
    json::Reader reader(text);
    EXPECT_TRUE(json::is_utf8(text) && reader.skip() && reader.finish()) << name << "\n" << text;
  }
}

TEST(TranslateGolden, COST_4_EverySplitOfEveryStreamMeansTheSame) {
  for_each_input(".stream.sse", [](bool native, const std::string& stem, const std::string& text) {
    const shown::EventRun whole = run_stream(native, text, text.size());
    for (size_t cut = 0; cut < text.size(); ++cut) {
      const shown::EventRun split = run_stream(native, text, cut);
      ASSERT_EQ(split.text, whole.text) << stem << " cut at " << cut;
      ASSERT_EQ(split.bytes, whole.bytes) << stem << " cut at " << cut;
    }
  });
}

// What we write is what StreamReader calls an untouched stream: every rule for chunks holds.
TEST(TranslateGolden, SSE_2_SSE_3_SSE_8_TheStreamsWrittenNeedNoRepair) {
  for_each_input(".stream.sse", [](bool native, const std::string& stem, const std::string& text) {
    const shown::EventRun run = run_stream(native, text, text.size());
    openai::StreamReader reader(kOptions);
    sse::Parser parser;
    parser.feed(run.bytes);
    sse::Event event;
    std::string scratch;
    std::string sent;
    while (parser.next(&event) == sse::Step::Event) {
      const chat::StreamEvent out = reader.take(event, scratch);
      if (out.kind == chat::StreamEvent::Kind::Done) break;
      sent += out.bytes;
    }
    const bool complete = run.text.ends_with("\nend\n");
    const std::string done = "data: [DONE]\n\n";
    EXPECT_EQ(run.bytes.ends_with(done), complete) << stem;
    EXPECT_EQ(reader.error(), nullptr) << stem;
    // Usage is held back until the end; everything else went through as it was.
    EXPECT_TRUE(run.bytes.starts_with(sent)) << stem;
    if (!reader.usage()) EXPECT_EQ(run.bytes, sent + (complete ? done : "")) << stem;
  });
}

TEST(TranslateGolden, COST_1_ABufferedAnswerAndItsStreamCountTheSame) {
  size_t pairs = 0;
  for_each_input(".reply.json", [&](bool native, const std::string& stem, const std::string& body) {
    const fs::path twin = golden_dir() / (stem + ".stream.sse");
    if (!fs::exists(twin)) return;
    const Result<chat::Answer> answer =
        native ? cortex::read_answer(body, kMaxTokens) : openai::read_answer(body);
    if (!answer) return;
    const std::string text = golden::read(twin);
    std::optional<chat::Usage> streamed;
    for (const chat::AnswerEvent& event : run_stream(native, text, text.size()).events) {
      if (event.usage) streamed = event.usage;
    }
    EXPECT_EQ(streamed, answer->usage) << stem;
    if (answer->usage) ++pairs;
  });
  EXPECT_GE(pairs, 8u);
}

}  // namespace
}  // namespace sluice
