#include "governance/share_script.h"

namespace sluice::governance {

const std::string_view kShareScript = R"lua(
local time = redis.call('TIME')
local second = tonumber(time[1])
local now = second * 1000 + math.floor(tonumber(time[2]) / 1000)
local own, lease, ceilings = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local at = 3
local function argument()
  at = at + 1
  return tonumber(ARGV[at])
end
local function text(n) return string.format('%.0f', n) end
-- What another program put there counts as nothing.
local function fields_of(key)
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', key) end
  return redis.call('HGETALL', key)
end

-- What the others may spend, have spent, how many live, and the version we told last.
local function others_of(key)
  local claimed, spent, live, version = 0, 0, 1, nil
  local fields = fields_of(key)
  for i = 1, #fields, 2 do
    local s, c, v = string.match(fields[i + 1], '^(%-?%d+) (%-?%d+) (%d+)$')
    s, c, v = tonumber(s), tonumber(c), tonumber(v)
    if fields[i] == own then
      version = v
    elseif s and v > now then
      claimed, spent, live = claimed + math.max(s, c), spent + s, live + 1
    elseif s and s ~= 0 then
      claimed, spent = claimed + s, spent + s
    else
      redis.call('HDEL', key, fields[i])
    end
  end
  return claimed, spent, live, version
end

local function ceiling_of(key)
  local limit, spent, must, headroom = argument(), argument(), argument(), argument()
  local had, keep, seen = argument(), argument(), argument()
  local claimed, others, live, version = others_of(key)
  local forgotten = seen > 0 and version ~= seen
  local room, least, granted = limit - claimed, math.max(must, had), 0
  if forgotten then
    granted = math.max(spent, had)
  elseif least > room then
    granted = math.max(spent, room)
  else
    local more = math.max(must + headroom - least, 0)
    granted = least + math.min(more, math.floor((room - least) / (2 * live)))
  end
  redis.call('HSET', key, own, text(spent) .. ' ' .. text(granted) .. ' ' .. text(now + lease))
  redis.call('PEXPIRE', key, text(keep))
  return {granted, claimed, others, now + lease, forgotten and 1 or 0}
end

-- Seconds until `amount` fits.
local function wait_of(taken, used, limit, amount)
  local seconds = {}
  for s in pairs(taken) do seconds[#seconds + 1] = s end
  table.sort(seconds)
  for _, s in ipairs(seconds) do
    used = used - taken[s]
    if used + amount <= limit then return s + 61 - second end
  end
  return 61
end

local function batch_of(key)
  local limit, want, most, extra, corrections = argument(), argument(), argument(), argument(), argument()
  local taken, used, last = {}, 0, 0
  local fields = fields_of(key)
  for i = 1, #fields, 2 do
    local s, n = tonumber(fields[i]), tonumber(fields[i + 1])
    if s and n and n > 0 and s > second - 61 then
      taken[s], used = n, used + n
    else
      redis.call('HDEL', key, fields[i])
    end
  end
  local function change(s, by)
    taken[s], used = (taken[s] or 0) + by, used + by
    redis.call('HSET', key, s, text(taken[s]))
  end
  for _ = 1, corrections do
    local s, amount = argument(), argument()
    if amount > 0 then change(second, amount) end
    for _, place in ipairs({s, s - 1, s + 1}) do
      local back = amount < 0 and math.min(taken[place] or 0, -amount) or 0
      if back > 0 then
        change(place, -back)
        amount = amount + back
      end
    end
  end
  local free, granted, wait = limit - used, 0, 0
  if want > 0 and want <= free then
    granted = want + math.min(extra, math.floor((free - want) / 4))
  elseif want > 0 then
    granted, wait = math.max(free, 0), wait_of(taken, used, limit, most)
  end
  -- It counts for the last second in which it may be used.
  if granted > 0 then change(second + 1, granted) end
  for s, n in pairs(taken) do if n > 0 then last = math.max(last, s) end end
  redis.call('EXPIRE', key, 65)
  return {granted, second + 1, used, wait, last > 0 and last + 61 - second or 0}
end

local answer = {}
for i, key in ipairs(KEYS) do
  local five = i <= ceilings and ceiling_of(key) or batch_of(key)
  for _, n in ipairs(five) do answer[#answer + 1] = n end
end
return answer
)lua";

const std::string_view kPresenceScript = R"lua(
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local known = redis.call('HEXISTS', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], 3600000)
local live, fields = 0, redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if (tonumber(fields[i + 1]) or 0) > now then
    live = live + 1
  else
    redis.call('HDEL', KEYS[1], fields[i])
  end
end
return {live, known}
)lua";

std::vector<std::string> share_arguments(const Claims& claims, std::string_view instance,
                                         Nanos lease) {
  std::vector<std::string> words{std::string(instance), std::to_string(lease / kMillisecond),
                                 std::to_string(claims.ceilings.size())};
  const auto add = [&](std::initializer_list<int64_t> numbers) {
    for (const int64_t number : numbers) words.push_back(std::to_string(number));
  };
  for (const CeilingClaim& each : claims.ceilings) {
    add({each.limit, each.spent, each.must, each.headroom, each.had, each.keep_millis, each.seen});
  }
  for (const BatchClaim& each : claims.batches) {
    add({each.limit, each.want, each.most, each.extra,
         static_cast<int64_t>(each.corrections.size())});
    for (const Correction& correction : each.corrections)
      add({correction.second, correction.amount});
  }
  return words;
}

std::optional<Grants> read_grants(const net::RedisReply& reply, const Claims& claims) {
  constexpr size_t kNumbers = 5;
  const size_t wanted = claims.ceilings.size() + claims.batches.size();
  if (reply.kind != net::RedisReply::Kind::Array || reply.items.size() != wanted * kNumbers)
    return std::nullopt;
  std::vector<int64_t> numbers;
  numbers.reserve(reply.items.size());
  for (const net::RedisReply& item : reply.items) {
    const std::optional<int64_t> number = item.number_of();
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  Grants grants;
  for (size_t i = 0; i < wanted; ++i) {
    const int64_t* five = numbers.data() + i * kNumbers;
    if (i < claims.ceilings.size()) {
      grants.ceilings.push_back({.ceiling = five[0],
                                 .others = five[1],
                                 .others_spent = five[2],
                                 .version = five[3],
                                 .forgotten = five[4] != 0});
    } else {
      grants.batches.push_back({.granted = five[0],
                                .second = five[1],
                                .used = five[2],
                                .wait = five[3],
                                .reset = five[4]});
    }
  }
  return grants;
}

}  // namespace sluice::governance
