#include "net/redis_connection.h"

#include <cstring>
#include <utility>

#include "net/tls.h"

namespace sluice::net {
namespace {

// What a server that does not read may cost us. Far above what commands with deadlines leave
// behind.
constexpr size_t kMaxWaits = 16 * 1024;
constexpr size_t kMaxUnsent = size_t{64} << 20;
// Reads in one go: a long reply must not keep the loop from everybody else.
constexpr int kReadsAtOnce = 16;

Error copy(const Error& error) {
  return Error(error.outcome(), error.message(), error.param());
}

}  // namespace

RedisWait::RedisWait(RedisConnection& connection, Loop& loop, const RedisCommand& command,
                     bool asking, Until until)
    : Wait(loop, until), connection_(&connection) {
  connection.enqueue(command, asking, *this);
}

RedisWait::~RedisWait() {
  if (connection_ != nullptr) connection_->forget(ticket_);
}

void RedisWait::settle(Result<RedisReply> answer) {
  connection_ = nullptr;
  answer_.emplace(std::move(answer));
  loop().defer(*this);
}

Result<RedisReply> RedisWait::await_resume() {
  if (answer_) return *std::move(answer_);
  if (why() == Wake::Cancelled) {
    return Error(until().cancel()->why(), "given up while waiting for Redis");
  }
  return Error(Outcome::TotalTimeout, "Redis did not answer in time");
}

RedisConnection::~RedisConnection() {
  if (!failed()) failure_.emplace(Outcome::UpstreamReset, "the connection to Redis was closed");
  for (RedisWait* wait : waits_) {
    if (wait != nullptr) wait->settle(copy(*failure_));
  }
}

void RedisConnection::attach(RedisLink link) {
  link_.emplace(std::move(link));
  loop_.defer(*this);
}

void RedisConnection::fail(const Error& why) {
  if (failed()) return;
  failure_.emplace(copy(why));
  const std::deque<RedisWait*> waits = std::exchange(waits_, {});
  for (RedisWait* wait : waits) {
    if (wait != nullptr) wait->settle(copy(why));
  }
  out_.clear();
  written_ = 0;
  if (link_) link_->stream->readiness().call_when_ready(nullptr);
  owner_.on_lost();
}

void RedisConnection::push(RedisWait* wait) {
  if (wait != nullptr) wait->ticket_ = first_ticket_ + waits_.size();
  waits_.push_back(wait);
}

void RedisConnection::enqueue(const RedisCommand& command, bool asking, RedisWait& wait) {
  if (failed()) {
    wait.connection_ = nullptr;
    wait.answer_.emplace(copy(*failure_));
    return;
  }
  if (waits_.size() >= kMaxWaits || out_.size() + command.wire_size() > kMaxUnsent) {
    wait.connection_ = nullptr;
    wait.answer_.emplace(Error(Outcome::Overloaded, "too much is waiting for Redis already"));
    return;
  }
  if (asking) {
    RedisCommand("ASKING").append_to(out_);
    push(nullptr);
  }
  command.append_to(out_);
  push(&wait);
  if (link_) loop_.defer(*this);
}

void RedisConnection::pump() {
  if (failed() || !link_) return;
  if (!write() || !read()) return;
  link_->stream->readiness().call_when_ready(this);
}

// False if the connection has failed.
bool RedisConnection::write() {
  while (written_ < out_.size()) {
    const iovec part{.iov_base = out_.data() + written_, .iov_len = out_.size() - written_};
    const IoResult result = link_->stream->try_write({&part, 1});
    if (result.status == IoStatus::Again) {
      out_.erase(0, std::exchange(written_, 0));
      return true;
    }
    if (!result.ok()) {
      lose(result);
      return false;
    }
    written_ += result.bytes;
  }
  out_.clear();
  written_ = 0;
  return true;
}

bool RedisConnection::read() {
  const std::span<char> scratch = loop_.scratch();
  for (int reads = 0; reads < kReadsAtOnce; ++reads) {
    const IoResult result = link_->stream->try_read(scratch);
    if (result.status == IoStatus::Again) return true;
    if (!result.ok()) {
      lose(result);
      return false;
    }
    link_->reader.feed({scratch.data(), result.bytes});
    if (!take_replies()) return false;
  }
  loop_.defer(*this);
  return true;
}

bool RedisConnection::take_replies() {
  for (;;) {
    Result<std::optional<RedisReply>> reply = link_->reader.next();
    if (!reply) {
      fail(reply.error());
      return false;
    }
    if (!reply->has_value()) return true;
    if ((*reply)->kind == RedisReply::Kind::Push) continue;
    if (waits_.empty()) {
      fail(Error(Outcome::UpstreamBadReply, "Redis sent a reply that nobody asked for"));
      return false;
    }
    RedisWait* wait = waits_.front();
    waits_.pop_front();
    ++first_ticket_;
    if (wait != nullptr) wait->settle(**std::move(reply));
  }
}

void RedisConnection::lose(const IoResult& result) {
  std::string why = "the connection to " + link_->peer.text() + " was lost";
  const std::string said = tls_failure(*link_->stream);
  if (!said.empty()) {
    why += ": " + said;
  } else if (result.error != 0) {
    why += std::string(": ") + std::strerror(result.error);
  }
  fail(Error(Outcome::UpstreamReset, std::move(why)));
}

}  // namespace sluice::net
