// Drives a loop on the real clock against a real redis-server, always towards a condition.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/redis.h"
#include "net/redis_subscription.h"
#include "net/tls.h"
#include "tests/support/redis_server.h"

namespace sluice::net {

class RedisTest : public testing::Test {
 protected:
  using Answer = Result<RedisReply>;

  static RedisOptions options_for(const std::string& url) {
    RedisOptions options;
    Result<RedisUrl> parsed = parse_redis_url(url);
    EXPECT_TRUE(parsed) << url;
    if (parsed) options.url = *std::move(parsed);
    options.connect = 5 * kSecond;  // machines under test are busy
    options.first_pause = 10 * kMillisecond;
    options.last_pause = 40 * kMillisecond;
    return options;
  }
  std::unique_ptr<RedisClient> client_for(const std::string& url) {
    return std::make_unique<RedisClient>(loop, resolver, options_for(url));
  }

  // Turns the loop until it is so.
  [[nodiscard]] bool comes(const std::function<bool()>& condition, Nanos limit = 10 * kSecond) {
    const Nanos end = clock.monotonic() + limit;
    while (!condition()) {
      if (clock.monotonic() > end) return false;
      loop.turn(5 * kMillisecond);
    }
    return true;
  }

  static Task<void> ask_into(RedisClient& client, RedisCommand command, Until until,
                             std::optional<Answer>& answer) {
    answer.emplace(co_await client.command(std::move(command), until));
  }
  static Task<void> eval_into(RedisClient& client, const RedisScript& script,
                              std::vector<std::string_view> keys,
                              std::vector<std::string_view> arguments, Until until,
                              std::optional<Answer>& answer) {
    answer.emplace(co_await client.eval(script, keys, arguments, until));
  }
  // Begins at once; `answer` must live until it is there.
  void begin(RedisClient& client, RedisCommand command, Nanos patience,
             std::optional<Answer>& answer) {
    loop.tasks().spawn(ask_into(client, std::move(command), Until(loop.after(patience)), answer));
  }
  Answer ask(RedisClient& client, RedisCommand command, Nanos patience = 8 * kSecond) {
    loop.turn(0);
    std::optional<Answer> answer;
    begin(client, std::move(command), patience, answer);
    EXPECT_TRUE(comes([&] { return answer.has_value(); }));
    return *std::move(answer);
  }
  Answer eval(RedisClient& client, const RedisScript& script, std::vector<std::string_view> keys,
              std::vector<std::string_view> arguments) {
    std::optional<Answer> answer;
    loop.tasks().spawn(eval_into(client, script, std::move(keys), std::move(arguments),
                                 Until(loop.after(2 * kSecond)), answer));
    EXPECT_TRUE(comes([&] { return answer.has_value(); }));
    return *std::move(answer);
  }
  [[nodiscard]] bool comes_up(const RedisClient& client) {
    return comes([&] { return client.status().up; });
  }

  static std::string text(const Answer& answer) {
    if (!answer) return "error: " + answer.error().message();
    if (answer->kind == RedisReply::Kind::Integer) return std::to_string(answer->integer);
    return answer->is_null() ? "null" : answer->text;
  }
  // Requires: an error.
  static RedisFault fault(const Answer& answer) {
    EXPECT_FALSE(answer);
    return answer ? RedisFault::Other : redis_fault(answer.error());
  }

  SystemClock clock;
  Loop loop{clock};
  Resolver resolver{clock};
};

}  // namespace sluice::net
