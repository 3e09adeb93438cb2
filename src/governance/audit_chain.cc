#include "governance/audit_chain.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <limits>

#include "base/text_out.h"

namespace sluice::governance {
namespace {

constexpr size_t kMostProblems = 20;
constexpr std::string_view kColumns =
    "SELECT seq, time, actor, action, target, before, after, prev, hash FROM audit ";

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Of another length: zeros, which no hash is.
Digest digest_of(std::string_view bytes) {
  Digest digest{};
  if (bytes.size() == digest.size()) std::memcpy(digest.data(), bytes.data(), bytes.size());
  return digest;
}

AuditEntry entry_of(const store::Statement& row) {
  return {.seq = row.integer(0),
          .time_micros = row.integer(1),
          .note = {.actor = std::string(row.text(2)),
                   .action = std::string(row.text(3)),
                   .target = std::string(row.text(4)),
                   .before = std::string(row.text(5)),
                   .after = std::string(row.text(6))},
          .prev = digest_of(row.text(7)),
          .hash = digest_of(row.text(8))};
}

// Walks the rows and compares each with what the one before promises.
class Verifier {
 public:
  Verifier(AuditReport& report, const std::optional<AuditHead>& known)
      : report_(report), known_(known) {}

  void see(const AuditEntry& entry) {
    const int64_t expected = report_.head.seq + 1;
    if (entry.seq != expected)
      complain(fmt::format("rows {} to {} are missing", expected, entry.seq - 1));
    else if (!same_digest(entry.prev, report_.head.hash))
      complain(fmt::format("row {} does not follow row {}", entry.seq, entry.seq - 1));
    if (!same_digest(entry.hash, audit_hash(entry)))
      complain(fmt::format("row {} was changed", entry.seq));
    if (known_ && known_->seq == entry.seq && !same_digest(known_->hash, entry.hash))
      complain(fmt::format("row {} is not the one that was written down", entry.seq));
    ++report_.rows;
    report_.head = {.seq = entry.seq, .hash = entry.hash};
  }

  void end() {
    if (known_ && known_->seq > report_.head.seq)
      complain(
          fmt::format("rows {} to {} were cut off the end", report_.head.seq + 1, known_->seq));
  }

 private:
  void complain(std::string problem) {
    if (report_.problems.size() < kMostProblems) report_.problems.push_back(std::move(problem));
  }

  AuditReport& report_;
  const std::optional<AuditHead>& known_;
};

}  // namespace

std::string text_of(const AuditHead& head) {
  return std::to_string(head.seq) + ":" + hex_of(head.hash);
}

std::optional<AuditHead> audit_head_of(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  AuditHead head;
  const char* const end = text.data() + colon;
  const auto read = std::from_chars(text.data(), end, head.seq);
  const std::optional<Digest> hash = digest_of_hex(text.substr(colon + 1));
  if (read.ec != std::errc() || read.ptr != end || head.seq < 0 || !hash) return std::nullopt;
  head.hash = *hash;
  return head;
}

Digest audit_hash(const AuditEntry& entry) {
  std::string text(bytes_of(entry.prev));
  text += '[';
  append_int(text, entry.seq);
  text += ',';
  append_int(text, entry.time_micros);
  const AuditNote& note = entry.note;
  for (const std::string* field :
       {&note.actor, &note.action, &note.target, &note.before, &note.after}) {
    text += ',';
    append_json(text, *field);
  }
  text += ']';
  return sha256_of(text);
}

void append_entry(std::string& out, const AuditEntry& entry) {
  const auto field = [&out](std::string_view name, std::string_view text) {
    out += name;
    append_json(out, text);
  };
  char time[kTimestampBound];
  out += "{\"seq\":";
  append_int(out, entry.seq);
  out += ",\"time_micros\":";
  append_int(out, entry.time_micros);
  const char* const end = put_timestamp(time, entry.time_micros);
  field(",\"time\":", {time, static_cast<size_t>(end - time)});
  field(",\"actor\":", entry.note.actor);
  field(",\"action\":", entry.note.action);
  field(",\"target\":", entry.note.target);
  out += ",\"before\":" + (entry.note.before.empty() ? "null" : entry.note.before);
  out += ",\"after\":" + (entry.note.after.empty() ? "null" : entry.note.after);
  field(",\"prev\":", hex_of(entry.prev));
  field(",\"hash\":", hex_of(entry.hash));
  out += '}';
}

Result<AuditHead> read_audit_head(const store::Database& database) {
  auto rows = database.prepare("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
  if (!rows) return std::move(rows).error();
  auto row = rows->step();
  if (!row) return std::move(row).error();
  if (!*row) return AuditHead{};
  return AuditHead{.seq = rows->integer(0), .hash = digest_of(rows->text(1))};
}

Result<AuditEntry> append_audit(const store::Database& database, AuditNote note,
                                int64_t wall_micros) {
  const Result<AuditHead> head = read_audit_head(database);
  if (!head) return Error(Outcome::Bug, head.error().message());
  AuditEntry entry{.seq = head->seq + 1,
                   .time_micros = wall_micros,
                   .note = std::move(note),
                   .prev = head->hash};
  entry.hash = audit_hash(entry);
  auto insert = database.prepare("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  insert->bind(1, entry.seq);
  insert->bind(2, entry.time_micros);
  insert->bind(3, std::string_view(entry.note.actor));
  insert->bind(4, std::string_view(entry.note.action));
  insert->bind(5, std::string_view(entry.note.target));
  insert->bind(6, std::string_view(entry.note.before));
  insert->bind(7, std::string_view(entry.note.after));
  insert->bind_blob(8, bytes_of(entry.prev));
  insert->bind_blob(9, bytes_of(entry.hash));
  if (Result<void> done = insert->run(); !done) return std::move(done).error();
  return entry;
}

Result<void> for_each_audit(const store::Database& database, int64_t after,
                            const std::function<void(const AuditEntry&)>& each) {
  auto rows = database.prepare(std::string(kColumns) + "WHERE seq > ? ORDER BY seq");
  if (!rows) return std::move(rows).error();
  rows->bind(1, after);
  for (;;) {
    const Result<bool> row = rows->step();
    if (!row) return Error(Outcome::Bug, row.error().message());
    if (!*row) return {};
    each(entry_of(*rows));
  }
}

Result<std::vector<AuditEntry>> latest_audit(const store::Database& database, int64_t before,
                                             size_t limit) {
  auto rows = database.prepare(std::string(kColumns) + "WHERE seq < ? ORDER BY seq DESC LIMIT ?");
  if (!rows) return std::move(rows).error();
  rows->bind(1, before);
  rows->bind(2, static_cast<int64_t>(limit));
  std::vector<AuditEntry> entries;
  for (;;) {
    const Result<bool> row = rows->step();
    if (!row) return Error(Outcome::Bug, row.error().message());
    if (!*row) return entries;
    entries.push_back(entry_of(*rows));
  }
}

Result<AuditReport> verify_audit(const store::Database& database,
                                 const std::optional<AuditHead>& known) {
  AuditReport report;
  Verifier verifier(report, known);
  // Below 1 stands nothing that this program wrote.
  const Result<void> walked = for_each_audit(database, std::numeric_limits<int64_t>::min(),
                                             [&](const AuditEntry& entry) { verifier.see(entry); });
  if (!walked) return Error(Outcome::Bug, walked.error().message());
  verifier.end();
  return report;
}

}  // namespace sluice::governance
