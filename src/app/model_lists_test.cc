#include "app/model_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Nanos kHour = 3600 * kSecond;
constexpr int64_t kDollar = 1'000'000'000;
constexpr int64_t kWall = 1'795'424'461'000'000;  // 2026-11-23T09:01:01Z

ProviderSettings openrouter(std::string host = "openrouter.ai") {
  ProviderSettings provider;
  provider.name = "or";
  provider.kind = ProviderKind::OpenRouter;
  provider.base_url = {.tls = true, .host = std::move(host), .port = 443, .path = "/api/v1"};
  provider.list_refresh = std::chrono::hours(6);
  return provider;
}

Settings settings_of(std::vector<ProviderSettings> providers) {
  Settings settings;
  settings.providers = std::move(providers);
  return settings;
}

providers::ModelList list_of(std::vector<std::pair<std::string, int64_t>> models) {
  providers::ModelList list;
  list.has_prices = true;
  for (auto& [id, rate] : models) {
    providers::ListedModel model{.id = std::move(id), .price = {}};
    if (rate >= 0) {
      model.price.emplace();
      model.price->base.input = model.price->base.output = rate;
    }
    list.models.push_back(std::move(model));
  }
  return list;
}

std::vector<std::string> shown(const ModelLists& lists) {
  std::vector<std::string> names;
  const auto listed = lists.shown();
  for (const auto& model : listed->models) names.push_back(model.name);
  return names;
}

const telemetry::Price* price_in(const telemetry::PriceTable& table, std::string_view model) {
  return table.find("or", model).price;
}

class ModelListsTest : public ::testing::Test {
 protected:
  ModelListsTest() { lists_.follow(settings_of({openrouter()}), 0); }

  // The list is asked for and comes.
  void take(providers::ModelList list, Nanos now) {
    const auto due = lists_.due(now);
    ASSERT_THAT(due, SizeIs(1));
    ASSERT_NE(lists_.took(due[0].ticket, std::move(list), now, kWall), nullptr);
  }

  ModelLists lists_;
};

TEST_F(ModelListsTest, AListIsDueAtTheStartAndThenAfterEachTurn) {
  take(list_of({{"a/b", 0}}), 0);
  EXPECT_THAT(lists_.due(6 * kHour - 1), IsEmpty());
  EXPECT_THAT(lists_.due(6 * kHour), SizeIs(1));
  EXPECT_THAT(lists_.due(20 * kHour), IsEmpty()) << "it is being fetched";
}

TEST_F(ModelListsTest, PRICE_6_AFailureKeepsTheLastListAndIsToldOnce) {
  take(list_of({{"a/b", kDollar}}), 0);
  const uint64_t ticket = lists_.due(6 * kHour).at(0).ticket;
  const ModelLists::Failure first = lists_.failed(ticket, "no route", 6 * kHour);
  ASSERT_NE(first.provider, nullptr);
  EXPECT_EQ(*first.provider, "or");
  EXPECT_TRUE(first.news);
  EXPECT_THAT(shown(lists_), ElementsAre("or/a/b"));
  EXPECT_NE(price_in(*lists_.priced({}), "a/b"), nullptr);
  Nanos now = 6 * kHour;
  std::vector<Nanos> pauses;
  for (int i = 0; i < 4; ++i) {
    const Nanos before = now;
    while (lists_.due(now).empty()) now += kSecond;
    pauses.push_back((now - before) / kSecond);
    EXPECT_FALSE(lists_.failed(ticket, "no route", now).news);
  }
  EXPECT_THAT(pauses, ElementsAre(60, 120, 240, 480));
  while (lists_.due(now).empty()) now += kSecond;
  EXPECT_TRUE(lists_.failed(ticket, "status 500", now).news) << "another reason";
}

TEST_F(ModelListsTest, AFailureIsForgottenWithTheNextList) {
  const uint64_t ticket = lists_.due(0).at(0).ticket;
  EXPECT_TRUE(lists_.failed(ticket, "no route", 0).news);
  take(list_of({}), 60 * kSecond);
  EXPECT_THAT(lists_.due(60 * kSecond + 6 * kHour - 1), IsEmpty());
  ASSERT_THAT(lists_.due(60 * kSecond + 6 * kHour), SizeIs(1));
  EXPECT_TRUE(lists_.failed(ticket, "no route", 7 * kHour).news);
}

TEST_F(ModelListsTest, APauseIsNeverLongerThanTheTurn) {
  ProviderSettings quick = openrouter();
  quick.list_refresh = std::chrono::seconds(1);
  lists_.follow(settings_of({quick}), 0);
  lists_.failed(lists_.due(0).at(0).ticket, "no route", 0);
  EXPECT_THAT(lists_.due(kSecond), SizeIs(1));
}

TEST_F(ModelListsTest, PricesCarryTheDayTheyWereFetched) {
  providers::ModelList list = list_of({{"a/b", kDollar}, {"a/c", -1}, {"a/free", 0}});
  list.models[0].price->steps.push_back({.from_prompt_tokens = 1000, .rates = {.input = 5}});
  list.models[0].price->hours.push_back({.start = 60, .end = 120, .rates = {.output = 6}});
  take(std::move(list), 0);
  telemetry::PriceTable base;
  telemetry::Price catalog;
  catalog.base.input = catalog.base.output = 1;
  base.set_listed("or", "a/c", catalog);
  const auto table = lists_.priced(base);
  const telemetry::Price* price = price_in(*table, "a/b");
  ASSERT_NE(price, nullptr);
  EXPECT_EQ(price->version, "list 2026-11-23");
  EXPECT_EQ(price->base.input, kDollar);
  ASSERT_THAT(price->long_context, SizeIs(1));
  EXPECT_EQ(price->long_context[0].above_prompt_tokens, 999) << "from there on, not above";
  ASSERT_THAT(price->time_of_day, SizeIs(1));
  EXPECT_EQ(price->time_of_day[0].start_micros, 60'000'000);
  EXPECT_EQ(price_in(*table, "a/c"), nullptr) << "the list says that nobody knows";
  ASSERT_NE(price_in(*table, "a/free"), nullptr);
  EXPECT_EQ(price_in(*table, "a/free")->base.input, 0);
}

TEST_F(ModelListsTest, AListWithoutPricesLeavesThoseThatAreKnown) {
  providers::ModelList list = list_of({{"a/b", -1}});
  list.has_prices = false;
  take(std::move(list), 0);
  telemetry::PriceTable base;
  telemetry::Price known;
  known.base.input = known.base.output = 1;
  base.set_listed("or", "a/b", known);
  EXPECT_NE(price_in(*lists_.priced(base), "a/b"), nullptr);
}

TEST_F(ModelListsTest, AModelThatCameTwiceIsThereOnce) {
  take(list_of({{"a/b", 1}, {"a/c", 1}, {"a/b", 1}}), 0);
  EXPECT_THAT(shown(lists_), ElementsAre("or/a/b", "or/a/c"));
}

TEST_F(ModelListsTest, ModelsAreNotShownWhereTheConfigurationNamesThem) {
  take(list_of({{"a/b", 1}}), 0);
  ProviderSettings named = openrouter();
  named.models = {"a/c"};
  lists_.follow(settings_of({named}), 1);
  EXPECT_THAT(shown(lists_), IsEmpty());
  EXPECT_NE(price_in(*lists_.priced({}), "a/b"), nullptr) << "their prices hold all the same";
}

TEST_F(ModelListsTest, AReloadKeepsTheListOfTheSameProviderAndNoOthers) {
  take(list_of({{"a/b", 1}}), 0);
  ProviderSettings lab;
  lab.name = "lab";
  lists_.follow(settings_of({lab, openrouter()}), kHour);
  EXPECT_THAT(shown(lists_), ElementsAre("or/a/b"));
  EXPECT_THAT(lists_.due(kHour), IsEmpty());
  EXPECT_EQ(lists_.due(6 * kHour).at(0).provider, 1U) << "its place in the new settings";
  lists_.follow(settings_of({openrouter("other.example")}), 6 * kHour);
  EXPECT_THAT(shown(lists_), IsEmpty()) << "another address, another list";
  EXPECT_THAT(lists_.due(6 * kHour), SizeIs(1));
}

TEST_F(ModelListsTest, AnAnswerForAProviderThatIsGoneIsDropped) {
  const uint64_t ticket = lists_.due(0).at(0).ticket;
  lists_.follow(settings_of({openrouter("other.example")}), 1);
  EXPECT_EQ(lists_.took(ticket, list_of({{"a/b", 1}}), 2, kWall), nullptr);
  EXPECT_EQ(lists_.failed(ticket, "x", 2).provider, nullptr);
  EXPECT_THAT(shown(lists_), IsEmpty());
}

TEST_F(ModelListsTest, AReloadAsksAnewWhereTheLastTryFailed) {
  const uint64_t ticket = lists_.due(0).at(0).ticket;
  lists_.failed(ticket, "status 401", 0);
  EXPECT_THAT(lists_.due(1), IsEmpty());
  lists_.follow(settings_of({openrouter()}), 2);
  EXPECT_THAT(lists_.due(2), SizeIs(1));
}

TEST_F(ModelListsTest, ZeroTurnsItOffAndForgetsTheList) {
  take(list_of({{"a/b", 1}}), 0);
  ProviderSettings off = openrouter();
  off.list_refresh = Duration(0);
  lists_.follow(settings_of({off}), 1);
  EXPECT_THAT(lists_.due(100 * kHour), IsEmpty());
  EXPECT_THAT(shown(lists_), IsEmpty());
}

}  // namespace
}  // namespace sluice::app
