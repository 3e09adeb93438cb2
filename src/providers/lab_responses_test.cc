#include "providers/lab_responses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/lab_seal.h"
#include "providers/lab_test_request.h"

namespace sluice::providers {
namespace {

using chat::Endpoint;
using testing::HasSubstr;
using testing::Not;

std::string body(std::string_view members, std::string_view model = "chat") {
  return R"({"model":")" + std::string(model) + R"(",)" + std::string(members) + "}";
}
// "code|param" of the refusal; "accepted" for none.
std::string verdict(std::string_view members, std::string_view model = "chat") {
  const LabTestRequest read(body(members, model), Endpoint::Responses);
  return read.error ? read.error->code + "|" + read.error->param : "accepted";
}
constexpr std::string_view kTools =
    R"("tools":[{"type":"function","name":"get_weather","parameters":{"type":"object","properties":)"
    R"({"city":{"type":"string"}},"required":["city"]},"strict":true}])";

TEST(LabResponsesRequest, AcceptsWhatTheSdksSend) {
  EXPECT_EQ(verdict(R"("input":"hi")"), "accepted");
  EXPECT_EQ(verdict(R"("input":[{"role":"user","content":[{"type":"input_text","text":"hi"},)"
                    R"({"type":"input_image","image_url":"https://example.com/a.png"}]},)"
                    R"({"type":"message","role":"assistant","content":[{"type":"output_text",)"
                    R"("text":"yo","annotations":[]}]},{"role":"user","content":"so?"}],)"
                    R"("instructions":"be kind","store":false,"max_output_tokens":50)"),
            "accepted");
  EXPECT_EQ(verdict(R"("input":"hi","tool_choice":{"type":"function","name":"get_weather"},)" +
                    std::string(kTools)),
            "accepted");
}

TEST(LabResponsesRequest, TellsChatUsersWhereTheirFieldsWent) {
  const LabTestRequest read(body(R"("messages":[{"role":"user","content":"hi"}])"),
                            Endpoint::Responses);
  ASSERT_TRUE(read.error);
  EXPECT_EQ(read.error->message,
            "Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to "
            "'input'. Try again with the new parameter.");
  EXPECT_EQ(verdict(R"("input":"x","response_format":{"type":"text"})"),
            "unsupported_parameter|response_format");
  EXPECT_EQ(verdict(R"("input":"x","max_tokens":5)"), "unsupported_parameter|max_tokens");
  EXPECT_EQ(verdict(R"("input":"x","n":2)"), "unknown_parameter|n");
  EXPECT_EQ(verdict(R"("input":"x","tools":[{"type":"function","function":{"name":"f"}}])"),
            "missing_required_parameter|tools[0].name");
  EXPECT_EQ(verdict(R"("input":[{"role":"user","content":[{"type":"text","text":"x"}]}])"),
            "invalid_value|input[0].content[0].type");
  EXPECT_EQ(verdict(R"("input":[{"role":"tool","content":"x"}])"), "invalid_value|input[0].role");
  EXPECT_EQ(verdict(R"("input":"x","max_output_tokens":1)"),
            "integer_below_min_value|max_output_tokens");
  EXPECT_EQ(verdict(R"("stream":true)"), "missing_required_parameter|input");
}

TEST(LabResponsesRequest, EncryptedReasoningComesBackUnchanged) {
  const auto verdict_of = [](std::string_view id, const std::string& sealed) {
    return verdict(R"("input":[{"type":"reasoning","summary":[],"id":")" + std::string(id) +
                   R"(","encrypted_content":")" + sealed +
                   R"("},{"role":"assistant","content":"x"},{"role":"user","content":"y"}])");
  };
  EXPECT_EQ(verdict_of("rs_1", lab_sealed("rs_1")), "accepted");
  EXPECT_EQ(verdict_of("rs_1", lab_sealed("rs_1") + "A"), "invalid_encrypted_content|");
  EXPECT_EQ(verdict_of("rs_2", lab_sealed("rs_1")), "invalid_encrypted_content|");
  EXPECT_EQ(verdict(R"("input":[{"type":"reasoning","summary":[],"id":"r","encrypted_content":")" +
                    lab_sealed("r") + R"("},{"role":"user","content":"y"}])"),
            "|input");
}

TEST(LabResponsesStream, HasTheEventsInTheirOrderAndNumbersThem) {
  LabTestRequest read(body(R"("input":"hi","stream":true)"), Endpoint::Responses);
  const std::string stream = read.stream();
  EXPECT_EQ(lab_event_names(stream),
            "response.created response.in_progress response.output_item.added "
            "response.content_part.added response.output_text.delta response.output_text.done "
            "response.content_part.done response.output_item.done response.completed");
  int64_t number = 0;
  constexpr std::string_view kNumber = R"("sequence_number":)";
  for (size_t at = stream.find(kNumber); at != std::string::npos;
       at = stream.find(kNumber, at + 1)) {
    EXPECT_EQ(stream.compare(at + kNumber.size(), std::to_string(number).size() + 1,
                             std::to_string(number) + ","),
              0);
    ++number;
  }
  EXPECT_GT(number, 20);
  EXPECT_THAT(stream, Not(HasSubstr("[DONE]")));
}

TEST(LabResponsesStream, EndsWithTheReplyThatIsSentWhole) {
  LabTestRequest read(body(R"("input":"get_weather now","stream":true,)" + std::string(kTools)),
                      Endpoint::Responses);
  const std::string stream = read.stream();
  EXPECT_THAT(stream, HasSubstr(R"("response":)" + read.buffered() + "}"));
  EXPECT_THAT(stream, HasSubstr("event: response.function_call_arguments.done"));
  EXPECT_THAT(stream, HasSubstr(R"("status":"in_progress","call_id":"call_lab)"));
}

TEST(LabResponsesStream, ThinksInAnItemOfItsOwn) {
  LabTestRequest read(body(R"("input":"hi","stream":true,"reasoning":{"summary":"auto"},)"
                           R"("include":["reasoning.encrypted_content"])",
                           "reasoning"),
                      Endpoint::Responses);
  const std::string stream = read.stream();
  EXPECT_THAT(stream, HasSubstr("event: response.reasoning_summary_text.delta"));
  const std::string id = lab_item_id("rs", read.complete().id, 0);
  EXPECT_THAT(stream, HasSubstr(R"("encrypted_content":")" + lab_sealed(id)));
  EXPECT_THAT(stream, HasSubstr(R"("output_tokens_details":{"reasoning_tokens":64})"));
  EXPECT_THAT(stream, HasSubstr(R"("output_index":1,"item":{"id":"msg_lab)"));
}

TEST(LabResponsesStream, EveryBreakHasItsShapeHere) {
  const auto broken = [](std::string_view fault) {
    LabTestRequest read(body(R"("input":"hi","stream":true)"), Endpoint::Responses, fault);
    return read.stream();
  };
  EXPECT_THAT(broken("error-after-2"), HasSubstr("event: response.failed"));
  EXPECT_THAT(broken("rate-limit-after-2"), HasSubstr(R"("code":"rate_limit_exceeded")"));
  EXPECT_THAT(broken("error-event-after-2"),
              HasSubstr("event: error\ndata: {\"type\":\"error\",\"sequence_number\":"));
  EXPECT_THAT(broken("no-finish"), Not(HasSubstr("response.completed")));
  EXPECT_THAT(broken("usage-absent"), Not(HasSubstr("usage")));
}

TEST(LabResponsesReply, SaysWhatIsIncomplete) {
  const LabTestRequest read(body(R"("input":"hi","max_output_tokens":16)"), Endpoint::Responses);
  EXPECT_THAT(read.buffered(), HasSubstr(R"("status":"incomplete","background":false,"error":null,)"
                                         R"("incomplete_details":{"reason":"max_output_tokens"})"));
}

struct Stored : testing::Test {
  // Joins the request to the store, answers and keeps it; gives its id or the refusal's code.
  std::string ask(std::string_view members, std::string_view key = "k") {
    LabTestRequest read(body(members), Endpoint::Responses);
    EXPECT_FALSE(read.error) << read.error->message;
    read.request.credential = key;
    const auto error = responses.join(read.request);
    if (error) return error->code.empty() ? error->message : error->code;
    prompt_tokens = read.request.prompt_tokens;
    if (read.request.store) responses.keep(read.request, read.complete(), made_of(read));
    return read.complete().id;
  }
  std::string get(std::string_view path, std::string_view method = "GET") {
    const size_t mark = std::min(path.find('?'), path.size());
    const std::string_view query = path.substr(std::min(path.size(), mark + 1));
    const LabResponses::Answer answer = responses.answer({.method = method,
                                                          .path = path.substr(0, mark),
                                                          .query = query,
                                                          .credential = "k",
                                                          .now = now});
    if (answer.error) return std::to_string(answer.error->status) + " " + answer.error->message;
    return answer.body;
  }
  // One of the background takes a second.
  static LabResponses::Made made_of(LabTestRequest& read) {
    LabResponses::Made made;
    made.body = read.buffered();
    if (!read.request.background) return made;
    made.running = "running";
    made.cancelled = "cancelled";
    if (read.request.stream) made.events = read.stream();
    made.done_at = kSecond;
    return made;
  }

  LabResponses responses;
  Nanos now = 0;
  int64_t prompt_tokens = 0;
};

TEST_F(Stored, IsThereUntilItIsDeleted) {
  const std::string id = ask(R"("input":"hello")");
  EXPECT_THAT(get("/responses/" + id), HasSubstr(R"({"id":")" + id + R"(","object":"response")"));
  EXPECT_THAT(get("/responses/" + id + "/input_items"), HasSubstr(R"("text":"hello")"));
  EXPECT_THAT(get("/responses/" + id, "DELETE"), HasSubstr(R"("deleted":true)"));
  EXPECT_EQ(get("/responses/" + id), "404 Response with id '" + id + "' not found.");
}

TEST_F(Stored, IsCancelledOnlyWhileItIsMadeInTheBackground) {
  const std::string plain = "/responses/" + ask(R"("input":"plain")");
  EXPECT_EQ(get(plain + "/cancel", "POST"), "400 Cannot cancel a synchronous response.");
  const std::string done = "/responses/" + ask(R"("input":"done","background":true)");
  const std::string stopped = "/responses/" + ask(R"("input":"stop","background":true)");
  EXPECT_EQ(get(done), "running");
  EXPECT_EQ(get(stopped + "/cancel", "POST"), "cancelled");
  now = kSecond;
  EXPECT_THAT(get(done), HasSubstr(R"("status":"completed","background":true)"));
  EXPECT_EQ(get(done + "/cancel", "POST"), "400 Cannot cancel a completed response.");
  EXPECT_EQ(get(stopped), "cancelled");
  EXPECT_EQ(get(stopped + "/cancel", "POST"), "cancelled");
  EXPECT_EQ(verdict(R"("input":"x","background":true,"store":false)"), "|background");
}

TEST_F(Stored, AStreamOfTheBackgroundIsToldAgainFromAnyEventOn) {
  const std::string plain = "/responses/" + ask(R"("input":"plain")");
  EXPECT_THAT(get(plain + "?stream=true"), HasSubstr("400 Only responses that were created with"));
  const std::string path =
      "/responses/" + ask(R"("input":"again","background":true,"stream":true)") + "?stream=true";
  const std::string whole = get(path);
  EXPECT_THAT(whole, HasSubstr("event: response.created"));
  const std::string rest = get(path + "&starting_after=3");
  EXPECT_TRUE(whole.ends_with(rest));
  EXPECT_THAT(rest.substr(0, rest.find('\n', rest.find("data:"))),
              HasSubstr(R"("sequence_number":4)"));
  EXPECT_EQ(get(path + "&starting_after=9999"), "");
  EXPECT_THAT(get(path + "&starting_after=x"), HasSubstr("400 Invalid type"));
}

TEST_F(Stored, ItemsComeInPages) {
  const std::string items =
      "/responses/" +
      ask(R"("input":[{"id":"msg_a","role":"user","content":"a"},)"
          R"({"id":"msg_b","role":"user","content":"b"},{"id":"msg_c","role":"user","content":"c"}])") +
      "/input_items";
  EXPECT_THAT(get(items + "?limit=2"),
              HasSubstr(R"("first_id":"msg_c","last_id":"msg_b","has_more":true)"));
  EXPECT_THAT(get(items + "?limit=2&after=msg_b"),
              HasSubstr(R"("first_id":"msg_a","last_id":"msg_a","has_more":false)"));
  EXPECT_THAT(get(items + "?order=asc&limit=1"), HasSubstr(R"("first_id":"msg_a")"));
  EXPECT_THAT(get(items + "?after=msg_a"), HasSubstr(R"("data":[],"first_id":null)"));
  EXPECT_THAT(get(items + "?after=msg_x"), HasSubstr("400 Item with id 'msg_x' not found"));
  EXPECT_THAT(get(items + "?limit=0"), HasSubstr("400 Invalid 'limit'"));
  EXPECT_THAT(get(items + "?limit=101"), HasSubstr("400 Invalid 'limit'"));
  EXPECT_THAT(get(items + "?order=up"), HasSubstr("400 Invalid value: 'up'"));
}

TEST_F(Stored, OtherMethodsAndPathsAreRefused) {
  const std::string path = "/responses/" + ask(R"("input":"hello")");
  EXPECT_THAT(get(path, "PUT"), HasSubstr("405 Not allowed to PUT"));
  EXPECT_THAT(get(path, "PUT"), HasSubstr("use GET, DELETE."));
  EXPECT_THAT(get(path + "/cancel"), HasSubstr("use POST."));
  EXPECT_THAT(get(path + "/output_items"), HasSubstr("404 Unknown request URL"));
}

TEST_F(Stored, IsNotThereWhenStoreIsFalseOrForAnotherKey) {
  const std::string id = ask(R"("input":"hello","store":false)");
  EXPECT_THAT(get("/responses/" + id), HasSubstr("not found"));
  const std::string mine = ask(R"("input":"hello")", "k");
  EXPECT_EQ(ask(R"("input":"x","previous_response_id":")" + mine + "\"", "other"),
            "previous_response_not_found");
}

TEST_F(Stored, APreviousResponseIsPartOfThePrompt) {
  const std::string id = ask(R"("input":"hello there you")");
  const int64_t before = prompt_tokens;
  ask(R"("input":"and","previous_response_id":")" + id + "\"");
  EXPECT_GT(prompt_tokens, before + 1);
  EXPECT_EQ(ask(R"("input":"x","previous_response_id":"resp_none")"),
            "previous_response_not_found");
}

TEST_F(Stored, CallsAndOutputsBelongTogether) {
  EXPECT_EQ(ask(R"("input":[{"type":"function_call_output","call_id":"c","output":"4"}])"),
            "No tool call found for function call output with call_id c.");
  EXPECT_EQ(ask(R"("input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}])"),
            "No tool output found for function call c.");
  const std::string id = ask(R"("input":"get_weather",)" + std::string(kTools));
  const std::string reply = get("/responses/" + id);
  constexpr std::string_view kCall = R"("call_id":")";
  const size_t at = reply.find(kCall) + kCall.size();
  const std::string call = reply.substr(at, reply.find('"', at) - at);
  EXPECT_EQ(ask(R"("input":"x","previous_response_id":")" + id + "\""),
            "No tool output found for function call " + call + ".");
  EXPECT_THAT(ask(R"("input":[{"type":"function_call_output","output":"4","call_id":")" + call +
                  R"("}],"previous_response_id":")" + id + "\""),
              HasSubstr("resp_lab"));
}

TEST_F(Stored, ItemsThatAreOnlyNamedMustBeStored) {
  EXPECT_THAT(ask(R"("input":[{"type":"item_reference","id":"msg_none"}])"),
              HasSubstr("Item with id 'msg_none' not found"));
  const std::string id = ask(R"("input":"hello")");
  EXPECT_THAT(ask(R"("input":[{"type":"item_reference","id":")" + lab_item_id("msg", id, 0) +
                  R"("},{"role":"user","content":"go on"}])"),
              HasSubstr("resp_lab"));
}

}  // namespace
}  // namespace sluice::providers
