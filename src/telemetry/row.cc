#include "telemetry/row.h"

#include <algorithm>
#include <cstring>

#include "base/id.h"
#include "base/text_out.h"

namespace sluice::telemetry {
namespace {

// Longer texts are cut: a row is a record, not a store for bodies.
constexpr size_t kLongestText = 1024;
constexpr size_t kLongestAttempts = 4096;
constexpr size_t kTraceBytes = 16;
// Of one attempt, without its target: braces, names, six numbers.
constexpr size_t kAttemptBound = 240;

std::string_view cut(std::string_view text) {
  return text.substr(0, kLongestText);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// 32 hex digits as 16 bytes; nothing if they are none.
char* put_trace(char* out, std::string_view hex) {
  if (hex.size() != 2 * kTraceBytes) return out;
  for (size_t i = 0; i < kTraceBytes; ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return out;
    out[i] = static_cast<char>(high << 4 | low);
  }
  return out + kTraceBytes;
}

size_t attempt_bound(const Attempt& attempt) {
  return kAttemptBound + json_bound(std::min(attempt.target.size(), kLongestText));
}

// The row's own columns say all that there is to say of one attempt that succeeded.
bool worth_telling(const std::vector<Attempt>& attempts) {
  return attempts.size() > 1 || (attempts.size() == 1 && attempts.front().outcome != Outcome::Ok);
}

// ,2,31,0,31000: source, input and output tokens, nano-dollars. null: nobody knows.
char* put_spent(char* out, const Spent& spent) {
  const bool known = spent.source != chat::UsageSource::None;
  out = put_int(put_raw(out, ","), static_cast<int64_t>(spent.source));
  for (const int64_t tokens : {spent.input, spent.output}) {
    out = put_raw(out, ",");
    out = known ? put_int(out, tokens) : put_raw(out, "null");
  }
  out = put_raw(out, ",");
  return spent.cost ? put_int(out, *spent.cost) : put_raw(out, "null");
}

// [["openai/gpt-5-mini","ok",200,1234],...]: target, outcome, status, micro-seconds; and what a
// failed one spent.
char* put_attempts(char* out, const std::vector<Attempt>& attempts) {
  if (!worth_telling(attempts)) return out;
  const char* limit = out + kLongestAttempts;
  char separator = '[';
  for (const Attempt& attempt : attempts) {
    if (out + attempt_bound(attempt) + 1 > limit) break;
    *out++ = separator;
    *out++ = '[';
    out = put_json(out, cut(attempt.target));
    *out++ = ',';
    out = put_json(out, name_of(attempt.outcome));
    *out++ = ',';
    out = put_int(out, attempt.status);
    *out++ = ',';
    out = put_int(out, attempt.duration_micros);
    if (attempt.spent) out = put_spent(out, *attempt.spent);
    *out++ = ']';
    separator = ',';
  }
  if (separator == '[') return out;
  *out++ = ']';
  return out;
}

class TextWriter {
 public:
  TextWriter(char* out, RowHead& head) : out_(out), head_(head) {}
  void put(RowText which, std::string_view text) { end(which, put_raw(out_, cut(text))); }
  void end(RowText which, char* end) {
    head_.lengths[static_cast<size_t>(which)] = static_cast<uint16_t>(end - out_);
    out_ = end;
  }
  char* out() const { return out_; }

 private:
  char* out_;
  RowHead& head_;
};

RowHead head_of(const RowSource& source) {
  const Record& record = source.record;
  const auto id = parse_request_id(record.request_id);
  return {.key = record.key,
          .request_tail = id ? id->tail : 0,
          .started_micros = record.started_micros,
          .meters = &source.meters,
          .price = source.price,
          .usage = record.usage,
          .charge = source.charge,
          .duration = record.duration_micros,
          .ttft = record.ttft_micros.value_or(-1),
          .upstream = record.upstream_micros,
          .overhead = record.overhead_micros,
          .bytes_in = record.bytes_in,
          .bytes_out = record.bytes_out,
          .events = record.events,
          .status = record.status,
          .outcome = record.outcome,
          .result = result_of(record),
          .usage_source = record.usage_source,
          .stream = record.stream,
          .slim = false,
          .common_reason = record.common_reason,
          .counts_user = record.counts_user,
          .lengths = {}};
}

void put_caller(TextWriter& texts, const Caller& caller) {
  if (caller.key.empty()) return;
  texts.put(RowText::Organisation, caller.organisation);
  texts.put(RowText::Team, caller.team);
  texts.put(RowText::Key, caller.key);
  texts.put(RowText::Environment, caller.environment);
}

void put_attribution(TextWriter& texts, const Attribution& attribution) {
  texts.put(RowText::Conversation, attribution.conversation);
  texts.put(RowText::Session, attribution.session);
  texts.put(RowText::Workflow, attribution.workflow);
  texts.put(RowText::Execution, attribution.execution);
  texts.put(RowText::McpServer, attribution.mcp_server);
  texts.put(RowText::Metadata, attribution.metadata);
}

std::string_view unless_same(std::string_view text, std::string_view known) {
  return text == known ? std::string_view() : text;
}

}  // namespace

size_t row_bound(const Record& record) {
  const auto bound = [](const std::string& text) { return std::min(text.size(), kLongestText); };
  size_t whose = 0;
  for (const std::string* text : {&record.caller.organisation, &record.caller.team,
                                  &record.caller.key, &record.caller.environment})
    whose += bound(*text);
  if (!record.attribution.empty()) {
    const Attribution& of = record.attribution;
    for (const std::string* text :
         {&of.conversation, &of.session, &of.workflow, &of.execution, &of.mcp_server, &of.metadata})
      whose += bound(*text);
  }
  return sizeof(RowHead) + kTraceBytes + bound(record.client_request_id) + bound(record.endpoint) +
         bound(record.asked_model) + bound(record.provider) + bound(record.model) +
         bound(record.answered_model) + bound(record.user) + bound(record.error) +
         bound(record.task) + bound(record.reason) + whose +
         (worth_telling(record.attempts) ? kLongestAttempts : 0);
}

size_t write_row(char* out, const RowSource& source, RowForm form) {
  const Record& record = source.record;
  RowHead head = head_of(source);
  TextWriter texts(out + sizeof head, head);
  const bool whole = form == RowForm::Whole;
  head.slim = !whole;
  // In the order of RowText. A slim row keeps what money is counted by.
  if (whole) texts.end(RowText::TraceId, put_trace(texts.out(), record.trace_id));
  if (whole) texts.put(RowText::ClientRequestId, record.client_request_id);
  texts.put(RowText::Endpoint, record.endpoint);
  if (whole) texts.put(RowText::AskedModel, record.asked_model);
  texts.put(RowText::Provider, unless_same(record.provider, source.meters.provider()));
  texts.put(RowText::Model, unless_same(record.model, source.meters.model()));
  if (whole) texts.put(RowText::AnsweredModel, unless_same(record.answered_model, record.model));
  texts.put(RowText::User, record.user);
  if (whole) texts.end(RowText::Attempts, put_attempts(texts.out(), record.attempts));
  if (whole) texts.put(RowText::Error, record.error);
  texts.put(RowText::Task, record.task);
  if (whole) texts.put(RowText::Reason, record.reason);
  put_caller(texts, record.caller);
  if (!record.attribution.empty()) put_attribution(texts, record.attribution);
  std::memcpy(out, &head, sizeof head);
  return static_cast<size_t>(texts.out() - out);
}

RowView read_row(std::string_view bytes) {
  RowView row;
  std::memcpy(&row.head, bytes.data(), sizeof row.head);
  bytes.remove_prefix(sizeof row.head);
  for (size_t i = 0; i < kRowTexts; ++i) {
    row.texts[i] = bytes.substr(0, row.head.lengths[i]);
    bytes.remove_prefix(row.head.lengths[i]);
  }
  return row;
}

}  // namespace sluice::telemetry
