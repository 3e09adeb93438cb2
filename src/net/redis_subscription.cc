#include "net/redis_subscription.h"

#include <utility>

namespace sluice::net {
namespace {

// So long a silence makes us ask whether somebody is there; the answer must come as soon.
constexpr Nanos kQuiet = 5 * kSecond;

std::string wire_of(const RedisCommand& command) {
  std::string wire;
  command.append_to(wire);
  return wire;
}

}  // namespace

RedisSubscription::RedisSubscription(Loop& loop, Resolver& resolver, RedisOptions options,
                                     std::vector<std::string> channels, Handler& handler)
    : loop_(loop),
      options_(std::move(options)),
      dialer_(loop, resolver, options_),
      channels_(std::move(channels)),
      handler_(handler),
      pause_(options_.first_pause, options_.last_pause) {
  status_.since = loop_.now();
  tasks_.spawn(run());
}

RedisSubscription::~RedisSubscription() {
  tasks_.clear();
}

Task<void> RedisSubscription::run() {
  for (;;) {
    Result<RedisLink> link = co_await dialer_.dial(Until::forever());
    if (link) {
      const Error why = co_await listen(*link);
      go_down(why);
    } else {
      go_down(link.error());
    }
    const Deadline next = loop_.after(pause_.take());
    co_await Sleep(loop_, Until(next));
  }
}

void RedisSubscription::go_down(const Error& why) {
  if (status_.up) status_.since = loop_.now();
  status_.up = false;
  status_.last_error = why.message();
}

// Until the connection is of no use any more.
Task<Error> RedisSubscription::listen(RedisLink& link) {
  confirmed_ = 0;
  bool asked = true;
  RedisCommand subscribe("SUBSCRIBE");
  for (const std::string& channel : channels_) subscribe.add(channel);
  const std::string wire = wire_of(subscribe);
  const IoResult sent = co_await link.stream->write_all(wire, Until(loop_.after(kQuiet)));
  if (!sent.ok()) co_return Error(Outcome::UpstreamReset, "the connection to Redis was lost");
  for (;;) {
    Result<std::optional<RedisReply>> reply = link.reader.next();
    if (!reply) co_return std::move(reply).error();
    if (reply->has_value()) {
      Result<void> taken = take(**reply, asked);
      if (!taken) co_return std::move(taken).error();
      continue;
    }
    Result<void> came = co_await more(link, asked);
    if (!came) co_return std::move(came).error();
  }
}

// Bytes for the reader. `asked`: an answer is due, else silence is a reason to ask.
Task<Result<void>> RedisSubscription::more(RedisLink& link, bool& asked) {
  co_await Yield(loop_);  // a busy channel must not keep the loop from everybody else
  const std::span<char> scratch = loop_.scratch();
  const Until patience(loop_.after(kQuiet));
  const IoResult got = co_await link.stream->read_some(scratch, patience);
  if (got.ok()) {
    link.reader.feed({scratch.data(), got.bytes});
    co_return Result<void>();
  }
  if (got.status != IoStatus::Timeout) {
    co_return Error(Outcome::UpstreamReset, "the connection to " + link.peer.text() + " was lost");
  }
  if (asked) co_return Error(Outcome::IdleTimeout, link.peer.text() + " has fallen silent");
  const std::string ping = wire_of(RedisCommand("PING"));
  const IoResult sent = co_await link.stream->write_all(ping, Until(loop_.after(kQuiet)));
  if (!sent.ok()) {
    co_return Error(Outcome::UpstreamReset, "the connection to " + link.peer.text() + " was lost");
  }
  asked = true;
  co_return Result<void>();
}

Result<void> RedisSubscription::take(const RedisReply& reply, bool& asked) {
  if (reply.is_error()) return redis_error(reply.text);
  if (reply.items.size() < 2) {
    return Error(Outcome::UpstreamBadReply, "Redis sent what is no message");
  }
  const std::string& what = reply.items[0].text;
  if (what == "message" && reply.items.size() == 3) {
    ++messages_;
    handler_.on_message(reply.items[1].text, reply.items[2].text);
  } else if (what == "pong") {
    asked = false;
  } else if (what == "subscribe" && ++confirmed_ == channels_.size()) {
    asked = false;
    status_.up = true;
    status_.since = loop_.now();
    ++status_.connects;
    pause_.reset();
    handler_.on_gap();
  }
  return {};
}

}  // namespace sluice::net
