// {"ts":"2026-11-23T08:51:00.123Z","level":"info","msg":"exchange","request_id":"req_…",
//  "client_request_id":"…","trace_id":"…","endpoint":"chat","task":"…","alias":"…","provider":"…",
//  "model":"…","asked_model":"…","status":200,"outcome":"ok","stream":false,"ms":12.345,"ttft_ms":null,
//  "upstream_ms":12.1,"overhead_us":31,"tokens_in":9,"tokens_out":2,"usage_source":"reported",
//  "cost_usd":0.00000625,"cost_source":"tokens","attempts":1,"reason":"…","error":"…"}
// task, client_request_id, asked_model (where it is not the model or the alias), reason (where it
// is not common) and error only when there is something to say; null is unknown, never zero.
#include "telemetry/access_log.h"

#include <algorithm>

#include "base/text_out.h"

namespace sluice::telemetry {
namespace {

constexpr size_t kLongestText = 512;
// Names of the fields, numbers, and what comes from closed lists.
constexpr size_t kFixedBound = 900;
constexpr int kMicrosAsMillis = 3;
constexpr int kNanosAsDollars = 9;

std::string_view cut(std::string_view text) {
  return text.substr(0, kLongestText);
}

char* put_field(char* out, std::string_view name, std::string_view text) {
  return put_json(put_raw(out, name), cut(text));
}

std::string_view usage_source_name(chat::UsageSource source) {
  switch (source) {
    case chat::UsageSource::None:
      return "none";
    case chat::UsageSource::Reported:
      return "reported";
    case chat::UsageSource::Estimated:
      return "estimated";
  }
  return "none";
}

char* put_who(char* out, const Record& record) {
  out = put_raw(out, R"({"ts":")");
  out = put_timestamp(out, record.started_micros + record.duration_micros);
  out = put_field(out, R"(","level":"info","msg":"exchange","request_id":)", record.request_id);
  if (!record.client_request_id.empty()) {
    out = put_field(out, R"(,"client_request_id":)", record.client_request_id);
  }
  out = put_field(out, R"(,"trace_id":)", record.trace_id);
  out = put_field(out, R"(,"endpoint":)", record.endpoint);
  if (!record.task.empty()) out = put_field(out, R"(,"task":)", record.task);
  out = put_field(out, R"(,"alias":)", record.alias);
  out = put_field(out, R"(,"provider":)", record.provider);
  out = put_field(out, R"(,"model":)", record.model);
  if (record.asked_model != record.model && record.asked_model != record.alias) {
    out = put_field(out, R"(,"asked_model":)", record.asked_model);
  }
  return out;
}

char* put_times(char* out, const Record& record) {
  out = put_int(put_raw(out, R"(,"status":)"), record.status);
  out = put_raw(put_raw(out, R"(,"outcome":")"), name_of(record.outcome));
  out = put_raw(out, record.stream ? R"(","stream":true,"ms":)" : R"(","stream":false,"ms":)");
  out = put_decimal(out, record.duration_micros, kMicrosAsMillis);
  out = put_raw(out, R"(,"ttft_ms":)");
  out = record.ttft_micros ? put_decimal(out, *record.ttft_micros, kMicrosAsMillis)
                           : put_raw(out, "null");
  out = put_raw(out, R"(,"upstream_ms":)");
  out = put_decimal(out, record.upstream_micros, kMicrosAsMillis);
  return put_int(put_raw(out, R"(,"overhead_us":)"), record.overhead_micros);
}

char* put_money(char* out, const Record& record, const Charge& charge) {
  out = put_raw(out, R"(,"tokens_in":)");
  const bool known = record.usage_source != chat::UsageSource::None;
  out = known ? put_int(out, record.usage.input()) : put_raw(out, "null");
  out = put_raw(out, R"(,"tokens_out":)");
  out = known ? put_int(out, record.usage.output()) : put_raw(out, "null");
  out = put_raw(put_raw(out, R"(,"usage_source":")"), usage_source_name(record.usage_source));
  out = put_raw(out, R"(","cost_usd":)");
  out = charge.cost ? put_decimal(out, *charge.cost, kNanosAsDollars) : put_raw(out, "null");
  out = put_raw(put_raw(out, R"(,"cost_source":")"), name_of(charge.source));
  return put_int(put_raw(out, R"(","attempts":)"), static_cast<int64_t>(record.attempts.size()));
}

}  // namespace

size_t access_line_bound(const Record& record) {
  size_t bound = kFixedBound;
  for (const std::string* text :
       {&record.request_id, &record.client_request_id, &record.trace_id, &record.endpoint,
        &record.alias, &record.provider, &record.model, &record.asked_model, &record.error,
        &record.task, &record.reason}) {
    bound += json_bound(std::min(text->size(), kLongestText));
  }
  return bound;
}

size_t write_access_line(char* out, const Record& record, const Charge& charge) {
  char* const begin = out;
  out = put_who(out, record);
  out = put_times(out, record);
  out = put_money(out, record, charge);
  // What many rows have in common says the alias already.
  if (!record.reason.empty() && !record.common_reason) {
    out = put_field(out, R"(,"reason":)", record.reason);
  }
  if (!record.error.empty()) out = put_field(out, R"(,"error":)", record.error);
  out = put_raw(out, "}\n");
  return static_cast<size_t>(out - begin);
}

}  // namespace sluice::telemetry
