// A ledger row between the loop thread that makes it and the journal's thread that stores it: flat
// bytes in one process' memory, never on disk.
//
//   RowHead, then the texts whose lengths it states, in the order of RowText.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "telemetry/meters.h"
#include "telemetry/price.h"
#include "telemetry/record.h"

namespace sluice::telemetry {

enum class RowText : uint8_t {
  TraceId,  // 16 bytes
  ClientRequestId,
  Endpoint,
  AskedModel,
  Provider,  // empty: as the meters say
  Model,     // likewise
  AnsweredModel,
  User,
  Attempts,  // JSON
  Error,
  Task,
  Reason,
  Organisation,
  Team,
  Key,
  Environment,
  Conversation,
  Session,
  Workflow,
  Execution,
  McpServer,
  Metadata,  // JSON
};
inline constexpr size_t kRowTexts = 22;

struct RowHead {
  uint64_t key;
  uint64_t request_tail;
  int64_t started_micros;
  const TargetMeters* meters;
  const Price* price;  // null: none known
  chat::Usage usage;
  Charge charge;
  int64_t duration;
  int64_t ttft;  // negative: none
  int64_t upstream;
  int64_t overhead;
  uint64_t bytes_in;
  uint64_t bytes_out;
  uint64_t events;
  int32_t status;
  Outcome outcome;
  RequestResult result;
  chat::UsageSource usage_source;
  bool stream;
  bool slim;
  bool common_reason;
  bool counts_user;
  std::array<uint16_t, kRowTexts> lengths;
};

// What a row is made from.
struct RowSource {
  const Record& record;
  const TargetMeters& meters;
  const Price* price;
  const Charge& charge;
};

// At most so many bytes.
size_t row_bound(const Record& record);
enum class RowForm : uint8_t { Whole, Slim };
size_t write_row(char* out, const RowSource& source, RowForm form);

struct RowView {
  RowHead head;
  std::array<std::string_view, kRowTexts> texts;  // borrow from the bytes
  std::string_view text(RowText which) const { return texts[static_cast<size_t>(which)]; }
};
// Requires: bytes that write_row() made.
RowView read_row(std::string_view bytes);

}  // namespace sluice::telemetry
