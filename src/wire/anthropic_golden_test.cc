// Runs every file of tests/golden/anthropic against what stands beside it.
//
//   x.request.json  a client's body       -> x.upstream.json  what an upstream of the dialect gets
//                                            x.middle.txt     the conversation in the middle form
//                                            x.rewritten.txt  ... and written for the dialect again
//   x.bad.json      a body we refuse      -> x.refusal.json   the error the client gets
//   x.reply.json    a buffered reply      -> x.facts.txt      what was read from it
//                                            x.answer.txt     the answer, and written again
//   x.stream.sse    an upstream's stream  -> x.client.sse     what a client of the dialect gets
//                                            x.stream.txt     what was read from it
//                                            x.events.txt     its events in the middle form
//                                            x.written.sse    ... and written for the dialect again
//
// `wire_test --rewrite-golden` writes the right sides anew; review reads the diff.
#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "wire/anthropic.h"
#include "wire/anthropic_answer_stream.h"
#include "wire/anthropic_conversation.h"
#include "wire/anthropic_stream.h"
#include "wire/golden_files.h"
#include "wire/golden_stream.h"
#include "wire/json.h"

namespace sluice {
namespace {

using golden::feed;
using golden::show;
using golden::StreamRun;

constexpr chat::StreamOptions kNames{.endpoint = chat::Endpoint::Messages,
                                     .id = "msg_gateway",
                                     .model = "vendor/model-1",
                                     .prompt_tokens = 33};

chat::Endpoint endpoint_of(const std::string& name) {
  return name.starts_with("count_") ? chat::Endpoint::CountTokens : chat::Endpoint::Messages;
}

std::string upstream_body(const std::string& name, const std::string& body) {
  const Result<chat::Request> request = anthropic::decode_request(endpoint_of(name), body);
  if (!request) return "REFUSED: " + request.error().message();
  return anthropic::encode_request(*request, "vendor/model-1").str();
}

std::string refusal(const std::string& name, const std::string& body) {
  const Result<chat::Request> request = anthropic::decode_request(endpoint_of(name), body);
  return request ? "ACCEPTED" : anthropic::encode_error(request.error(), "req_1") + "\n";
}

std::string reply_facts(const std::string& body) {
  const Result<chat::Reply> reply = anthropic::decode_reply(body);
  if (!reply) return show(reply.error());
  if (reply->is_error) return golden::show_error(*reply);
  return fmt::format("model={} content={} output_bytes={}\nusage: {}\n", reply->model,
                     reply->has_content, reply->output_bytes, show(reply->usage));
}

std::string middle(const std::string& body) {
  const Result<chat::Conversation> conversation = anthropic::read_conversation(body);
  return conversation ? show(*conversation) : conversation.error().message() + "\n";
}

std::string rewritten(const std::string& body) {
  const Result<chat::Conversation> conversation = anthropic::read_conversation(body);
  if (!conversation) return conversation.error().message() + "\n";
  const bool newer = conversation->model == "claude-opus-4-8";
  return show(anthropic::write_request(*conversation, {.model = "vendor/model-1",
                                                       .fixed_sampling = newer,
                                                       .system_in_turn = newer,
                                                       .effort = newer}));
}

std::string answer(const std::string& body) {
  const Result<chat::Answer> answer = anthropic::read_answer(body);
  if (!answer) return std::string(name_of(answer.error().outcome())) + "\n";
  return show(*answer) + anthropic::write_answer(*answer, kNames) + "\n";
}

StreamRun run_stream(const std::string& stream, size_t cut) {
  anthropic::StreamReader reader;
  StreamRun run = golden::pass_through(reader, stream, cut);
  run.facts += fmt::format("\nusage: {}\n{}\n", show(reader.usage()), run.kinds);
  run.facts += golden::show_error(reader);
  return run;
}

struct EventRun {
  std::string events;
  std::string bytes;
};

EventRun run_events(const std::string& stream, size_t cut) {
  EventRun run;
  anthropic::EventReader reader;
  anthropic::EventWriter writer(kNames);
  std::vector<chat::AnswerEvent> events;
  bool good = true;
  feed(stream, cut, [&](const sse::Event& event) {
    if (good) good = reader.take(event, events);
  });
  if (good) good = reader.finish(events);
  for (const chat::AnswerEvent& event : events) {
    run.events += show(event);
    writer.write(event, run.bytes);
  }
  if (!good) {
    run.events +=
        fmt::format("failed: {} {}\n", name_of(reader.error()->outcome), reader.error()->message);
  }
  return run;
}

void for_each_stream(const std::function<void(const std::string&, const std::string&)>& check) {
  golden::for_each(golden::folder(SLUICE_SOURCE_DIR, "anthropic"), ".stream.sse", check);
}

}  // namespace

golden::Files golden::anthropic_files() {
  Files files;
  const std::filesystem::path dir = folder(SLUICE_SOURCE_DIR, "anthropic");
  for_each(dir, ".request.json", [&](const std::string& name, const std::string& text) {
    files[stem_of(name) + ".upstream.json"] = upstream_body(name, text);
    files[stem_of(name) + ".middle.txt"] = middle(text);
    files[stem_of(name) + ".rewritten.txt"] = rewritten(text);
  });
  for_each(dir, ".bad.json", [&](const std::string& name, const std::string& text) {
    files[stem_of(name) + ".refusal.json"] = refusal(name, text);
  });
  for_each(dir, ".reply.json", [&](const std::string& name, const std::string& text) {
    files[stem_of(name) + ".facts.txt"] = reply_facts(text);
    files[stem_of(name) + ".answer.txt"] = answer(text);
  });
  for_each(dir, ".stream.sse", [&](const std::string& name, const std::string& text) {
    const StreamRun run = run_stream(text, text.size());
    files[stem_of(name) + ".client.sse"] = run.bytes;
    files[stem_of(name) + ".stream.txt"] = run.facts;
    const EventRun events = run_events(text, text.size());
    files[stem_of(name) + ".events.txt"] = events.events;
    files[stem_of(name) + ".written.sse"] = events.bytes;
  });
  return files;
}

namespace {

TEST(AnthropicGolden, TR_1_EveryFileComesOutAsItStandsBesideItsInput) {
  const golden::Files files = golden::anthropic_files();
  EXPECT_GE(files.size(), 60u);
  for (const auto& [name, text] : files) {
    EXPECT_EQ(golden::read(golden::folder(SLUICE_SOURCE_DIR, "anthropic") / name), text) << name;
  }
}

TEST(AnthropicGolden, COST_8_EverySplitOfEveryStreamMeansTheSame) {
  for_each_stream([](const std::string&, const std::string& stream) {
    const StreamRun whole = run_stream(stream, stream.size());
    for (size_t cut = 0; cut < stream.size(); ++cut) {
      const StreamRun split = run_stream(stream, cut);
      ASSERT_EQ(split.bytes, whole.bytes) << "cut at " << cut;
      ASSERT_EQ(split.facts, whole.facts) << "cut at " << cut;
    }
  });
}

TEST(AnthropicGolden, EverySplitOfEveryStreamIsTheSameInTheMiddleForm) {
  for_each_stream([](const std::string&, const std::string& stream) {
    const EventRun whole = run_events(stream, stream.size());
    for (size_t cut = 0; cut < stream.size(); ++cut) {
      const EventRun split = run_events(stream, cut);
      ASSERT_EQ(split.events, whole.events) << "cut at " << cut;
      ASSERT_EQ(split.bytes, whole.bytes) << "cut at " << cut;
    }
  });
}

// Reading the events and writing them again must say to a client what the stream itself says: the
// pass-through reader is the judge.
TEST(AnthropicGolden, COST_1_AStreamThroughTheMiddleFormHasTheSameUsageAndContent) {
  for_each_stream([](const std::string& name, const std::string& stream) {
    const std::string written = run_events(stream, stream.size()).bytes;
    const StreamRun direct = run_stream(stream, stream.size());
    if (!direct.facts.starts_with("complete=true") || name.starts_with("future_event")) return;
    // The size of the output may differ: a call without arguments has "{}" in other dialects.
    const auto head = [](const StreamRun& run) {
      const size_t begin = run.facts.find(" model=");
      return run.facts.substr(begin, run.facts.find('\n', run.facts.find("usage:")) - begin);
    };
    EXPECT_EQ(head(run_stream(written, written.size())), head(direct));
  });
}

TEST(AnthropicGolden, SSE_6_EveryEventSentIsNamedAndJson) {
  for_each_stream([](const std::string&, const std::string& stream) {
    const std::string bytes = run_stream(stream, stream.size()).bytes;
    feed(bytes, 0, [](const sse::Event& event) {
      json::Reader reader(event.data);
      EXPECT_TRUE(reader.skip() && reader.finish()) << event.data;
      EXPECT_FALSE(event.name.empty()) << event.data;
    });
  });
}

TEST(AnthropicGolden, SSE_8_StreamsEndWithMessageStopIfCompleteAndNeverWithDone) {
  for_each_stream([](const std::string&, const std::string& stream) {
    const StreamRun run = run_stream(stream, stream.size());
    std::vector<std::string> names;
    feed(run.bytes, 0, [&](const sse::Event& event) { names.emplace_back(event.name); });
    const bool complete = run.facts.starts_with("complete=true");
    EXPECT_EQ(std::count(names.begin(), names.end(), "message_stop"), complete ? 1 : 0);
    if (complete) EXPECT_EQ(names.back(), "message_stop");
    EXPECT_EQ(run.bytes.find("[DONE]"), std::string::npos);
  });
}

}  // namespace
}  // namespace sluice
