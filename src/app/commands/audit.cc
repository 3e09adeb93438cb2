#include "app/commands/audit.h"

#include <fmt/format.h>
#include <unistd.h>

#include "app/config_diagnostic.h"
#include "governance/audit_chain.h"
#include "store/sqlite.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;

CommandResult unusable(std::string_view message) {
  return {.exit_code = kExitInvalid, .out = "", .err = fmt::format("sluice: {}\n", message)};
}

Result<store::Database> open_chain(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) {
    return Error(Outcome::BadRequest,
                 "cannot read " + path + "; --control names the file of another gateway");
  }
  return store::Database::open(path, {.mode = store::OpenMode::ReadOnly});
}

std::string as_json(const governance::AuditReport& report) {
  std::string problems;
  for (const std::string& problem : report.problems)
    problems += (problems.empty() ? "" : ",") + json_quoted(problem);
  return fmt::format("{{\"rows\":{},\"head\":{},\"problems\":[{}]}}\n", report.rows,
                     json_quoted(governance::text_of(report.head)), problems);
}

}  // namespace

CommandResult verify_audit(const AuditCommand& command) {
  std::optional<governance::AuditHead> known;
  if (!command.head.empty()) {
    known = governance::audit_head_of(command.head);
    if (!known)
      return unusable("--head takes what `sluice audit verify` printed, such as 42:9f86..., not '" +
                      command.head + "'");
  }
  const Result<store::Database> database = open_chain(command.control);
  if (!database) return unusable(database.error().message());
  const auto report = governance::verify_audit(*database, known);
  if (!report) return unusable(report.error().message());
  CommandResult result;
  result.exit_code = report->problems.empty() ? kExitOk : kExitFailed;
  if (command.json) {
    result.out = as_json(*report);
    return result;
  }
  for (const std::string& problem : report->problems) result.out += problem + "\n";
  result.out += fmt::format("{} rows, {}; head {}\n", report->rows,
                            report->problems.empty() ? "sound" : "not sound",
                            governance::text_of(report->head));
  return result;
}

CommandResult export_audit(const AuditCommand& command) {
  const Result<store::Database> database = open_chain(command.control);
  if (!database) return unusable(database.error().message());
  CommandResult result;
  const Result<void> walked = governance::for_each_audit(
      *database, command.after, [&](const governance::AuditEntry& entry) {
        governance::append_entry(result.out, entry);
        result.out += '\n';
      });
  if (!walked) return unusable(walked.error().message());
  return result;
}

}  // namespace sluice::app
