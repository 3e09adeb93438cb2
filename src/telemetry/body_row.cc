#include "telemetry/body_row.h"

#include <cstring>

#include "base/id.h"
#include "base/text_out.h"

namespace sluice::telemetry {
namespace {

// Names and users are bounded before they come here; this is for the lengths' sake.
constexpr size_t kLongestName = 1024;

std::string_view name(std::string_view text) {
  return text.substr(0, kLongestName);
}

}  // namespace

size_t body_row_bound(const Record& record, const KeptBodies& kept, BodyForm form) {
  const size_t names =
      name(record.caller.key).size() + name(record.user).size() + name(record.endpoint).size();
  const size_t bodies =
      form == BodyForm::Whole ? kept.request.bytes.size() + kept.answer.bytes.size() : 0;
  return sizeof(BodyHead) + names + bodies;
}

size_t write_body_row(char* out, const Record& record, const KeptBodies& kept, BodyForm form) {
  const bool dropped = kept.dropped || form == BodyForm::Mark;
  const std::string_view request = dropped ? std::string_view() : kept.request.bytes;
  const std::string_view answer = dropped ? std::string_view() : kept.answer.bytes;
  const std::string_view names[] = {name(record.caller.key), name(record.user),
                                    name(record.endpoint)};
  const auto id = parse_request_id(record.request_id);
  const BodyHead head{.key = record.key,
                      .request_tail = id ? id->tail : 0,
                      .request_size = kept.request.size,
                      .answer_size = kept.answer.size,
                      .request_kept = static_cast<uint32_t>(request.size()),
                      .answer_kept = static_cast<uint32_t>(answer.size()),
                      .status = record.status,
                      .owner_length = static_cast<uint16_t>(names[0].size()),
                      .user_length = static_cast<uint16_t>(names[1].size()),
                      .endpoint_length = static_cast<uint16_t>(names[2].size()),
                      .stream = record.stream,
                      .dropped = dropped};
  std::memcpy(out, &head, sizeof head);
  char* end = out + sizeof head;
  for (const std::string_view text : names) end = put_raw(end, text);
  end = put_raw(put_raw(end, request), answer);
  return static_cast<size_t>(end - out);
}

BodyRow read_body_row(std::string_view bytes) {
  BodyRow row;
  std::memcpy(&row.head, bytes.data(), sizeof row.head);
  bytes.remove_prefix(sizeof row.head);
  const auto take = [&bytes](size_t size) {
    const std::string_view text = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return text;
  };
  row.owner = take(row.head.owner_length);
  row.user = take(row.head.user_length);
  row.endpoint = take(row.head.endpoint_length);
  row.request = take(row.head.request_kept);
  row.answer = take(row.head.answer_kept);
  return row;
}

}  // namespace sluice::telemetry
