#include "governance/revocations.h"

#include <utility>

namespace sluice::governance {
namespace {

// Others refuse a key within a second of its revocation: this, a round trip, and a new directory.
constexpr Nanos kLook = 400 * kMillisecond;
// At the start: for connecting, logging in and loading the script.
constexpr Nanos kIntroduction = 2 * kSecond;

// A hash: digest -> name of the key, and "revision", which is another one after each addition.
// KEYS: it. ARGV: the revision seen last, then digests and names that may be new. Answers the
// revision, and where that is another one, all that the hash holds.
constexpr std::string_view kScript = R"lua(
local key, added = KEYS[1], false
local kind = redis.call('TYPE', key).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', key) end
for i = 2, #ARGV, 2 do
  if redis.call('HSETNX', key, ARGV[i], ARGV[i + 1]) == 1 then added = true end
end
if added then
  local time = redis.call('TIME')
  redis.call('HSET', key, 'revision', time[1] .. '.' .. time[2] .. '.' .. redis.call('HLEN', key))
end
local revision = redis.call('HGET', key, 'revision') or ''
if revision == ARGV[1] then return {revision} end
local answer = redis.call('HGETALL', key)
table.insert(answer, 1, revision)
return answer
)lua";

}  // namespace

Revocations::Revocations(net::Loop& loop, net::RedisClient& redis, const std::string& prefix,
                         const std::vector<Revocation>& known, Heard heard)
    : loop_(loop),
      redis_(redis),
      place_(prefix + ":revoked"),
      script_(std::string(kScript)),
      heard_(std::move(heard)) {
  for (const Revocation& each : known) known_.emplace(each.text, each.key);
  untold_ = known_;
  tasks_.spawn(run());
}

void Revocations::tell(std::vector<Revocation> revoked) {
  loop_.post([this, revoked = std::move(revoked)] {
    for (const Revocation& each : revoked) {
      if (known_.emplace(each.text, each.key).second) untold_.emplace(each.text, each.key);
    }
    news_.ring();
  });
}

Task<void> Revocations::run() {
  const Until patience(loop_.after(kIntroduction));
  at_start_ = co_await exchange(patience);
  introduced_.count_down();
  for (;;) {
    const Until next(loop_.after(kLook));
    co_await news_.listen(loop_, next);
    const std::vector<Revocation> heard = co_await exchange(redis_.patience());
    if (heard.empty() || heard_(heard)) continue;
    for (const Revocation& each : heard) known_.erase(each.text);
    revision_.clear();  // so that all is read again
  }
}

Task<std::vector<Revocation>> Revocations::exchange(Until until) {
  std::vector<std::string> words{revision_};
  for (const auto& [text, key] : untold_) {
    words.push_back(hex_of(text));
    words.push_back(key);
  }
  const std::vector<std::string_view> keys{place_};
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  const Result<net::RedisReply> reply = co_await redis_.eval(script_, keys, arguments, until);
  // Without an answer it is told again.
  if (!reply) co_return std::vector<Revocation>();
  co_return compare(*reply);
}

std::vector<Revocation> Revocations::compare(const net::RedisReply& reply) {
  const auto text_at = [&](size_t i) { return reply.items[i].string().value_or(""); };
  if (reply.kind != net::RedisReply::Kind::Array || reply.items.empty()) return {};
  const std::string_view revision = text_at(0);
  if (revision == revision_) return {};
  revision_ = revision;
  untold_ = known_;
  std::vector<Revocation> news;
  for (size_t i = 1; i + 1 < reply.items.size(); i += 2) {
    const std::optional<Digest> text = digest_of_hex(text_at(i));
    if (!text) continue;
    untold_.erase(*text);
    if (known_.emplace(*text, text_at(i + 1)).second)
      news.push_back({.text = *text, .key = std::string(text_at(i + 1))});
  }
  if (!untold_.empty()) news_.ring();
  return news;
}

}  // namespace sluice::governance
