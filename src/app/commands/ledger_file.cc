#include "app/commands/ledger_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <string_view>
#include <system_error>
#include <time.h>
#include <unistd.h>
#include <utility>

#include "base/text_out.h"
#include "store/schema.h"

namespace sluice::app {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

CommandResult command_failed(int code, std::string message) {
  return {.exit_code = code, .out = "", .err = "sluice: " + std::move(message) + "\n"};
}

std::optional<int64_t> parse_moment(const std::string& text, int64_t now_micros) {
  tm day{};
  const char* end = strptime(text.c_str(), "%Y-%m-%d", &day);
  if (end != nullptr && *end == '\0') return timegm(&day) * kMicrosPerSecond;
  int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || rest + 1 != text.data() + text.size() || count < 0 ||
      count > 100'000) {
    return std::nullopt;
  }
  const std::string_view units = "smhd";
  constexpr int64_t kSeconds[] = {1, 60, 3600, 86400};
  const size_t unit = units.find(*rest);
  if (unit == std::string_view::npos) return std::nullopt;
  return now_micros - count * kSeconds[unit] * kMicrosPerSecond;
}

std::string decimal(int64_t nano) {
  std::string out;
  append_decimal(out, nano, 9);
  return out;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows, size_t left) {
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i < left) {
        fmt::format_to(std::back_inserter(out), "{}{:<{}}", i == 0 ? "" : "  ", row[i], widths[i]);
      } else {
        fmt::format_to(std::back_inserter(out), "  {:>{}}", row[i], widths[i]);
      }
    }
    out += '\n';
  }
  return out;
}

// SQLite only says that it cannot open a file, not why.
Result<store::Database> open_ledger_file(const std::string& path, store::OpenMode mode) {
  std::string reason;
  if (access(path.c_str(), R_OK) != 0) reason = std::generic_category().message(errno);
  if (std::error_code failed; std::filesystem::is_directory(path, failed))
    reason = std::generic_category().message(EISDIR);
  if (!reason.empty()) {
    return Error(Outcome::BadRequest, "cannot open the ledger " + path + ": " + reason +
                                          "; --ledger names the file of another");
  }
  return store::Database::open(path, {.mode = mode});
}

Result<store::Database> open_current_ledger(const std::string& path, store::OpenMode mode) {
  Result<store::Database> database = open_ledger_file(path, mode);
  if (!database) return database;
  Result<int64_t> version = database->integer("PRAGMA user_version");
  if (!version) return std::move(version).error();
  if (*version != store::migrations().back().version) {
    return Error(Outcome::BadRequest,
                 "the ledger " + path +
                     " was written by another version of sluice: start the gateway of this version "
                     "on it once, or run `sluice ledger upgrade`");
  }
  return database;
}

}  // namespace sluice::app
