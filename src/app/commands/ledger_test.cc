#include "app/commands/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::app {
namespace {

using testing::HasSubstr;

CommandResult usage_of(UsageArguments arguments) {
  return usage(arguments, SystemClock());
}

TEST(Usage, OfAMissingLedgerSaysWhyAndHowToNameAnother) {
  const std::string path = testing::TempDir() + "no-such-ledger.db";
  for (const CommandResult& result : {usage_of({.ledger = path, .since = "", .until = ""}),
                                      verify_ledger(path, TableFormat::Text)}) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(path + ": No such file or directory; --ledger"));
  }
}

TEST(Usage, OfADirectorySaysSo) {
  EXPECT_THAT(usage_of({.ledger = testing::TempDir(), .since = "", .until = ""}).err,
              HasSubstr("Is a directory"));
}

TEST(Usage, RefusesASpanThatEndsBeforeItBegins) {
  const auto result = usage_of({.ledger = "unused", .since = "2026-11-02", .until = "2026-11-01"});
  EXPECT_EQ(result.exit_code, kExitInvalid);
  EXPECT_THAT(result.err, HasSubstr("--since 2026-11-02 is not before --until 2026-11-01"));
  EXPECT_EQ(usage_of({.ledger = "unused", .since = "1d", .until = "7d"}).exit_code, kExitInvalid);
}

}  // namespace
}  // namespace sluice::app
