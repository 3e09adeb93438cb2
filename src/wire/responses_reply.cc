// Reading buffered replies.
#include <fmt/format.h>

#include "wire/json.h"
#include "wire/responses.h"
#include "wire/responses_facts.h"

namespace sluice::responses {
namespace {

Error bad_reply(std::string_view body, std::string_view why) {
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return Error(Outcome::UpstreamBadReply, "the upstream's reply is empty");
  }
  if (body[first] == '<') {
    return Error(Outcome::UpstreamBadReply,
                 "the upstream's reply is an HTML or XML page, not JSON");
  }
  return Error(Outcome::UpstreamBadReply, fmt::format("the upstream's reply is {}", why));
}

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
  if (!json::is_utf8(body)) return bad_reply(body, "not valid UTF-8");
  json::Reader reader(body);
  if (reader.peek() != json::Type::Object) return bad_reply(body, "not a JSON object");
  ResponseFacts facts;
  read_response(reader, &facts);
  if (!reader.finish()) {
    const Error error = json::error_of(Outcome::UpstreamBadReply, body, reader);
    return bad_reply(body, error.message());
  }
  if (!facts.is_failure() && !facts.has_output) {
    return bad_reply(body, "JSON without an `output` array");
  }
  return reply_of(std::move(facts));
}

}  // namespace sluice::responses
