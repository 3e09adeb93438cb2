// Instances that share limits, against a real redis-server: their rules, told one by one on a clock
// of the test's own; and SharedLimits itself, on the real one.
#include "governance/shared_limits.h"

#include <random>

#include "net/redis_test_base.h"

namespace sluice::governance {
namespace {

using test::RedisServer;

constexpr NanoDollars kCent = kDollar / 100;
constexpr int64_t kNoon = 1'795'435'200'000'000;  // 2026-11-23T12:00:00Z

Policy monthly(NanoDollars amount) {
  Policy policy;
  BudgetRule rule;
  rule.name = "monthly";
  rule.amount = amount;
  policy.budgets = {rule};
  return policy;
}

// One gateway with one account, whose messages the test carries.
struct Instance {
  Instance(std::string called, const Policy& policy, NanoDollars spent) : name(std::move(called)) {
    account = std::make_shared<Account>(Level::Key, "prod", &peers);
    const QuarterSpend quarter{.quarter = quarter_of(kNoon), .amount = spent};
    account->seed(std::span(&quarter, 1), spent);
    account->use(policy, kNoon);
    peers.come_up(0);
    peers.set_instances(4);
  }

  std::string name;
  Peers peers;
  std::shared_ptr<Account> account;
  std::vector<Moment> held;  // when taken
  std::vector<Crossing> crossings;
};

class SharedLimitsTest : public net::RedisTest {
 protected:
  static constexpr Nanos kLease = 600 * kSecond;

  void SetUp() override {
    client = client_for(server.url());
    ASSERT_TRUE(comes_up(*client));
  }
  std::shared_ptr<Instance> instance(const std::string& name, const Policy& policy,
                                     NanoDollars spent = 0) {
    return std::make_shared<Instance>(name, policy, spent);
  }
  Moment now() const { return {seconds * kSecond, kNoon + seconds * 1'000'000}; }

  // What SharedLimits does for one account.
  Grants tell(Instance& from, const Waiting& waiting = {}, bool busy = false) {
    const Claims claims = from.account->claims(waiting, now(), busy);
    std::vector<std::string> keys;
    for (const CeilingClaim& each : claims.ceilings) keys.push_back("s:{key:prod}:" + each.key);
    for (const BatchClaim& each : claims.batches) keys.push_back("s:{key:prod}:" + each.key);
    const std::vector<std::string> words = share_arguments(claims, from.name, kLease);
    const Answer answer =
        eval(*client, script, {keys.begin(), keys.end()}, {words.begin(), words.end()});
    EXPECT_TRUE(answer) << text(answer);
    const std::optional<Grants> grants = answer ? read_grants(*answer, claims) : std::nullopt;
    EXPECT_TRUE(grants);
    if (!grants) return {};
    from.account->take_grants(claims, *grants, now(), &from.crossings);
    return *grants;
  }
  // True if it was let pass, after asking the others where needed.
  bool take(Instance& on, const Ask& ask, bool busy = false) {
    std::optional<Refusal> refused = on.account->take(ask, now(), nullptr);
    if (refused && refused->ask_others) {
      tell(on, {.sum = ask, .requests = 1, .most_tokens = ask.tokens}, busy);
      refused = on.account->take(ask, now(), nullptr);
      EXPECT_FALSE(refused && refused->ask_others);
    }
    if (refused) return false;
    on.held.push_back(now());
    return true;
  }
  void settle(Instance& on, const Ask& ask, NanoDollars cost) {
    on.account->settle(ask, on.held.back(), {.cost = cost, .ended_micros = kNoon}, now(), nullptr);
    on.held.pop_back();
  }
  // Past the time for which a refusal is remembered.
  void later() { ++seconds; }

  RedisServer server;
  std::unique_ptr<net::RedisClient> client;
  net::RedisScript script{std::string(kShareScript)};
  int64_t seconds = 1000;
};

TEST_F(SharedLimitsTest, BUD_1_ReservationsOfAllInstancesNeverPassTheLimit) {
  std::vector<std::shared_ptr<Instance>> all;
  for (int i = 0; i < 4; ++i) all.push_back(instance("i" + std::to_string(i), monthly(kDollar)));
  int accepted = 0;
  for (int i = 0; i < 200; ++i) accepted += take(*all[i % 4], {.cost = 5 * kCent}) ? 1 : 0;
  EXPECT_EQ(accepted, 20);
}

TEST_F(SharedLimitsTest, BUD_2_WhatOneFreesAnotherMaySpend) {
  const auto a = instance("a", monthly(kDollar));
  const auto b = instance("b", monthly(kDollar));
  const Ask ask{.cost = kDollar};
  ASSERT_TRUE(take(*a, ask));
  EXPECT_FALSE(take(*b, {.cost = kCent}));
  settle(*a, ask, 10 * kCent);
  EXPECT_TRUE(a->account->has_news(now(), false));
  tell(*a);
  later();
  EXPECT_FALSE(take(*b, {.cost = 91 * kCent}));
  later();
  EXPECT_TRUE(take(*b, {.cost = 90 * kCent}));
  EXPECT_EQ(b->account->budgets(kNoon)[0].spent, 10 * kCent);
}

// In any order of taking, ending, giving back and dying.
TEST_F(SharedLimitsTest, BUD_1_NoHistoryPassesTheLimit) {
  constexpr NanoDollars kLimit = 3 * kDollar;
  std::mt19937_64 random(7);
  const auto below = [&](uint64_t n) { return static_cast<int64_t>(random() % n); };
  const Ask ask{.cost = 7 * kCent};
  std::vector<std::shared_ptr<Instance>> all;
  std::vector<NanoDollars> ledger(4, 0);
  for (int i = 0; i < 4; ++i) all.push_back(instance("i" + std::to_string(i), monthly(kLimit)));
  int accepted = 0;
  for (int step = 0; step < 1500; ++step) {
    const auto at = static_cast<size_t>(below(4));
    Instance& on = *all[at];
    const int64_t dice = below(100);
    if (dice < 50) {
      accepted += take(on, ask, dice % 2 == 0) ? 1 : 0;
    } else if (dice < 85 && !on.held.empty()) {
      const NanoDollars cost = below(static_cast<uint64_t>(kCent));
      settle(on, ask, cost);
      ledger[at] += cost;
    } else if (dice < 95) {
      tell(on);
    } else if (dice < 97) {
      all[at] = instance(on.name, monthly(kLimit), ledger[at]);
    }
    if (step % 10 == 0) later();
    NanoDollars total = 0;
    for (size_t i = 0; i < 4; ++i) total += ledger[i] + all[i]->account->reserved();
    ASSERT_LE(total, kLimit) << "step " << step;
  }
  EXPECT_GT(accepted, 200);
}

TEST_F(SharedLimitsTest, BUD_4_ToldTwiceIsToldOnce) {
  std::vector<std::shared_ptr<Instance>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(instance("i" + std::to_string(i), monthly(kDollar), 10 * kCent));
  for (int round = 0; round < 3; ++round)
    for (const auto& each : all) tell(*each);
  for (const auto& each : all)
    EXPECT_EQ(each->account->budgets(kNoon)[0].spent, 80 * kCent) << each->name;
}

TEST_F(SharedLimitsTest, R6_WhatRedisForgotIsToldAnewBeforeAnybodyGetsMore) {
  const auto a = instance("a", monthly(kDollar), 60 * kCent);
  const auto b = instance("b", monthly(kDollar), 30 * kCent);
  tell(*a);
  tell(*b);
  server.tell("FLUSHALL");
  // The store knows of nobody; b gets no more than the share of what it knows to be left.
  int accepted = 0;
  for (int i = 0; i < 10; ++i) accepted += take(*b, {.cost = kCent}) ? 1 : 0;
  EXPECT_EQ(accepted, 2);  // a fourth of ten cents
  tell(*a);
  seconds += 2;
  tell(*b);
  for (int i = 0; i < 20; ++i) accepted += take(*b, {.cost = kCent}) ? 1 : 0;
  EXPECT_EQ(accepted, 10);
}

TEST_F(SharedLimitsTest, R6_WhileRedisIsToldAnewNobodyTakesItsShareTwice) {
  std::vector<std::shared_ptr<Instance>> all;
  for (const char* name : {"a", "b"}) all.push_back(instance(name, monthly(kDollar), 30 * kCent));
  for (int round = 0; round < 2; ++round) {
    for (const auto& each : all) {
      each->peers.set_instances(2);
      tell(*each);
    }
  }
  server.tell("FLUSHALL");
  int spent = 60;
  const Ask ask{.cost = kCent};
  for (int round = 0; round < 12; ++round) {
    for (const auto& each : all) {
      while (spent < 200 && take(*each, ask)) {
        settle(*each, ask, kCent);
        ++spent;
      }
      tell(*each);
    }
    EXPECT_LE(spent, 100) << "round " << round;
    if (round >= 8) later();
  }
  EXPECT_EQ(spent, 100);
}

TEST_F(SharedLimitsTest, R7_WhatAnotherProgramPutThereCountsAsNothing) {
  const auto a = instance("a", monthly(kDollar), 10 * kCent);
  const Claims claims = a->account->claims({}, now(), false);
  const std::string key = "s:{key:prod}:" + claims.ceilings[0].key;
  server.tell("SET " + key + " garbage");
  tell(*a);
  server.tell("HSET " + key + " b nonsense");
  later();
  EXPECT_TRUE(take(*a, {.cost = 90 * kCent}));
}

TEST_F(SharedLimitsTest, RL_1_NoMinuteHoldsMoreThanTheLimitOverAllInstances) {
  Policy policy;
  policy.limits.requests_per_minute = 100;
  std::vector<std::shared_ptr<Instance>> all;
  for (int i = 0; i < 4; ++i) all.push_back(instance("i" + std::to_string(i), policy));
  int accepted = 0;
  for (int i = 0; i < 1000; ++i) accepted += take(*all[i % 4], {}, true) ? 1 : 0;
  // What a batch has left is given back a second later.
  EXPECT_LE(accepted, 100);
  EXPECT_GE(accepted, 90);
}

TEST_F(SharedLimitsTest, RL_2_TokensArePutRightForAll) {
  Policy policy;
  policy.limits.tokens_per_minute = 1000;
  const auto a = instance("a", policy);
  const auto b = instance("b", policy);
  const Ask ask{.cost = 0, .tokens = 900};
  ASSERT_TRUE(take(*a, ask));
  EXPECT_FALSE(take(*b, {.cost = 0, .tokens = 200}));
  seconds += 2;  // past the life of a's batch
  a->account->settle(ask, a->held.back(), {.cost = 0, .tokens = 100, .ended_micros = kNoon}, now(),
                     nullptr);
  tell(*a);
  later();
  EXPECT_TRUE(take(*b, {.cost = 0, .tokens = 200}));
  const Allowance left = b->account->allowances(now()).tokens;
  EXPECT_EQ(left.limit, 1000);
  EXPECT_EQ(left.remaining, 700);
}

TEST_F(SharedLimitsTest, RL_3_ParallelRequestsOfAllInstancesCountTogether) {
  Policy policy;
  policy.limits.parallel = 3;
  const auto a = instance("a", policy);
  const auto b = instance("b", policy);
  ASSERT_TRUE(take(*a, {}));
  ASSERT_TRUE(take(*a, {}));
  ASSERT_TRUE(take(*b, {}));
  EXPECT_FALSE(take(*b, {}));
  settle(*a, {}, 0);
  tell(*a);
  later();
  EXPECT_TRUE(take(*b, {}));
}

TEST_F(SharedLimitsTest, OBS_7_AMarkThatIsPassedByTheOthersSpendingIsSeen) {
  const auto a = instance("a", monthly(kDollar), 30 * kCent);
  const auto b = instance("b", monthly(kDollar), 30 * kCent);
  tell(*a);
  EXPECT_TRUE(a->crossings.empty());
  tell(*b);
  ASSERT_EQ(b->crossings.size(), 1U);
  EXPECT_EQ(b->crossings[0].permille, 500);
  EXPECT_EQ(b->crossings[0].state.spent, 60 * kCent);
  tell(*b);
  EXPECT_EQ(b->crossings.size(), 1U);
}

TEST_F(SharedLimitsTest, RL_6_OutOfTouchEachKeepsToItsShare) {
  const auto a = instance("a", monthly(kDollar), 20 * kCent);
  tell(*a);
  a->peers.go_down(now().monotonic);
  int accepted = 0;
  for (int i = 0; i < 100; ++i) accepted += take(*a, {.cost = kCent}) ? 1 : 0;
  EXPECT_EQ(accepted, 20);  // a fourth of 80 cents
}

TEST_F(SharedLimitsTest, G12_AnInstanceThatHeardNothingForLongTakesATwentiethAtMost) {
  const auto a = instance("a", monthly(kDollar));
  tell(*a);
  seconds += 60;
  a->peers.go_down(now().monotonic);
  int accepted = 0;
  for (int i = 0; i < 100; ++i) accepted += take(*a, {.cost = kCent}) ? 1 : 0;
  EXPECT_EQ(accepted, 5);
}

}  // namespace
}  // namespace sluice::governance
