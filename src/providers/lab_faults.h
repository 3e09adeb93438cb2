// What the lab does wrong on purpose: one table, which drives the parser of names, GET / and
// docs/lab.md.
//
// A fault is asked for by model name ("lab/reset-after-3", several joined by '+') or by the header
// x-lab-fault (several joined by ','). All of them together make one LabPlan, which the code that
// builds and sends the reply follows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "providers/lab_error.h"

namespace sluice::providers {

struct LabPlan {
  // What happens in place of a reply. Literal: `literal` is written as the whole of it.
  enum class Opening : uint8_t { Normal, Error, Reset, Silent, HeadOnly, Body, Literal };
  enum class RetryAfter : uint8_t { None, Seconds, Millis, Date, Past, Negative, Garbage };
  // How a stream breaks after `break_after` tokens of content.
  enum class Break : uint8_t {
    None,
    Close,
    End,
    Reset,
    Stall,
    Half,
    Error,
    ErrorEvent,
    OpenRouter,
    RateLimit,
    Overloaded,
    BadJson,
    Oversized,
  };
  enum class Choices : uint8_t { Normal, Missing, Null, Empty };
  enum class UsageForm : uint8_t {
    Normal,
    Always,
    OnContent,
    Cumulative,
    First,
    Absent,
    Null,
    Zero,
    Negative,
    Huge,
    Text,
    Twice,
    AfterDone
  };
  enum class Cost : uint8_t { None, Real, Zero, Null, Negative, True, OwnKey };
  enum class ToolIndex : uint8_t { Normal, Missing, Wrong, Null };
  enum class Coding : uint8_t { Identity, Gzip, Deflate, Brotli, Zstd };

  // The order of the reply's work.
  std::optional<int64_t> tokens;
  std::optional<int64_t> interval_ms;
  std::optional<int64_t> cached;
  std::optional<int64_t> reasoning;
  int64_t first_token_ms = 0;
  bool prompt_cache = false;
  bool redacted_thinking = false;
  bool refusal = false;

  int good_status = 200;
  std::string_view first_members;  // of a buffered reply: complete, each with a comma behind it

  Opening opening = Opening::Normal;
  LabError error;  // for Error
  RetryAfter retry_after = RetryAfter::None;
  int64_t retry_value = 0;
  int status = 200;  // for Body
  std::string_view content_type = "application/json";
  std::string_view headers;  // complete lines, for Body
  std::string literal;       // the body, or for Literal all bytes
  bool as_200 = false;       // the error comes with status 200
  bool echo_key = false;     // the error repeats the key
  int64_t fail_first = -1;   // what is wrong is wrong for the first so many calls only

  Break broken = Break::None;
  int64_t break_after = 0;
  bool no_finish = false;
  bool no_done = false;
  bool two_finishes = false;
  bool two_dones = false;
  bool content_after_finish = false;
  bool data_after_done = false;
  bool endless = false;
  int64_t empty_deltas = 0;
  bool pings_first = false;

  std::string_view line_end = "\n";
  int64_t split_at = -1;
  bool single_bytes = false;
  bool one_write = false;
  bool comments = false;
  bool bom = false;
  bool no_space = false;
  bool two_lines = false;
  bool other_fields = false;
  Choices choices = Choices::Normal;
  UsageForm usage = UsageForm::Normal;
  Cost cost = Cost::None;

  ToolIndex tool_index = ToolIndex::Normal;
  bool tool_id_late = false;
  bool tool_name_late = false;
  bool tool_single_bytes = false;
  bool tool_bad_json = false;
  int64_t tool_calls = 0;  // at least so many

  Coding coding = Coding::Identity;
  int64_t length_error = 0;  // added to Content-Length
  int64_t slow_head_ms = 0;  // between two bytes of the head
  int64_t slow_body_ms = 0;
  int64_t idle_close_ms = -1;
  bool big_headers = false;
  bool many_headers = false;

  // True if the reply cannot be sent through a server that follows the rules.
  bool below_http() const {
    return opening == Opening::HeadOnly || opening == Opening::Literal || length_error != 0 ||
           slow_head_ms > 0 || slow_body_ms > 0 || idle_close_ms >= 0 || split_at >= 0 ||
           single_bytes || broken == Break::Close || broken == Break::Half;
  }
};

struct LabFault {
  std::string_view pattern;  // parts in capitals are numbers: "reset-after-K"
  std::string_view group;
  std::string_view doc;
  void (*apply)(LabPlan& plan, std::array<int64_t, 2> numbers);
};

std::span<const LabFault> lab_faults();
// Those of a gateway in front of a provider.
std::span<const LabFault> lab_gateway_faults();
// Both, in the order of docs/lab.md.
std::array<std::span<const LabFault>, 2> lab_fault_tables();
// Adds the fault called `name` to the plan. False: there is none of that name.
bool apply_lab_fault(std::string_view name, LabPlan& plan);
// Adds every fault of a list. Gives the first name that is none.
std::optional<std::string_view> apply_lab_faults(std::string_view names, char separator,
                                                 LabPlan& plan);

// The table as text for GET /, and in Markdown for docs/lab.md.
std::string lab_faults_text();
std::string lab_faults_markdown();

}  // namespace sluice::providers
