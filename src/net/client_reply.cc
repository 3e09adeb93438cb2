#include "net/client_reply.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/tls.h"

namespace sluice::net {
namespace {

constexpr uint8_t kMaxInformational = 8;
constexpr size_t kReadAtLeast = 16 * 1024;

std::string_view view_of(const Result<std::string_view>& piece) {
  return *piece;
}

}  // namespace

CallReply::State::State(std::shared_ptr<Pool> the_pool, std::unique_ptr<Connection> the_connection,
                        Nanos the_idle_timeout)
    : pool(std::move(the_pool)),
      connection(std::move(the_connection)),
      head(pool->take_head()),
      idle_timeout(the_idle_timeout) {}

CallReply::State::~State() {
  pool->give_head(std::move(head));
}

CallReply::State::HeadStatus CallReply::State::parse_head(bool answers_head, const char*& reason) {
  for (;;) {
    const std::string_view bytes = buffer.view();
    // Parsing starts over each time, so it is worth it only when the end may have come, or when so
    // much has come that it may be no head at all.
    const size_t from = parsed < 3 ? 0 : parsed - 3;
    if (parsed > 0 && bytes.size() < 2 * parsed &&
        bytes.substr(from).find("\r\n\r\n") == std::string_view::npos) {
      return HeadStatus::NeedMore;
    }
    const HeadParse result = parse_response_head(bytes, HeadLimits(), answers_head, head);
    if (result.status == HeadParse::Status::NeedMore) {
      parsed = bytes.size();
      return HeadStatus::NeedMore;
    }
    if (result.status == HeadParse::Status::Bad) {
      reason = result.reason;
      return HeadStatus::Bad;
    }
    if (head.status >= 200) {
      body_at = result.consumed;
      return HeadStatus::Done;
    }
    if (head.status == 101 || ++informational > kMaxInformational) {
      reason = head.status == 101 ? "it switches protocols unasked" : "too many 1xx replies";
      return HeadStatus::Bad;
    }
    buffer.drop_front(result.consumed);
    parsed = 0;
    if (buffer.size() == 0) return HeadStatus::NeedMore;
  }
}

void CallReply::State::begin_body(bool whole_request_sent) {
  framing = head.framing;
  length = head.length;
  decoder.emplace(framing, length);
  keep = whole_request_sent && head.keep_alive && framing != Framing::UntilClose;
  if (decoder->complete()) complete(body_at == buffer.size());
}

void CallReply::State::complete(bool may_keep) {
  done = true;
  if (keep && may_keep) {
    pool->put(std::move(connection));
  } else {
    connection.reset();
  }
}

Result<std::string_view> CallReply::State::fail(Outcome outcome, std::string why) {
  connection.reset();
  return Error(outcome, std::move(why));
}

CallReply::State::Piece CallReply::State::decode(char* bytes, size_t count) {
  std::string_view input(bytes, count);
  char* begin = nullptr;
  size_t moved = 0;
  for (;;) {
    std::string_view data;
    switch (decoder->next(input, data)) {
      case BodyDecoder::Status::Data: {
        char* from = bytes + (data.data() - bytes);
        if (begin == nullptr) begin = from;
        if (begin + moved != from) std::memmove(begin + moved, from, data.size());
        moved += data.size();
        break;
      }
      case BodyDecoder::Status::Bad:
        return fail(Outcome::UpstreamBadReply, "the upstream's chunked coding is broken");
      case BodyDecoder::Status::End:
        complete(input.empty());
        return std::string_view(moved > 0 ? begin : bytes, moved);
      case BodyDecoder::Status::NeedMore:
        if (decoder->complete()) {
          complete(true);
        } else if (moved == 0) {
          return std::nullopt;
        }
        return std::string_view(moved > 0 ? begin : bytes, moved);
    }
  }
}

CallReply::State::Piece CallReply::State::digest(const IoResult& got, char* bytes) {
  if (got.ok()) return decode(bytes, got.bytes);
  if (got.status == IoStatus::Eof && decoder->end_of_input()) {
    complete(false);
    return std::string_view();
  }
  const std::string said = tls_failure(stream());
  return fail(Outcome::UpstreamReset, "the upstream closed the connection before the reply's end" +
                                          (said.empty() ? "" : " (TLS: " + said + ")"));
}

CallReply::State::Piece CallReply::State::decode_pending() {
  if (done) return std::string_view();
  if (connection == nullptr) return fail(Outcome::UpstreamReset, "the reply has failed before");
  if (body_at == buffer.size()) {
    if (head_released) release_buffer();
    return std::nullopt;
  }
  const size_t begin = std::exchange(body_at, buffer.size());
  return decode(buffer.data() + begin, buffer.size() - begin);
}

CallReply::State::Piece CallReply::State::try_next() {
  if (Piece piece = decode_pending()) return piece;
  for (;;) {
    const IoResult got = stream().try_read(scratch());
    if (got.status == IoStatus::Again) return std::nullopt;
    connection->set_unsure(got.bytes == scratch().size());
    if (Piece piece = digest(got, scratch().data())) return piece;
  }
}

Until CallReply::State::until_idle(Until until) const {
  return until.earlier(pool->loop().after(idle_timeout));
}

Error CallReply::State::wait_error(const IoResult& got, Until until) const {
  if (got.status == IoStatus::Cancelled) {
    return Error(until.cancel()->why(), "given up during the upstream's reply");
  }
  if (until.deadline().passed(pool->loop().now())) {
    return Error(Outcome::TotalTimeout, "the upstream's reply took too long as a whole");
  }
  return Error(Outcome::IdleTimeout, "the upstream sent nothing for " +
                                         std::to_string(idle_timeout / kMillisecond) +
                                         " ms in the middle of its reply");
}

CallReply::CallReply(std::unique_ptr<State> state) : state_(std::move(state)) {}
CallReply::~CallReply() = default;
CallReply::CallReply(CallReply&&) noexcept = default;
CallReply& CallReply::operator=(CallReply&&) noexcept = default;

const ResponseHead& CallReply::head() const {
  return state_->head;
}

void CallReply::release_head() {
  state_->head_released = true;
  state_->pool->give_head(std::exchange(state_->head, {}));
  if (state_->body_at == state_->buffer.size()) state_->release_buffer();
}

std::optional<Result<std::string_view>> CallReply::try_next() {
  return state_->try_next();
}

ReadSome CallReply::read(Until until) {
  return state_->stream().read_some(state_->scratch(), state_->until_idle(until));
}

std::optional<Result<std::string_view>> CallReply::take(const IoResult& got, Until until) {
  State& state = *state_;
  if (got.status == IoStatus::Timeout || got.status == IoStatus::Cancelled) {
    state.connection.reset();
    return state.wait_error(got, until);
  }
  state.connection->set_unsure(got.bytes == state.scratch().size());
  return state.digest(got, state.scratch().data());
}

Task<Result<std::string_view>> CallReply::next(Until until) {
  std::optional<Result<std::string_view>> piece = try_next();
  while (!piece) {
    const IoResult got = co_await read(until);
    piece = take(got, until);
  }
  co_return *std::move(piece);
}

std::optional<Result<std::string_view>> CallReply::try_read_all(uint64_t limit) {
  State& state = *state_;
  if (state.done) {
    state.buffer.reserve(0);  // an empty view with its slack
    return std::string_view(state.buffer.data(), 0);
  }
  if (state.connection != nullptr && state.framing == Framing::Length && state.length > limit) {
    return state.fail(Outcome::UpstreamBadReply,
                      "the upstream's reply is larger than " + std::to_string(limit) + " bytes");
  }
  const bool whole =
      state.framing == Framing::Length && state.buffer.size() - state.body_at >= state.length;
  return whole ? state.decode_pending() : std::nullopt;
}

Task<Result<std::string_view>> CallReply::read_all(uint64_t limit, Until until) {
  State& state = *state_;
  if (auto whole = try_read_all(limit)) co_return std::move(*whole);
  ByteBuffer& document = state.document;
  const bool exact = state.framing == Framing::Length;
  const auto too_large = [&] {
    return state.fail(Outcome::UpstreamBadReply,
                      "the upstream's reply is larger than " + std::to_string(limit) + " bytes");
  };
  if (exact) document.reserve(static_cast<size_t>(state.length));
  if (State::Piece piece = state.decode_pending()) {
    if (!*piece || (state.done && view_of(*piece).size() <= limit)) co_return std::move(*piece);
    const std::string_view first = view_of(*piece);
    if (first.size() > limit) co_return too_large();
    if (!exact) document.reserve(std::max(kReadAtLeast, 2 * first.size()));
    document.append(first);
  }
  while (!state.done) {
    if (!exact && document.tail().size() < kReadAtLeast / 2) {
      document.reserve(std::max(kReadAtLeast, 2 * (document.size() + kReadAtLeast / 2)));
    }
    // Of a known length, into the slack too: a read that does not fill its buffer has emptied the
    // kernel's, and bytes that do not belong to the reply show.
    char* into = document.tail().data();
    const size_t room = document.tail().size() + (exact ? Loop::slack() : 0);
    const std::span<char> free(into, room);
    const IoResult got = co_await state.stream().read_some(free, state.until_idle(until));
    if (got.status == IoStatus::Timeout || got.status == IoStatus::Cancelled) {
      state.connection.reset();
      co_return state.wait_error(got, until);
    }
    state.connection->set_unsure(got.bytes == room);
    State::Piece piece = state.digest(got, into);
    if (!piece) continue;
    if (!*piece) co_return std::move(*piece);
    const std::string_view data = view_of(*piece);
    if (document.size() + data.size() > limit) co_return too_large();
    if (!data.empty() && data.data() != into) std::memmove(into, data.data(), data.size());
    document.grown(data.size());
  }
  co_return document.view();
}

}  // namespace sluice::net
