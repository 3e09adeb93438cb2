#include "app/config_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "app/config_reader.h"
#include "app/config_test_support.h"

namespace sluice::app {
namespace {

TEST(ConfigTable, EveryRowSaysWhatItIsFor) {
  for (const auto& row : properties()) {
    EXPECT_FALSE(row.doc.empty()) << row.key;
    EXPECT_TRUE(row.doc.ends_with('.')) << row.key;
  }
}

TEST(ConfigTable, EveryDefaultPassesItsOwnCheck) {
  const auto around = surroundings_of({});
  Reader reader("", around);
  for (const auto& row : properties()) {
    if (row.fallback.empty()) continue;
    reader.give(row, "name", row.fallback, Layer::Default, "default");
    // Printed and read again it stays the same: the value reached the member the row names.
    const auto printed = value_text(row, reader.settings, "name");
    EXPECT_FALSE(printed.empty()) << row.key;
    reader.give(row, "name", printed, Layer::Default, "default");
    EXPECT_EQ(value_text(row, reader.settings, "name"), printed) << row.key;
  }
  for (const auto& fault : reader.diagnostics) ADD_FAILURE() << fault.message;
}

TEST(ConfigTable, EveryNumberAndDurationHasADefaultOrSaysWhereItComesFrom) {
  for (const auto& row : properties()) {
    const bool measured = std::holds_alternative<Field<int64_t>>(row.slot) ||
                          std::holds_alternative<Field<Duration>>(row.slot) ||
                          std::holds_alternative<Field<Bytes>>(row.slot);
    if (measured) EXPECT_FALSE(row.fallback.empty() && row.derived.empty()) << row.key;
  }
}

TEST(ConfigTable, KeysAreUniqueAndStandBelowASection) {
  std::set<std::string_view> seen;
  for (const auto& row : properties()) {
    EXPECT_TRUE(seen.insert(row.key).second) << row.key;
    const size_t dot = row.key.rfind('.');
    if (dot == std::string_view::npos) continue;
    const auto* parent = property(row.key.substr(0, dot));
    ASSERT_NE(parent, nullptr) << row.key;
    EXPECT_TRUE(is_section(*parent)) << row.key;
  }
}

TEST(ConfigTable, EveryRowHasAMemberOfItsOwn) {
  Settings settings;
  std::set<const void*> members;
  for (const auto& row : properties())
    std::visit(
        [&](auto slot) {
          if constexpr (std::is_pointer_v<decltype(slot)>)
            EXPECT_TRUE(members.insert(&slot(settings, "name")).second) << row.key;
        },
        row.slot);
}

TEST(ConfigTable, FindsTheRowOfAPathEvenWhenNamesHoldDots) {
  EXPECT_EQ(match("server.listen").row, property("server.listen"));
  EXPECT_EQ(match("providers.eu.west.kind").row, property("providers.*.kind"));
  EXPECT_EQ(match("providers.eu.west.kind").name, "eu.west");
  EXPECT_EQ(match("prices.custom.gpt-4.1.input").name, "gpt-4.1");
  EXPECT_EQ(match("tiers.fast").row, property("tiers.*"));
  EXPECT_EQ(match("server.nothing").row, nullptr);
}

TEST(ConfigTable, VariablesAreNamedAfterTheirKeys) {
  EXPECT_EQ(env_name(*property("server.tls.cert_file")), "SLUICE_SERVER_TLS_CERT_FILE");
  EXPECT_EQ(env_name(*property("providers.*.kind")), "");
  EXPECT_EQ(env_name(*property("tiers")), "");
}

// A message, or "" when the text was taken.
template <class T>
std::string told(std::string_view text, Limits limits = {}) {
  T value{};
  const auto fault = assign(value, text, limits);
  return fault ? fault->message : "";
}

template <class T>
T read(std::string_view text) {
  T value{};
  EXPECT_FALSE(assign(value, text, Limits{})) << text;
  return value;
}

TEST(ConfigValue, ReadsDurationsWithTheirUnits) {
  EXPECT_EQ(read<Duration>("500ms").count(), 500);
  EXPECT_EQ(read<Duration>("1.5s").count(), 1500);
  EXPECT_EQ(read<Duration>("10m").count(), 600'000);
  EXPECT_EQ(read<Duration>("1h").count(), 3'600'000);
  EXPECT_EQ(read<Duration>("0").count(), 0);
  for (const auto* bad :
       {"", "30", "s", "30 seconds", "-1s", "1e3s", "0.1ms", "1s2", "nan s", "99999999999999h"})
    EXPECT_NE(told<Duration>(bad), "") << bad;
}

TEST(ConfigValue, ReadsSizesInBothSystems) {
  EXPECT_EQ(read<Bytes>("64KiB").count, 65536U);
  EXPECT_EQ(read<Bytes>("32MB").count, 32'000'000U);
  EXPECT_EQ(read<Bytes>("1GiB").count, 1U << 30);
  EXPECT_EQ(read<Bytes>("4096").count, 4096U);
  for (const auto* bad : {"", "-1", "1K", "1 parsec", "1.5", "0.3B"})
    EXPECT_NE(told<Bytes>(bad), "") << bad;
}

TEST(ConfigValue, PrintsWhatItReads) {
  for (const auto* text : {"500ms", "90s", "1h", "0"})
    EXPECT_EQ(text_of(read<Duration>(text)), text);
  for (const auto* text : {"64KiB", "32MB", "1GiB", "1001B"})
    EXPECT_EQ(text_of(read<Bytes>(text)), text);
  for (const auto* text : {"https://x/v1", "http://[::1]:8000", "https://x:8443/a/b"})
    EXPECT_EQ(text_of(read<BaseUrl>(text)), text);
  for (const auto* text : {"127.0.0.1:80", "[::]:0", "localhost:65535"})
    EXPECT_EQ(text_of(read<Address>(text)), text);
}

TEST(ConfigValue, RefusesWhatIsNoAddress) {
  for (const auto* bad : {"", "8080", ":8080", "host", "host:", "host:65536", "host:-1", "::1:80",
                          "[::1]", "[x]:1", "a b:1"})
    EXPECT_NE(told<Address>(bad), "") << bad;
}

TEST(ConfigValue, RefusesWhatIsNoBaseUrl) {
  for (const auto* bad : {"", "x.example", "ftp://x", "https://", "https:///v1", "https://x:0",
                          "https://x?q", "https://x#f", "https://u:p@x", "https://x/a b"})
    EXPECT_NE(told<BaseUrl>(bad), "") << bad;
}

TEST(ConfigValue, StatesTheLimitsInTheSettingsOwnUnit) {
  EXPECT_EQ(told<Duration>("2h", {1, 3'600'000}), "must be between 1ms and 1h");
  EXPECT_EQ(told<Bytes>("1", {1024, 1 << 20}), "must be between 1KiB and 1MiB");
}

TEST(ConfigValue, ASecretIsOneLine) {
  EXPECT_EQ(told<Secret>("a b"), "");
  for (const auto* bad : {"", "a\nb", "a\r\nx: y", " a", "a "}) EXPECT_NE(told<Secret>(bad), "");
}

}  // namespace
}  // namespace sluice::app
