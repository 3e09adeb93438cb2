// What is kept of one exchange's bodies, and the same between the loop thread that hands it over
// and the journal's thread that stores it: flat bytes in one process' memory, never on disk.
//
//   BodyHead, then owner, user, endpoint, request and answer, as long as it states.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/record.h"

namespace sluice::telemetry {

// As much of a body as is kept.
struct KeptBody {
  std::string bytes;
  uint64_t size = 0;  // of the whole; more than `bytes`: it was cut
};

struct KeptBodies {
  KeptBody request;
  KeptBody answer;
  bool dropped = false;  // there was no room for them
};

struct BodyHead {
  uint64_t key;
  uint64_t request_tail;
  uint64_t request_size;
  uint64_t answer_size;
  uint32_t request_kept;
  uint32_t answer_kept;
  int32_t status;
  uint16_t owner_length;
  uint16_t user_length;
  uint16_t endpoint_length;
  bool stream;
  bool dropped;
};

enum class BodyForm : uint8_t {
  Whole,
  Mark,  // says that there was no room for the bodies
};

// At most so many bytes.
size_t body_row_bound(const Record& record, const KeptBodies& kept, BodyForm form);
// Form Mark is written where the bodies are dropped already, too.
size_t write_body_row(char* out, const Record& record, const KeptBodies& kept, BodyForm form);

struct BodyRow {
  BodyHead head;
  // Borrow from the bytes.
  std::string_view owner;
  std::string_view user;
  std::string_view endpoint;
  std::string_view request;
  std::string_view answer;
};
// Requires: bytes that write_body_row() made.
BodyRow read_body_row(std::string_view bytes);

}  // namespace sluice::telemetry
