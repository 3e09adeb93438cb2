#include "app/exports/ndjson_folder.h"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "app/file_content.h"

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin = "exchanges-";
constexpr std::string_view kEnd = ".ndjson";
constexpr size_t kDigits = 16;
constexpr std::string_view kClaim = "/export.json";

Error trouble(const std::string& path, const std::string& reason) {
  return Error(
      Outcome::Bug,
      fmt::format("cannot write {}: {}; export.ndjson.folder names another folder", path, reason));
}

// The last revision in the file; nothing: it is not ours.
std::optional<int64_t> last_revision(std::string_view name) {
  if (name.size() != kBegin.size() + 2 * kDigits + 1 + kEnd.size()) return std::nullopt;
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return std::nullopt;
  const std::string_view digits = name.substr(kBegin.size() + kDigits + 1, kDigits);
  int64_t last = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), last);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return last;
}

std::string bound(const std::optional<int64_t>& micros) {
  return micros ? std::to_string(*micros) : "null";
}

std::string claim_of(const ExportStart& start) {
  return fmt::format("{{\"export\":\"{}\",\"since_micros\":{},\"until_micros\":{}}}\n", start.id,
                     bound(start.window.since), bound(start.window.until));
}

// The names of new files outlive a power cut.
void sync_folder(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

NdjsonFolder::NdjsonFolder(std::string folder, uint64_t max_file)
    : folder_(std::move(folder)), name_("ndjson:" + folder_), max_file_(max_file) {}

Result<int64_t> NdjsonFolder::prepare(const ExportStart& start) {
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed) return trouble(folder_, failed.message());
  int64_t last = 0;
  bool has_files = false;
  for (fs::directory_iterator at(folder_, failed), end; !failed && at != end;
       at.increment(failed)) {
    const auto revision = last_revision(at->path().filename().string());
    has_files = has_files || revision;
    last = std::max(last, revision.value_or(0));
  }
  if (failed) return trouble(folder_, failed.message());
  if (auto claimed = claim(start, has_files); !claimed) return std::move(claimed).error();
  if (last > start.newest) {
    return Error(Outcome::BadRequest,
                 fmt::format("{} holds more than the ledger, which is an old copy then: name a new "
                             "folder with --folder",
                             folder_));
  }
  return std::max(start.done, last);
}

Result<void> NdjsonFolder::claim(const ExportStart& start, bool has_files) const {
  const std::string path = folder_ + std::string(kClaim);
  const std::string wanted = claim_of(start);
  const Result<std::string> found = file_content(path);
  if (found && *found == wanted) return {};
  const bool ours = found && found->starts_with(fmt::format("{{\"export\":\"{}\",", start.id));
  if (ours) {
    return Error(Outcome::BadRequest,
                 fmt::format("{} holds an export of another period ({} says which): --since and "
                             "--until stay the same for one folder; name a new one with --folder",
                             folder_, path));
  }
  if (found || has_files) {
    return Error(
        Outcome::BadRequest,
        fmt::format("{} holds the export of another ledger: name a new folder with --folder",
                    folder_));
  }
  if (auto written = replace_file(path, wanted); !written)
    return trouble(path, written.error().message());
  return {};
}

Result<void> NdjsonFolder::write(const ExportBatch& batch) {
  std::string lines;
  int64_t first = 0;
  int64_t last = 0;
  std::string line;
  for (const telemetry::ExchangeRow& row : batch.rows) {
    line.clear();
    telemetry::append_json_object(line, row);
    line += '\n';
    if (!lines.empty() && lines.size() + line.size() > max_file_) {
      if (auto put_down = put(lines, first, last); !put_down) return put_down;
      lines.clear();
    }
    if (lines.empty()) first = row.revision;
    last = row.revision;
    lines += line;
  }
  return lines.empty() ? Result<void>() : put(lines, first, last);
}

Result<void> NdjsonFolder::put(const std::string& lines, int64_t first, int64_t last) const {
  const std::string path = fmt::format("{}/{}{:016}-{:016}{}", folder_, kBegin, first, last, kEnd);
  if (auto written = replace_file(path, lines); !written)
    return trouble(path, written.error().message());
  sync_folder(folder_);
  return {};
}

}  // namespace sluice::app
