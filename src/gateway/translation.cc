#include "gateway/translation.h"

#include <utility>

#include "wire/anthropic.h"
#include "wire/anthropic_answer_stream.h"
#include "wire/anthropic_conversation.h"
#include "wire/anthropic_stream.h"
#include "wire/cortex.h"
#include "wire/json_edit.h"
#include "wire/json_members.h"
#include "wire/openai.h"
#include "wire/openai_answer.h"
#include "wire/openai_conversation.h"
#include "wire/openai_events.h"
#include "wire/openai_stream.h"
#include "wire/openai_write.h"
#include "wire/responses.h"
#include "wire/responses_stream.h"
#include "wire/responses_writer.h"
#include "wire/translated_stream.h"

namespace sluice::gateway {
namespace {

using chat::Endpoint;
using providers::Call;
using providers::Dialect;

constexpr std::string_view kMaxTokens = "max_tokens";
constexpr std::string_view kMaxCompletionTokens = "max_completion_tokens";

chat::TargetTraits traits_for(const Exchange& exchange, const Way& way, std::string_view model) {
  const providers::ModelTraits& known = way.traits;
  const providers::Learned learned = way.upstream.learned().of(way.target.model);
  const bool no_usage = way.upstream.no_stream_options() || learned.no_stream_options;
  return {.model = model,
          .default_max_output = way.upstream.max_output(),
          .ask_usage = exchange.request.stream && !no_usage,
          .old_max_tokens = learned.old_max_tokens.value_or(way.upstream.old_max_tokens() ||
                                                            !known.completion_tokens),
          .fixed_sampling = known.fixed_sampling || learned.fixed_sampling,
          .system_in_turn = known.system_in_turn,
          .effort = known.effort,
          .output_schema = known.output_schema};
}

chat::Pieces same_pieces(const Exchange& exchange, const Way& way, std::string_view model) {
  const chat::Request& request = exchange.request;
  switch (request.endpoint) {
    case Endpoint::Messages:
    case Endpoint::CountTokens:
      return anthropic::encode_request(request, model);
    case Endpoint::Responses:
      return responses::encode_request(request, model);
    default:
      break;
  }
  const bool ask = request.stream && !way.upstream.no_stream_options();
  return openai::encode_request(request, {.model = model, .ask_usage = ask});
}

// A field of the client's body that goes under another name, or, where that is empty, not at all.
struct Correction {
  std::string_view from;
  std::string_view to;
};

// What this target is known to call differently or to refuse, of what the request may hold.
std::vector<Correction> corrections_for(const chat::Request& request, const Way& way) {
  using Limit = chat::OutputLimit;
  std::vector<Correction> corrections;
  const providers::Learned learned = way.upstream.learned().of(way.target.model);
  if (request.output_limit != Limit::None) {
    const providers::ModelTraits& known = way.traits;
    const bool wants_old =
        learned.old_max_tokens.value_or(way.upstream.old_max_tokens() || !known.completion_tokens);
    const bool wants_new =
        known.reasons || way.upstream.wants_completion_tokens() || learned.old_max_tokens == false;
    if (wants_old && request.output_limit != Limit::MaxTokens) {
      corrections.push_back({kMaxCompletionTokens, kMaxTokens});
    } else if (!wants_old && wants_new && request.output_limit != Limit::MaxCompletionTokens) {
      corrections.push_back({kMaxTokens, kMaxCompletionTokens});
    }
  }
  if (learned.fixed_sampling) {
    corrections.push_back({"temperature", ""});
    corrections.push_back({"top_p", ""});
  }
  if (learned.no_stream_options) corrections.push_back({"stream_options", ""});
  return corrections;
}

// Puts these fields right in the client's own body (acceptance TR-2). What is taken away is named.
void correct(const Exchange& exchange, const Way& way, Encoded& out) {
  if (exchange.request.endpoint != Endpoint::Chat) return;
  const std::vector<Correction> corrections = corrections_for(exchange.request, way);
  if (corrections.empty()) return;
  std::string body = out.pieces.str();
  for (const auto& [from, to] : corrections) {
    std::optional<std::string> edited = json::renamed(body, from, to);
    if (!edited) continue;
    body = *std::move(edited);
    if (to.empty()) out.dropped.emplace_back(from);
  }
  out.pieces = chat::Pieces();
  out.pieces.add_owned(body);
}

// OpenRouter's own routing, where the client says nothing about it.
void add_routing(const Exchange& exchange, const Way& way, Encoded& out) {
  if (way.upstream.routing().empty()) return;
  if (!json::member_of(exchange.body, "provider").empty()) return;
  const std::string body = json::with_member(out.pieces.str(), "provider", way.upstream.routing());
  out.pieces = chat::Pieces();
  out.pieces.add_owned(body);
}

// What the provider would refuse the whole conversation for: it was not the one that thought this.
void drop_unsigned_thoughts(const Exchange& exchange, Encoded& out) {
  const Endpoint endpoint = exchange.request.endpoint;
  if (endpoint != Endpoint::Messages && endpoint != Endpoint::CountTokens) return;
  if (!anthropic::may_hold_unsigned_thoughts(exchange.body)) return;
  const std::string body = out.pieces.str();
  const std::string kept = anthropic::without_unsigned_thoughts(body);
  if (kept == body) return;
  out.pieces = chat::Pieces();
  out.pieces.add_owned(kept);
  out.dropped.emplace_back("messages.content (thinking without a signature)");
}

// A body of the middle form in the target's dialect.
Result<chat::Translated> translated(const chat::Conversation& conversation, const Way& way,
                                    const chat::TargetTraits& traits) {
  switch (providers::dialect_of(way.call)) {
    case Dialect::Anthropic:
      return anthropic::write_request(conversation, traits);
    case Dialect::CortexNative:
      return cortex::write_complete_request(conversation, traits);
    default:
      return openai::write_request(conversation, traits);
  }
}

Result<chat::Reply> facts_of(const Exchange& exchange, const Way& way, std::string_view body) {
  if (way.call == Call::CountTokens) {
    const Result<int64_t> count = anthropic::decode_count(body);
    if (count) return chat::Reply{.has_content = true};
  }
  switch (providers::dialect_of(way.call)) {
    case Dialect::Anthropic:
      return anthropic::decode_reply(body);
    case Dialect::Responses:
      return responses::decode_reply(body);
    default:
      break;
  }
  const bool same = way.same_dialect(exchange.request.endpoint);
  return openai::decode_reply(same ? exchange.request.endpoint : Endpoint::Chat, body);
}

// Snowflake's own API does not say why an answer ended; one as long as it may be was cut.
int64_t cortex_limit(Exchange& exchange, const Way& way) {
  const Result<const chat::Conversation*> conversation = exchange.conversation();
  if (!conversation) return 0;  // it could be read when the request was written
  return cortex::max_tokens_of(**conversation, traits_for(exchange, way, way.target.model));
}

// What an answer says about itself, for the record.
chat::Reply facts_of(const chat::Answer& answer) {
  chat::Reply facts;
  facts.usage = answer.usage;
  facts.model = answer.model;
  facts.has_content = !answer.parts.empty();
  for (const chat::Part& part : answer.parts) {
    facts.output_bytes += static_cast<int64_t>(part.text.size() + part.arguments.size());
  }
  return facts;
}

Result<chat::Answer> answer_in(Exchange& exchange, const Way& way, std::string_view body) {
  switch (providers::dialect_of(way.call)) {
    case Dialect::Anthropic:
      return anthropic::read_answer(body);
    case Dialect::CortexNative:
      return cortex::read_answer(body, cortex_limit(exchange, way));
    default:
      return openai::read_answer(body);
  }
}

chat::StreamOptions stream_options(const Exchange& exchange, const Way& way) {
  return {.endpoint = exchange.request.endpoint,
          .asked_usage = exchange.request.asked_usage,
          .id = exchange.record.request_id,
          .model = way.target.model,
          .created = exchange.record.started_micros / 1'000'000,
          .prompt_tokens = (exchange.request.prompt_bytes + 3) / 4};
}

std::string written_for(Exchange& exchange, const Way& way, const chat::Answer& answer) {
  const std::string& id = exchange.record.request_id;
  const std::string& model = way.target.model;
  const int64_t created = exchange.record.started_micros / 1'000'000;
  switch (exchange.request.endpoint) {
    case Endpoint::Messages:
      return anthropic::write_answer(answer, stream_options(exchange, way));
    case Endpoint::Responses:
      return responses::write_answer(
          answer, {.id = id, .model = model, .created = created, .echo = exchange.response_echo()});
    default:
      return openai::write_answer(answer, {.id = id, .model = model, .created = created});
  }
}

std::unique_ptr<chat::AnswerReader> make_reader(Exchange& exchange, const Way& way) {
  switch (providers::dialect_of(way.call)) {
    case Dialect::Anthropic:
      return std::make_unique<anthropic::EventReader>();
    case Dialect::CortexNative:
      return std::make_unique<cortex::EventReader>(stream_options(exchange, way),
                                                   cortex_limit(exchange, way));
    default:
      return std::make_unique<openai::EventReader>(stream_options(exchange, way));
  }
}

std::unique_ptr<chat::AnswerWriter> make_writer(Exchange& exchange, const Way& way) {
  const chat::StreamOptions options = stream_options(exchange, way);
  switch (exchange.request.endpoint) {
    case Endpoint::Messages:
      return std::make_unique<anthropic::EventWriter>(options);
    case Endpoint::Responses:
      return std::make_unique<responses::EventWriter>(
          responses::ResponseNames{.id = options.id,
                                   .model = options.model,
                                   .created = options.created,
                                   .echo = exchange.response_echo()});
    default:
      return std::make_unique<openai::EventWriter>(options);
  }
}

constexpr std::string_view kGoOn =
    "Your answer was cut off after the text above. Go on exactly where it stopped: do not repeat "
    "any of it, do not comment on this.";

// For an answer that another target has begun: the conversation, what the client has seen of the
// answer, and the wish to go on.
Result<void> encode_rest(Exchange& exchange, const Way& way, std::string_view model, Encoded& out) {
  if (way.call == Call::Responses) {
    return Error(
        Outcome::Unsupported,
        "'" + gateway::name_of(way) + "' cannot go on with an answer that another target began");
  }
  Result<const chat::Conversation*> read = exchange.conversation();
  if (!read) return std::move(read).error();
  chat::Conversation conversation = **read;
  const auto say = [&](chat::Role role, std::string text) {
    chat::Message message;
    message.role = role;
    message.parts.emplace_back().text = std::move(text);
    conversation.messages.push_back(std::move(message));
  };
  say(chat::Role::Assistant, exchange.continuation()->text);
  say(chat::Role::User, std::string(kGoOn));
  Result<chat::Translated> body = translated(conversation, way, traits_for(exchange, way, model));
  if (!body) return std::move(body).error();
  out.pieces.add_owned(body->body);
  out.dropped = std::move(body->dropped);
  return {};
}

// A stored response that failed has an error in it and is what was asked for all the same.
Result<void> check_stored(std::string_view body) {
  json::Reader reader(body);
  if (body.empty() || (json::is_utf8(body) && reader.peek() == json::Type::Object &&
                       reader.skip() && reader.finish())) {
    return {};
  }
  return Error(Outcome::UpstreamBadReply, "the upstream's reply is no JSON object");
}

}  // namespace

Result<void> encode(Exchange& exchange, const Way& way, Encoded& out) {
  if (exchange.stored != nullptr) {
    out.pieces.add(exchange.body);
    return {};
  }
  const std::string_view model = way.upstream.body_model(way.target.model, out.model);
  if (exchange.continuation() != nullptr && exchange.continuation()->started) {
    return encode_rest(exchange, way, model, out);
  }
  if (way.same_dialect(exchange.request.endpoint)) {
    out.pieces = same_pieces(exchange, way, model);
    add_routing(exchange, way, out);
    drop_unsigned_thoughts(exchange, out);
    correct(exchange, way, out);
    return {};
  }
  Result<const chat::Conversation*> conversation = exchange.conversation();
  if (!conversation) return std::move(conversation).error();
  Result<chat::Translated> body = translated(**conversation, way, traits_for(exchange, way, model));
  if (!body) return std::move(body).error();
  out.pieces.add_owned(body->body);
  out.dropped = std::move(body->dropped);
  return {};
}

Result<void> decode(Exchange& exchange, const Way& way, std::string_view body, Decoded& out) {
  const bool same = way.same_dialect(exchange.request.endpoint);
  const bool native = providers::dialect_of(way.call) == Dialect::CortexNative;
  out.bytes = body;
  if (exchange.stored != nullptr) return check_stored(body);
  if (!native) {
    Result<chat::Reply> facts = facts_of(exchange, way, body);
    if (!facts) return std::move(facts).error();
    out.facts = *std::move(facts);
    if (out.facts.is_error || same) return {};
  }
  Result<chat::Answer> answer = answer_in(exchange, way, body);
  if (!answer) return std::move(answer).error();
  if (native) out.facts = facts_of(*answer);
  out.own = written_for(exchange, way, *answer);
  out.bytes = out.own;
  if (exchange.request.endpoint == Endpoint::Responses) {
    out.facts.response_id = json::text_of(json::member_of(out.own, "id"));
  }
  return {};
}

std::unique_ptr<chat::ReplyStream> make_stream(Exchange& exchange, const Way& way) {
  if (chat::Continuation* const answer = exchange.continuation();
      answer != nullptr && way.call != Call::Responses) {
    if (answer->writer == nullptr) answer->writer = make_writer(exchange, way);
    return std::make_unique<chat::TranslatedStream>(make_reader(exchange, way), *answer);
  }
  if (!way.same_dialect(exchange.request.endpoint)) {
    return std::make_unique<chat::TranslatedStream>(make_reader(exchange, way),
                                                    make_writer(exchange, way));
  }
  switch (exchange.request.endpoint) {
    case Endpoint::Messages:
      return std::make_unique<anthropic::StreamReader>();
    case Endpoint::Responses:
      return std::make_unique<responses::StreamReader>(exchange.stored != nullptr
                                                           ? responses::StreamReader::Of::Replay
                                                           : responses::StreamReader::Of::Answer);
    default:
      return std::make_unique<openai::StreamReader>(stream_options(exchange, way));
  }
}

}  // namespace sluice::gateway
