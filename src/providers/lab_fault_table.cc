// The table of faults. Order: the order of docs/lab.md. A name must match one row only.
#include "providers/lab_faults.h"

namespace sluice::providers {
namespace {

using Numbers = std::array<int64_t, 2>;
using Plan = LabPlan;

constexpr std::string_view kPage =
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center><hr><center>lab</center></body></html>\n";

void fail_with(Plan& plan, LabError error) {
  plan.opening = Plan::Opening::Error;
  plan.error = std::move(error);
}
void fail_with_status(Plan& plan, int64_t status) {
  fail_with(plan, lab_error_of_status(static_cast<int>(status)));
}
void refuse(Plan& plan, std::string code, std::string param, std::string message) {
  fail_with(plan,
            {.code = std::move(code), .param = std::move(param), .message = std::move(message)});
}
void retry(Plan& plan, int64_t status, Plan::RetryAfter form, int64_t value) {
  fail_with_status(plan, status);
  plan.retry_after = form;
  plan.retry_value = value;
}
void answer(Plan& plan, int status, std::string_view type, std::string_view body) {
  plan.opening = Plan::Opening::Body;
  plan.status = status;
  plan.content_type = type;
  plan.literal = body;
}
void say(Plan& plan, std::string_view bytes) {
  plan.opening = Plan::Opening::Literal;
  plan.literal = bytes;
}
void break_after(Plan& plan, Plan::Break how, int64_t tokens) {
  plan.broken = how;
  plan.break_after = tokens;
}

constexpr std::string_view kKnobs = "Shape of a good reply";
constexpr std::string_view kBefore = "Before any content";
constexpr std::string_view kStream = "In the middle of a stream";
constexpr std::string_view kEnd = "At the end of a stream";
constexpr std::string_view kFraming = "Framing of events";
constexpr std::string_view kUsage = "Usage and cost";
constexpr std::string_view kTools = "Tool calls";
constexpr std::string_view kTransport = "Transport";

constexpr LabFault kRows[] = {
    {"tokens-N", kKnobs, "the reply has N tokens", [](Plan& p, Numbers n) { p.tokens = n[0]; }},
    {"interval-N", kKnobs, "N ms between two tokens; a buffered reply takes the sum",
     [](Plan& p, Numbers n) { p.interval_ms = n[0]; }},
    {"first-token-N", kKnobs, "N ms before the first token",
     [](Plan& p, Numbers n) { p.first_token_ms = n[0]; }},
    {"cached-N", kKnobs, "N tokens of the prompt count as cached",
     [](Plan& p, Numbers n) { p.cached = n[0]; }},
    {"reasoning-N", kKnobs, "N reasoning tokens, counted as output and not shown",
     [](Plan& p, Numbers n) { p.reasoning = n[0]; }},
    {"redacted-thinking", kKnobs, "thoughts come as `redacted_thinking` (Anthropic)",
     [](Plan& p, Numbers) { p.redacted_thinking = true; }},
    {"refusal", kKnobs, "the model declines: `content_filter`, or `refusal` of Anthropic",
     [](Plan& p, Numbers) { p.refusal = true; }},
    {"prompt-cache", kKnobs,
     "messages the lab has seen before, at the start of a prompt, count as cached (OpenAI; on the "
     "Anthropic face `cache_control` decides)",
     [](Plan& p, Numbers) { p.prompt_cache = true; }},
    {"empty-deltas-N", kKnobs, "N deltas without content before the first token",
     [](Plan& p, Numbers n) { p.empty_deltas = n[0]; }},
    {"pings-first", kKnobs, "comments before the first event",
     [](Plan& p, Numbers) { p.pings_first = true; }},
    {"endless", kKnobs, "a stream that never ends", [](Plan& p, Numbers) { p.endless = true; }},
    {"reset", kBefore, "the connection is reset as soon as the request is read",
     [](Plan& p, Numbers) { p.opening = Plan::Opening::Reset; }},
    {"silent", kBefore, "the request is read, nothing is ever answered",
     [](Plan& p, Numbers) { p.opening = Plan::Opening::Silent; }},
    {"head-only", kBefore, "head of a good reply, then nothing",
     [](Plan& p, Numbers) { p.opening = Plan::Opening::HeadOnly; }},
    {"status-S", kBefore,
     "the error of status S: 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503, 529, …",
     [](Plan& p, Numbers n) { fail_with_status(p, n[0]); }},
    {"status-S-retry-N", kBefore, "status S with `Retry-After: N`",
     [](Plan& p, Numbers n) { retry(p, n[0], Plan::RetryAfter::Seconds, n[1]); }},
    {"status-S-retry-ms-N", kBefore, "status S with `retry-after-ms: N`",
     [](Plan& p, Numbers n) { retry(p, n[0], Plan::RetryAfter::Millis, n[1]); }},
    {"status-S-retry-date-N", kBefore, "status S with `Retry-After` as a date N seconds from now",
     [](Plan& p, Numbers n) { retry(p, n[0], Plan::RetryAfter::Date, n[1]); }},
    {"status-S-retry-past", kBefore, "status S with `Retry-After` as a date long past",
     [](Plan& p, Numbers n) { retry(p, n[0], Plan::RetryAfter::Past, 0); }},
    {"status-S-retry-negative", kBefore, "status S with `Retry-After: -5`",
     [](Plan& p, Numbers n) { retry(p, n[0], Plan::RetryAfter::Negative, 0); }},
    {"status-S-retry-garbage", kBefore, "status S with a `Retry-After` that means nothing",
     [](Plan& p, Numbers n) { retry(p, n[0], Plan::RetryAfter::Garbage, 0); }},
    {"quota", kBefore, "429 `insufficient_quota`: a spending cap, no use in retrying",
     [](Plan& p, Numbers) {
       fail_with(
           p, {.status = 429,
               .type = "insufficient_quota",
               .code = "insufficient_quota",
               .message =
                   "You exceeded your current quota, please check your plan and billing details."});
     }},
    {"bad-schema", kBefore, "400 `invalid_type`",
     [](Plan& p, Numbers) {
       refuse(p, "invalid_type", "messages",
              "Invalid type for 'messages': expected an array of objects.");
     }},
    {"context-length", kBefore, "400 `context_length_exceeded`",
     [](Plan& p, Numbers) {
       refuse(p, "context_length_exceeded", "messages",
              "This model's maximum context length is 128000 tokens. Please reduce the length of "
              "the messages.");
     }},
    {"content-policy", kBefore, "400 `content_policy_violation`",
     [](Plan& p, Numbers) {
       refuse(p, "content_policy_violation", "",
              "Your request was rejected as a result of our safety system.");
     }},
    {"empty-400", kBefore, "400 without a body",
     [](Plan& p, Numbers) { answer(p, 400, "application/json", ""); }},
    {"echo-key", kBefore, "401 that repeats the key it was given",
     [](Plan& p, Numbers) {
       fail_with_status(p, 401);
       p.echo_key = true;
     }},
    {"html-502", kBefore, "502 with an HTML page",
     [](Plan& p, Numbers) { answer(p, 502, "text/html", kPage); }},
    {"html-200", kBefore, "200 with an HTML page",
     [](Plan& p, Numbers) { answer(p, 200, "text/html", kPage); }},
    {"empty-200", kBefore, "200 without a body",
     [](Plan& p, Numbers) { answer(p, 200, "application/json", ""); }},
    {"empty-stream", kBefore, "200 `text/event-stream` without an event",
     [](Plan& p, Numbers) { answer(p, 200, "text/event-stream", ""); }},
    {"error-200", kBefore, "200 with an error object",
     [](Plan& p, Numbers) {
       fail_with_status(p, 503);
       p.as_200 = true;
     }},
    {"garbage-200", kBefore, "200 with bytes that are no JSON",
     [](Plan& p, Numbers) { answer(p, 200, "application/json", "\x01\x02 this is { not json"); }},
    {"cut-json-200", kBefore, "200 with half a JSON object, its length right",
     [](Plan& p, Numbers) {
       answer(p, 200, "application/json",
              R"({"id":"chatcmpl-lab","object":"chat.completion","choices":[{"index":0,"mess)");
     }},
    {"redirect", kBefore, "307 to a private address",
     [](Plan& p, Numbers) {
       answer(p, 307, "text/plain", "moved\n");
       p.headers = "Location: http://169.254.169.254/latest/meta-data/\r\n";
     }},
    {"garbage-head", kBefore, "a head that is no HTTP",
     [](Plan& p, Numbers) { say(p, "\x16\x03\x01 this is not HTTP\r\n\r\n"); }},
    {"both-lengths", kBefore, "a head with Content-Length and Transfer-Encoding",
     [](Plan& p, Numbers) {
       say(p,
           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
           "5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
     }},
    {"two-lengths", kBefore, "a head with two different Content-Lengths",
     [](Plan& p, Numbers) {
       say(p,
           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
           "2\r\nContent-Length: 4\r\n\r\n{}{}");
     }},
    {"bad-chunk", kBefore, "a chunk whose size is no number",
     [](Plan& p, Numbers) {
       say(p,
           "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
           "chunked\r\n\r\nZZ\r\ndata: {}\r\n\r\n0\r\n\r\n");
     }},
    {"switching-101", kBefore, "101 that nobody asked for",
     [](Plan& p, Numbers) {
       say(p, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: lab\r\nConnection: Upgrade\r\n\r\nlab");
     }},
    {"body-204", kBefore, "204 with a body",
     [](Plan& p, Numbers) {
       say(p,
           "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\nContent-Length: "
           "2\r\n\r\n{}");
     }},
    {"many-1xx", kBefore, "a thousand 100 Continue",
     [](Plan& p, Numbers) {
       p.opening = Plan::Opening::Literal;
       for (int i = 0; i < 1000; ++i) p.literal += "HTTP/1.1 100 Continue\r\n\r\n";
     }},
    {"fail-first-N", kBefore,
     "the first N calls fail with the other fault named, or with 503; the calls after that are "
     "good. Calls are counted per header `x-lab-key`, else per `user`, else per model",
     [](Plan& p, Numbers n) { p.fail_first = n[0]; }},
    {"close-after-K", kStream,
     "the connection closes in order after K tokens, without the last chunk",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::Close, n[0]); }},
    {"end-after-K", kStream,
     "the body ends properly after K tokens, without finish, usage or `[DONE]`",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::End, n[0]); }},
    {"reset-after-K", kStream, "the connection is reset after K tokens",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::Reset, n[0]); }},
    {"stall-after-K", kStream, "nothing more comes after K tokens; the connection stays open",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::Stall, n[0]); }},
    {"half-after-K", kStream, "half an event after K tokens, then the connection closes",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::Half, n[0]); }},
    {"error-after-K", kStream,
     "an error as OpenAI sends it after K tokens; K = 0: after the role alone",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::Error, n[0]); }},
    {"error-event-after-K", kStream, "the same in an event named `error`",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::ErrorEvent, n[0]); }},
    {"error-openrouter-after-K", kStream, "an error as OpenRouter sends it after K tokens",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::OpenRouter, n[0]); }},
    {"rate-limit-after-K", kStream, "a rate-limit error after K tokens",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::RateLimit, n[0]); }},
    {"overloaded-after-K", kStream, "an `overloaded` error after K tokens",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::Overloaded, n[0]); }},
    {"bad-json-after-K", kStream, "an event of broken JSON after K tokens, then the stream goes on",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::BadJson, n[0]); }},
    {"oversized-after-K", kStream, "an event of 20 MB after K tokens, then the stream goes on",
     [](Plan& p, Numbers n) { break_after(p, Plan::Break::Oversized, n[0]); }},
    {"no-finish", kEnd, "no `finish_reason` in any chunk",
     [](Plan& p, Numbers) { p.no_finish = true; }},
    {"no-done", kEnd, "no `[DONE]`", [](Plan& p, Numbers) { p.no_done = true; }},
    {"two-finishes", kEnd, "the finish chunk twice",
     [](Plan& p, Numbers) { p.two_finishes = true; }},
    {"two-dones", kEnd, "`[DONE]` twice", [](Plan& p, Numbers) { p.two_dones = true; }},
    {"content-after-finish", kEnd, "more content behind the finish chunk",
     [](Plan& p, Numbers) { p.content_after_finish = true; }},
    {"data-after-done", kEnd, "more events behind `[DONE]`",
     [](Plan& p, Numbers) { p.data_after_done = true; }},
    {"split-at-K", kFraming, "the reply is cut in two writes and two chunks at byte K of the body",
     [](Plan& p, Numbers n) { p.split_at = n[0]; }},
    {"single-bytes", kFraming, "every byte in a chunk and a write of its own",
     [](Plan& p, Numbers) { p.single_bytes = true; }},
    {"one-write", kFraming, "all events in one write",
     [](Plan& p, Numbers) { p.one_write = true; }},
    {"cr", kFraming, "lines end with CR", [](Plan& p, Numbers) { p.line_end = "\r"; }},
    {"crlf", kFraming, "lines end with CR LF", [](Plan& p, Numbers) { p.line_end = "\r\n"; }},
    {"comments", kFraming, "a comment before every event",
     [](Plan& p, Numbers) { p.comments = true; }},
    {"bom", kFraming, "a byte order mark first", [](Plan& p, Numbers) { p.bom = true; }},
    {"no-space", kFraming, "no blank behind `data:`", [](Plan& p, Numbers) { p.no_space = true; }},
    {"two-lines", kFraming, "the data of an event on two `data:` lines",
     [](Plan& p, Numbers) { p.two_lines = true; }},
    {"other-fields", kFraming, "`event:`, `id:` and `retry:` beside the data",
     [](Plan& p, Numbers) { p.other_fields = true; }},
    {"choices-missing", kFraming, "chunks without text have no `choices`",
     [](Plan& p, Numbers) { p.choices = Plan::Choices::Missing; }},
    {"choices-null", kFraming, "chunks without text have `choices: null`",
     [](Plan& p, Numbers) { p.choices = Plan::Choices::Null; }},
    {"choices-empty", kFraming, "chunks without text have `choices: []`",
     [](Plan& p, Numbers) { p.choices = Plan::Choices::Empty; }},
    {"usage-always", kUsage, "a usage chunk also for those who did not ask",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Always; }},
    {"usage-on-content", kUsage, "usage on the last chunk that has content, no chunk of its own",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::OnContent; }},
    {"usage-cumulative", kUsage, "usage so far on every chunk",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Cumulative; }},
    {"usage-first", kUsage, "a chunk with the usage of the prompt before the first token",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::First; }},
    {"usage-absent", kUsage, "no usage",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Absent; }},
    {"usage-null", kUsage, "`usage: null`",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Null; }},
    {"usage-zero", kUsage, "every count 0",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Zero; }},
    {"usage-negative", kUsage, "negative counts",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Negative; }},
    {"usage-huge", kUsage, "counts of 10^18",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Huge; }},
    {"usage-text", kUsage, "counts as strings",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Text; }},
    {"usage-twice", kUsage, "the usage chunk twice",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::Twice; }},
    {"usage-after-done", kUsage, "the usage chunk behind `[DONE]`",
     [](Plan& p, Numbers) { p.usage = Plan::UsageForm::AfterDone; }},
    {"cost", kUsage, "`usage.cost` in dollars, by the price of the lab, as OpenRouter sends it",
     [](Plan& p, Numbers) { p.cost = Plan::Cost::Real; }},
    {"cost-zero", kUsage, "`usage.cost` 0", [](Plan& p, Numbers) { p.cost = Plan::Cost::Zero; }},
    {"cost-null", kUsage, "`usage.cost` null", [](Plan& p, Numbers) { p.cost = Plan::Cost::Null; }},
    {"cost-negative", kUsage, "`usage.cost` below 0",
     [](Plan& p, Numbers) { p.cost = Plan::Cost::Negative; }},
    {"cost-true", kUsage, "`usage.cost` true", [](Plan& p, Numbers) { p.cost = Plan::Cost::True; }},
    {"cost-own-key", kUsage,
     "`usage.cost` 0 with `is_byok` and the cost of the own key in `cost_details`",
     [](Plan& p, Numbers) { p.cost = Plan::Cost::OwnKey; }},
    {"tool-calls-N", kTools, "at least N calls in parallel",
     [](Plan& p, Numbers n) { p.tool_calls = n[0]; }},
    {"tool-index-missing", kTools, "deltas without `index`",
     [](Plan& p, Numbers) { p.tool_index = Plan::ToolIndex::Missing; }},
    {"tool-index-wrong", kTools, "`index` 0 in every delta",
     [](Plan& p, Numbers) { p.tool_index = Plan::ToolIndex::Wrong; }},
    {"tool-index-null", kTools, "`index` null",
     [](Plan& p, Numbers) { p.tool_index = Plan::ToolIndex::Null; }},
    {"tool-id-late", kTools, "the id comes with the last delta of the call",
     [](Plan& p, Numbers) { p.tool_id_late = true; }},
    {"tool-name-late", kTools, "the name comes with the last delta of the call",
     [](Plan& p, Numbers) { p.tool_name_late = true; }},
    {"tool-single-bytes", kTools, "arguments one character at a time",
     [](Plan& p, Numbers) { p.tool_single_bytes = true; }},
    {"tool-bad-json", kTools, "arguments that are no JSON",
     [](Plan& p, Numbers) { p.tool_bad_json = true; }},
    {"gzip", kTransport, "the body in `Content-Encoding: gzip`, whatever was accepted",
     [](Plan& p, Numbers) { p.coding = Plan::Coding::Gzip; }},
    {"deflate", kTransport, "the body in `Content-Encoding: deflate`, whatever was accepted",
     [](Plan& p, Numbers) { p.coding = Plan::Coding::Deflate; }},
    {"br", kTransport, "the body in `Content-Encoding: br`, whatever was accepted",
     [](Plan& p, Numbers) { p.coding = Plan::Coding::Brotli; }},
    {"zstd", kTransport, "the body in `Content-Encoding: zstd`, whatever was accepted",
     [](Plan& p, Numbers) { p.coding = Plan::Coding::Zstd; }},
    {"length-long", kTransport,
     "Content-Length 10 bytes more than the body, then the connection closes",
     [](Plan& p, Numbers) { p.length_error = 10; }},
    {"length-short", kTransport, "Content-Length 10 bytes less than the body",
     [](Plan& p, Numbers) { p.length_error = -10; }},
    {"slow-head-N", kTransport, "N ms between two bytes of the head",
     [](Plan& p, Numbers n) { p.slow_head_ms = n[0]; }},
    {"slow-body-N", kTransport, "N ms between two bytes of the body",
     [](Plan& p, Numbers n) { p.slow_body_ms = n[0]; }},
    {"idle-close-N", kTransport,
     "a good reply on a connection that says it stays open, and closes N ms later",
     [](Plan& p, Numbers n) { p.idle_close_ms = n[0]; }},
    {"big-headers", kTransport, "100 KB of reply headers",
     [](Plan& p, Numbers) { p.big_headers = true; }},
    {"many-headers", kTransport, "10,000 reply headers",
     [](Plan& p, Numbers) { p.many_headers = true; }},
};

}  // namespace

std::span<const LabFault> lab_faults() {
  return kRows;
}

}  // namespace sluice::providers
