// Reading buffered replies.
#include <fmt/format.h>

#include "wire/json.h"
#include "wire/responses.h"
#include "wire/responses_facts.h"

namespace sluice::responses {
namespace {

chat::Reply reply_of(ResponseFacts&& facts) {
  chat::Reply reply;
  reply.usage = facts.usage;
  reply.model = facts.model.str();
  reply.response_id = facts.id.str();
  reply.item_ids = std::move(facts.item_ids);
  reply.has_content = facts.visible;
  reply.output_bytes = facts.output_bytes;
  if (!facts.is_failure()) return reply;
  reply.is_error = true;
  if (facts.error.message.empty()) {
    facts.error.message = facts.status.empty()
                              ? "the upstream reported an error without a message"
                              : fmt::format("the upstream's response is {}", facts.status.str());
  }
  reply.error_outcome = outcome_of_error(facts.error.code, facts.error.type, facts.error.message);
  reply.error_message = std::move(facts.error.message);
  reply.error_code = std::move(facts.error.code);
  reply.error_type = std::move(facts.error.type);
  return reply;
}

}  // namespace

Result<chat::Reply> decode_reply(std::string_view body) {
  ResponseFacts facts;
  Result<void> read = chat::read_reply(body, [&](json::Reader& reader, std::string_view key) {
    return facts.read_member(reader, key);
  });
  if (!read) return std::move(read).error();
  if (!facts.is_failure() && !facts.has_output) {
    return chat::bad_reply(body, "JSON without an `output` array");
  }
  return reply_of(std::move(facts));
}

}  // namespace sluice::responses
