#include "net/redis_node.h"

#include <algorithm>
#include <utility>

namespace sluice::net {

Nanos RedisPause::take() {
  const Nanos half = next_ / 2;
  const auto span = static_cast<uint64_t>(std::max<Nanos>(half, 1));
  const Nanos pause = half + static_cast<Nanos>(random_.random() % span);
  next_ = std::min(next_ * 2, last_);
  return pause;
}

RedisNode::RedisNode(Loop& loop, RedisDialer dialer, const RedisOptions& options)
    : loop_(loop),
      dialer_(std::move(dialer)),
      options_(options),
      reason_(Outcome::ConnectError, "not connected yet"),
      pause_(options.first_pause, options.last_pause) {
  status_.since = loop_.now();
  begin_connection();
  tasks_.spawn(run());
}

RedisNode::~RedisNode() {
  tasks_.clear();
}

Task<void> RedisNode::run() {
  for (;;) {
    Result<RedisLink> link = co_await dialer_.dial(Until::forever());
    if (link) {
      come_up(*std::move(link));
      co_await lost_.listen(loop_, Until::forever());
    } else {
      go_down(link.error());
      // What waited for the first attempt is told at the end of this turn.
      co_await Yield(loop_);
    }
    connection_.reset();
    const Deadline next = loop_.after(pause_.take());
    co_await Sleep(loop_, Until(next));
  }
}

void RedisNode::begin_connection() {
  Owner& owner = *this;
  connection_ = std::make_unique<RedisConnection>(loop_, owner);
}

void RedisNode::come_up(RedisLink link) {
  peer_ = link.peer;
  if (connection_ == nullptr) begin_connection();
  connection_->attach(std::move(link));
  status_.up = true;
  status_.since = loop_.now();
  ++status_.connects;
}

void RedisNode::go_down(const Error& why) {
  if (status_.up) status_.since = loop_.now();
  status_.up = false;
  status_.last_error = why.message();
  reason_ = Error(why.outcome(), "Redis is down: " + why.message(), why.param());
  // Until it has answered a command, the next failure is one too many.
  failures_ = options_.max_failures - 1;
  if (connection_ != nullptr) connection_->fail(why);
}

void RedisNode::on_lost() {
  if (!status_.up) return;  // it was not through yet
  go_down(connection_->failure());
  loop_.defer(*this);
}

void RedisNode::close(const std::string& why) {
  if (status_.up) connection_->fail(Error(Outcome::UpstreamReset, why));
}

Task<Result<RedisReply>> RedisNode::command(RedisCommand command, bool asking, Until until) {
  if (down()) {
    ++status_.rejected;
    co_return Error(reason_.outcome(), reason_.message(), reason_.param());
  }
  const Nanos sent = loop_.read_clock();
  Result<RedisReply> answer = co_await connection_->send(command, asking, until);
  judge(answer, loop_.read_clock() - sent);
  co_return std::move(answer);
}

void RedisNode::judge(const Result<RedisReply>& answer, Nanos took) {
  if (!answer) {
    ++status_.failures;
    if (answer.error().outcome() == Outcome::TotalTimeout && ++failures_ >= options_.max_failures) {
      close("Redis was too slow for " + std::to_string(failures_) + " commands in a row");
    }
    return;
  }
  failures_ = 0;
  pause_.reset();
  ++status_.round_trips;
  status_.total_latency += took;
  status_.latency += status_.round_trips == 1 ? took : (took - status_.latency) / 8;
  if (!answer->is_error()) return;
  // These will not go away on this connection: the master is elsewhere, the login is void.
  const std::string_view code = std::string_view(answer->text).substr(0, answer->text.find(' '));
  if (code == "READONLY" || code == "NOAUTH" || code == "MASTERDOWN") {
    close("Redis says " + std::string(code));
  }
}

}  // namespace sluice::net
