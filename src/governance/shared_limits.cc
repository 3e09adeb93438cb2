#include "governance/shared_limits.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "governance/share_script.h"

namespace sluice::governance {
namespace {

// What is not needed any more is given back so soon (acceptance BUD-2).
constexpr Nanos kLook = 250 * kMillisecond;
constexpr Nanos kGreet = kSecond;
// An account that asked so lately gets more than it asked for.
constexpr Nanos kBusy = 2 * kLook;
// An account that nobody used for so long is forgotten, until it is used again.
constexpr Nanos kIdle = 10 * kSecond;
// At the start: for connecting, logging in and loading the scripts.
constexpr Nanos kIntroduction = 2 * kSecond;
// Beyond Redis' own deadline: the answer has to come back to its loop.
constexpr Nanos kWayBack = 100 * kMillisecond;

constexpr int64_t kDayMillis = 86'400'000;
// What is told of a budget that does not begin anew is remembered for so long.
constexpr int64_t kTotalMillis = 400 * kDayMillis;

std::vector<std::string_view> views_of(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

Waiting sum_of(const std::vector<Ask>& asks) {
  Waiting waiting;
  for (const Ask& ask : asks) {
    waiting.sum.cost += ask.cost;
    waiting.sum.tokens += ask.tokens;
    waiting.most_tokens = std::max(waiting.most_tokens, ask.tokens);
  }
  waiting.requests = static_cast<int64_t>(asks.size());
  return waiting;
}

}  // namespace

// Of a request that waits on another loop.
struct SharedLimits::Question {
  Question(net::Loop& from, std::shared_ptr<Account> about, Ask what)
      : asking(from), account(std::move(about)), ask(what) {}

  net::Loop& asking;
  const std::shared_ptr<Account> account;
  const Ask ask;
  net::Bell answered;  // on the asking loop
};

SharedLimits::SharedLimits(net::Loop& loop, net::RedisClient& redis, Accounts& accounts,
                           Peers& peers, ShareOptions options)
    : loop_(loop),
      redis_(redis),
      accounts_(accounts),
      peers_(peers),
      options_(std::move(options)),
      share_(std::string(kShareScript)),
      presence_(std::string(kPresenceScript)) {
  tasks_.spawn(run());
}

Task<void> SharedLimits::ask_others(net::Loop& asking, std::shared_ptr<Account> account, Ask ask,
                                    Cancel* cancel) {
  const auto question = std::make_shared<Question>(asking, std::move(account), ask);
  loop_.post([this, question] { hear(question); });
  const Until until(asking.after(redis_.deadline() + kWayBack), cancel);
  co_await question->answered.listen(asking, until);
}

ShareStatus SharedLimits::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void SharedLimits::publish() {
  ShareStatus status{.up = peers_.up(),
                     .reason = reason_,
                     .instances = peers_.instances(),
                     .asked = asked_,
                     .calls = calls_,
                     .redis = redis_.status()};
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

Task<void> SharedLimits::run() {
  co_await introduce();
  publish();
  introduced_.count_down();
  for (;;) {
    const Until next(loop_.after(kLook));
    co_await net::Sleep(loop_, next);
    if (!peers_.up() || loop_.now() - greeted_at_ >= kGreet) co_await greet(redis_.patience());
    look_after_all();
    publish();
  }
}

// Before the first request: whoever is over a budget must be known to be.
Task<void> SharedLimits::introduce() {
  constexpr Nanos kStep = 2 * kMillisecond;
  const Until until(loop_.after(kIntroduction));
  if (!co_await greet(until)) co_return;
  look_after_all();
  while (calls_under_way_ > 0 && !until.deadline().passed(loop_.now())) {
    const Until next(loop_.after(kStep));
    co_await net::Sleep(loop_, next);
  }
}

Task<bool> SharedLimits::greet(Until until) {
  const std::string key = options_.prefix + ":instances";
  const std::string lease = std::to_string(options_.lease / kMillisecond);
  const std::vector<std::string_view> keys{key};
  const std::vector<std::string_view> arguments{options_.instance, lease};
  greeted_at_ = loop_.now();
  Result<net::RedisReply> reply = co_await redis_.eval(presence_, keys, arguments, until);
  if (!reply) {
    go_down(reply.error());
    co_return false;
  }
  come_up(*reply);
  co_return true;
}

// A Redis that does not know this instance, or one after a new connection, may have forgotten much,
// or be an old copy of itself, and one that was away knows nothing of what was spent meanwhile:
// then nobody takes more than their share until all have told it what they know. Nor does it know
// how many they are.
void SharedLimits::come_up(const net::RedisReply& reply) {
  const auto number = [&](size_t i) {
    return i < reply.items.size() ? reply.items[i].number_of().value_or(1) : 1;
  };
  const Nanos now = loop_.now();
  const uint64_t connects = redis_.status().connects;
  const bool first = connects_ == 0;
  const bool forgot = !first && (connects != connects_ || number(1) == 0);
  connects_ = connects;
  if (first || forgot) sweep();
  reason_.clear();
  const bool begins = forgot || !peers_.up();
  const bool settles = begins ? forgot || introduced() : !peers_.in_touch(now);
  const int64_t live = std::max<int64_t>(number(0), 1);
  peers_.set_instances(settles ? std::max(live, peers_.instances()) : live);
  if (begins) peers_.come_up(settles ? now + Ceiling::kSettle : 0);
}

void SharedLimits::go_down(const Error& why) {
  reason_ = why.message();
  peers_.go_down(loop_.now());
}

void SharedLimits::sweep() {
  const int64_t now = loop_.wall_micros();
  for (const Level level : {Level::Organisation, Level::Team, Level::Key, Level::User})
    for (const std::shared_ptr<Account>& account : accounts_.all(level)) account->enroll_spent(now);
}

void SharedLimits::look_after_all() {
  for (const std::shared_ptr<Account>& account : peers_.take_enrolled()) entry_of(account);
  if (!peers_.up()) return;
  const Moment now = moment();
  for (auto each = entries_.begin(); each != entries_.end();) {
    Entry& entry = each->second;
    const bool in_use = entry.account->in_flight() > 0 || entry.in_call;
    if (in_use) entry.last_used = now.monotonic;
    if (!in_use && now.monotonic - entry.last_used > kIdle && entry.account->retire()) {
      each = entries_.erase(each);
      continue;
    }
    if (!entry.in_call && entry.account->has_news(now, busy(entry))) call(entry);
    ++each;
  }
}

SharedLimits::Entry& SharedLimits::entry_of(const std::shared_ptr<Account>& account) {
  const auto [place, fresh] = entries_.try_emplace(account.get());
  Entry& entry = place->second;
  if (fresh) {
    entry.account = account;
    entry.tag = tag_of(account->level(), account->subject());
  }
  entry.last_used = loop_.now();
  return entry;
}

std::string SharedLimits::tag_of(Level level, std::string_view subject) const {
  return options_.prefix + ":{" + ledger_name(level, subject) + "}:";
}

void SharedLimits::hear(std::shared_ptr<Question> question) {
  ++asked_;
  Entry& entry = entry_of(question->account);
  entry.waiting.push_back(std::move(question));
  call(entry);
}

// One at a time about one account: what waits meanwhile is asked for together.
void SharedLimits::call(Entry& entry) {
  if (entry.in_call) return;
  entry.in_call = true;
  tasks_.spawn(talk(entry));
}

bool SharedLimits::busy(const Entry& entry) const {
  return loop_.now() - entry.last_asked < kBusy;
}

Task<void> SharedLimits::talk(Entry& entry) {
  ++calls_under_way_;
  do {
    const auto questions = std::exchange(entry.waiting, {});
    std::vector<Ask> asks;
    for (const auto& question : questions) asks.push_back(question->ask);
    co_await tell(entry, sum_of(asks));
    if (!questions.empty()) entry.last_asked = loop_.now();
    for (const auto& question : questions)
      question->asking.post([question] { question->answered.ring(); });
  } while (!entry.waiting.empty());
  entry.in_call = false;
  --calls_under_way_;
}

Task<void> SharedLimits::tell(Entry& entry, Waiting waiting) {
  const Moment sent = moment();
  const Claims claims = entry.account->claims(waiting, sent, busy(entry));
  if (claims.empty()) co_return;
  std::vector<std::string> keys;
  for (const CeilingClaim& claim : claims.ceilings) keys.push_back(entry.tag + claim.key);
  for (const BatchClaim& claim : claims.batches) keys.push_back(entry.tag + claim.key);
  const std::vector<std::string> words = share_arguments(claims, options_.instance, options_.lease);
  const std::vector<std::string_view> key_views = views_of(keys);
  const std::vector<std::string_view> word_views = views_of(words);
  ++calls_;
  Result<net::RedisReply> reply =
      co_await redis_.eval(share_, key_views, word_views, redis_.patience());
  // Over a new connection it may be an old copy of itself that answers: first all tell it what they
  // know, as come_up() has it.
  if (reply && redis_.status().connects != connects_)
    reply = Error(Outcome::UpstreamBadReply, "the connection to Redis is a new one");
  std::optional<Grants> grants;
  if (reply) grants = read_grants(*reply, claims);
  if (grants) {
    std::vector<Crossing> crossings;
    entry.account->take_grants(claims, *grants, sent, &crossings);
    for (Crossing& crossing : crossings) tasks_.spawn(tell_once(std::move(crossing)));
    co_return;
  }
  entry.account->doubt(claims);
  if (reply) {
    go_down(Error(Outcome::UpstreamBadReply, "Redis answered something else"));
  } else {
    go_down(reply.error());
  }
}

void SharedLimits::report(Crossing crossing) {
  loop_.post([this, crossing = std::move(crossing)] { tasks_.spawn(tell_once(crossing)); });
}

// By a key that only one can set. Without an answer all tell: better twice than never.
Task<void> SharedLimits::tell_once(Crossing crossing) {
  const BudgetState& state = crossing.state;
  std::string key = tag_of(state.level, state.subject) + "told:" + state.name;
  for (const int64_t part :
       {state.resets_micros / 1'000'000, state.limit, int64_t{crossing.permille}})
    key += ':' + std::to_string(part);
  const bool ends = state.resets_micros != std::numeric_limits<int64_t>::max();
  const int64_t keep =
      ends ? (state.resets_micros - loop_.wall_micros()) / 1000 + kDayMillis : kTotalMillis;
  net::RedisCommand first("SET", key, options_.instance, "PX", std::max(keep, kDayMillis));
  first.add("NX");
  const Result<net::RedisReply> reply = co_await redis_.command(std::move(first));
  if (!reply || !reply->is_null()) options_.tell(crossing);
}

}  // namespace sluice::governance
