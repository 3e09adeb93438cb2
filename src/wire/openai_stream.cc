#include "wire/openai_stream.h"

#include <fmt/format.h>
#include <utility>

#include "wire/json.h"
#include "wire/openai.h"

namespace sluice::openai {
namespace {

constexpr std::string_view kDone = "[DONE]";
constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";
constexpr std::string_view kData = "data: ";
constexpr std::string_view kEnd = "\n\n";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// Joined data lines have line ends between tokens, where a space does as well.
void append_one_line(std::string& out, std::string_view text) {
  const size_t start = out.size();
  out += text;
  for (size_t i = out.find('\n', start); i != std::string::npos; i = out.find('\n', i)) {
    out[i] = ' ';
  }
}

bool is_within(std::string_view part, std::string_view whole, size_t end) {
  return !part.empty() && part.data() + part.size() <= whole.data() + end;
}

}  // namespace

StreamEvent StreamReader::fail(Outcome outcome, std::string message) {
  error_ = std::make_unique<StreamError>();
  error_->outcome = outcome;
  error_->message = std::move(message);
  tools_.reset();
  pending_usage_.reset();
  return {.kind = Kind::Error};
}

StreamEvent StreamReader::fail_with(chat::ErrorFacts&& facts) {
  if (facts.message.empty()) facts.message = "the upstream reported an error without a message";
  const StreamEvent event =
      fail(outcome_of_error(facts.code, facts.type), std::move(facts.message));
  error_->type = std::move(facts.type);
  error_->code = std::move(facts.code);
  return event;
}

StreamEvent StreamReader::take(const sse::Event& event, std::string& scratch) {
  if (done_ || error_) return {};
  if (!event.data.starts_with('{')) {
    const std::string_view payload = trimmed(event.data);
    if (payload == kDone) return done(event, scratch);
    if (payload.empty() && event.name != "error") return {};
  }
  return chunk(event, scratch);
}

StreamEvent StreamReader::done(const sse::Event& event, std::string& scratch) {
  if (tools_ && tools_->holds()) {
    return fail(Outcome::UpstreamBadReply, "the upstream sent a tool call without a name");
  }
  const bool untouched = event.canonical && !pending_usage_ && event.data == kDone;
  const std::string_view bytes = ending(scratch);
  return {.kind = Kind::Done, .bytes = untouched ? event.raw : bytes};
}

// The last bytes of a complete stream; also marks it so.
std::string_view StreamReader::ending(std::string& scratch) {
  done_ = true;
  scratch.clear();
  if (pending_usage_) scratch = *pending_usage_;
  scratch += kDoneEvent;
  pending_usage_.reset();
  tools_.reset();
  return scratch;
}

StreamReader::End StreamReader::finish(std::string& scratch) {
  if (error_) return {};
  if (done_) return {.complete = true, .bytes = {}};
  if (!saw_finish() || (tools_ && tools_->holds())) return {};
  return {.complete = true, .bytes = ending(scratch)};
}

StreamEvent StreamReader::chunk(const sse::Event& event, std::string& scratch) {
  const std::string_view payload = event.data;
  const bool same_head = !head_.empty() && payload.starts_with(head_);
  const size_t skip = same_head ? head_.size() : 0;
  if (tools_) tools_->entries.clear();
  Chunk chunk;
  ChunkWalk walk(options_.endpoint, roles_, tools_, payload);
  const bool utf8 = json::is_utf8(payload.substr(skip));
  if (!utf8 || !walk.run(skip, &chunk)) {
    if (event.name == "error")
      return fail_with(
          {.message = payload.empty() ? "" : "the upstream sent an unreadable error event",
           .type = {},
           .code = {}});
    const Error error = utf8 ? json::error_of(Outcome::UpstreamBadReply, payload, walk.reader())
                             : json::utf8_error(Outcome::UpstreamBadReply, payload);
    return fail(Outcome::UpstreamBadReply,
                fmt::format("the upstream sent a bad event: {}", error.message()));
  }
  // In a head that was read once, it is not read again.
  if (chunk.tier != chat::ServiceTier::Unsaid) tier_ = chunk.tier;
  if (chunk.usage) chunk.usage->tier = tier_;
  if (chunk.is_error || event.name == "error" || chunk.object == R"("error")") {
    chat::ErrorFacts facts = chunk.error ? std::move(*chunk.error) : chat::ErrorFacts{};
    if (chunk.usage) usage_ = chunk.usage;
    if (facts.message.empty() && facts.code.empty()) {
      json::Reader reader(payload);
      bool present = false;
      read_error(reader, &facts, &present);
    }
    return fail_with(std::move(facts));
  }
  // A named event that is no chunk is some server's ping.
  if (!event.name.empty() && !chunk.is_chunk) return {};
  if (chunk.unreadable) {
    return fail(Outcome::UpstreamBadReply, "the upstream sent a chunk nobody can read");
  }
  return accept(event, chunk, same_head, scratch);
}

bool StreamReader::decide_tools() {
  if (!tools_ || tools_->entries.empty()) return true;
  return tools_->decide(identity().id);
}

bool StreamReader::has_identity(const Chunk& chunk) const {
  const Identity own = identity();
  return chunk.id == own.id && chunk.created == own.created && chunk.model == own.model &&
         chunk.object == object_of(options_.endpoint);
}

StreamEvent StreamReader::accept(const sse::Event& event, const Chunk& chunk, bool same_head,
                                 std::string& scratch) {
  if (head_.empty()) learn(event.data, chunk);
  const bool had_tools = tools_ && !tools_->entries.empty();
  if (!decide_tools()) {
    return fail(Outcome::UpstreamBadReply, "the upstream sent too many or too large tool calls");
  }
  const bool same_identity = same_head ? chunk.id.empty() && chunk.object.empty() &&
                                             chunk.created.empty() && chunk.model.empty()
                                       : has_identity(chunk);
  const bool repair =
      chunk.repair || !same_identity || !chunk.has_choices || (had_tools && tools_->rewrites());
  const bool content = chunk.content.any || (had_tools && tools_->visible());
  const bool finishes = !chunk.finished.empty();
  const bool finish_again = finishes && finished_.has_all(chunk.finished) && !content;

  if (chunk.usage_members > 0) note_usage(event, chunk, repair);
  if (chunk.choices == 0 && chunk.usage_object) return {.kind = Kind::Usage};
  if (finish_again) return {};
  const std::string_view bytes = render(event, chunk, repair, scratch);
  count(chunk, content);
  if (saw_finish() && tools_) {
    if (tools_->holds()) {
      return fail(Outcome::UpstreamBadReply, "the upstream sent a tool call without a name");
    }
    tools_.reset();
  }
  const Kind kind = finishes ? Kind::Finish : content ? Kind::Content : Kind::Preamble;
  return {.kind = kind, .content = content, .bytes = bytes};
}

void StreamReader::count(const Chunk& chunk, bool content) {
  output_bytes_ += chunk.content.bytes + chunk.tools.bytes;
  saw_content_ |= content;
  seen_.add(chunk.seen);
  roles_.add(chunk.roles);
  finished_.add(chunk.finished);
}

// From the first chunk: under which names the stream goes to the client.
void StreamReader::learn(std::string_view payload, const Chunk& chunk) {
  const auto place = [&](chat::Span* span, size_t at, size_t length) {
    *span = {static_cast<uint32_t>(at), static_cast<uint32_t>(at + length)};
  };
  const bool verbatim = chunk.has_choices && chunk.plain_head &&
                        chunk.object == object_of(options_.endpoint) &&
                        payload.substr(0, chunk.choices_at).ends_with(R"("choices":[)") &&
                        payload.substr(0, chunk.choices_at).find('\n') == std::string_view::npos &&
                        is_within(chunk.id, payload, chunk.choices_at) &&
                        is_within(chunk.object, payload, chunk.choices_at) &&
                        is_within(chunk.created, payload, chunk.choices_at) &&
                        is_within(chunk.model, payload, chunk.choices_at);
  if (verbatim) {
    head_ = std::string(payload.substr(0, chunk.choices_at));
    const auto at = [&](std::string_view part) {
      return static_cast<size_t>(part.data() - payload.data());
    };
    place(&id_, at(chunk.id), chunk.id.size());
    place(&created_, at(chunk.created), chunk.created.size());
    place(&model_, at(chunk.model), chunk.model.size());
    return;
  }
  std::string id(chunk.id);
  std::string model(chunk.model);
  std::string created(chunk.created);
  if (id.empty()) json::append_quoted(id, options_.id);
  if (model.empty()) json::append_quoted(model, options_.model);
  if (created.empty()) created = std::to_string(options_.created);
  append_identity(head_, options_.endpoint, {id, created, model});
  head_ += R"(,"choices":[)";
  const size_t id_at = std::string_view(R"({"id":)").size();
  const size_t model_at = head_.size() - std::string_view(R"(,"choices":[)").size() - model.size();
  const size_t created_at = model_at - std::string_view(R"(,"model":)").size() - created.size();
  place(&id_, id_at, id.size());
  place(&created_, created_at, created.size());
  place(&model_, model_at, model.size());
}

Identity StreamReader::identity() const {
  const auto part = [&](chat::Span span) {
    return std::string_view(head_).substr(span.begin, span.end - span.begin);
  };
  return {.id = part(id_), .created = part(created_), .model = part(model_)};
}

std::string StreamReader::model() const {
  const std::string_view quoted = identity().model;
  return quoted.size() < 2 ? "" : json::unescape(quoted.substr(1, quoted.size() - 2));
}

std::string StreamReader::empty_event() const {
  if (head_.empty()) return "";
  const bool chat = options_.endpoint == chat::Endpoint::Chat;
  std::string out(kData);
  out += head_;
  out += chat ? R"({"index":0,"delta":{},"logprobs":null,"finish_reason":null}])"
              : R"({"index":0,"text":"","logprobs":null,"finish_reason":null}])";
  out += options_.asked_usage ? ",\"usage\":null}\n\n" : "}\n\n";
  return out;
}

Repair StreamReader::repair_for(const Chunk& chunk) const {
  Repair repair;
  repair.endpoint = options_.endpoint;
  repair.identity = identity();
  repair.roles_sent = &roles_;
  repair.tools = tools_ && !tools_->entries.empty() ? tools_.get() : nullptr;
  if (!options_.asked_usage) {
    repair.usage = UsageMember::Remove;
  } else if (chunk.choices > 0) {
    repair.usage = UsageMember::Null;
  }
  return repair;
}

// Keeps the usage, and for a client that asked the event that will carry it.
void StreamReader::note_usage(const sse::Event& event, const Chunk& chunk, bool repair) {
  if (!chunk.usage) return;
  usage_ = chunk.usage;
  if (!options_.asked_usage) return;
  if (!pending_usage_) pending_usage_ = std::make_unique<std::string>();
  std::string& pending = *pending_usage_;
  pending = kData;
  if (chunk.choices > 0 || chunk.usage_members > 1) {
    append_identity(pending, options_.endpoint, identity());
    pending += R"(,"choices":[],"usage":)";
    append_one_line(pending, chunk.usage_value);
    pending += '}';
  } else if (repair) {
    append_repaired(pending, event.data, repair_for(chunk));
  } else {
    append_one_line(pending, event.data);
  }
  pending += kEnd;
}

std::string_view StreamReader::render(const sse::Event& event, const Chunk& chunk, bool repair,
                                      std::string& scratch) const {
  const bool has_usage = chunk.usage_members > 0;
  const bool remove = has_usage && !options_.asked_usage;
  const bool to_null = options_.asked_usage && chunk.usage_object && chunk.choices > 0;
  if (!repair && !remove && !to_null && event.canonical) return event.raw;
  scratch = kData;
  const bool splice = chunk.usage_members == 1 && event.data[chunk.usage_begin] == ',';
  if (repair || (remove && !splice) || (to_null && chunk.usage_members > 1)) {
    append_repaired(scratch, event.data, repair_for(chunk));
  } else if (remove && event.canonical) {
    // The common case of a client that did not ask: one line, two copies.
    scratch += event.data.substr(0, chunk.usage_begin);
    scratch += event.data.substr(chunk.usage_end);
  } else if (remove) {
    append_one_line(scratch, event.data.substr(0, chunk.usage_begin));
    append_one_line(scratch, event.data.substr(chunk.usage_end));
  } else if (to_null) {
    append_one_line(scratch, event.data.substr(0, chunk.usage_end - chunk.usage_value.size()));
    scratch += "null";
    append_one_line(scratch, event.data.substr(chunk.usage_end));
  } else {
    append_one_line(scratch, event.data);
  }
  scratch += kEnd;
  return scratch;
}

}  // namespace sluice::openai
