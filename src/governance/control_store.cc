#include "governance/control_store.h"

#include <array>
#include <cstring>
#include <utility>

#include "store/schema.h"

namespace sluice::governance {
namespace {

constexpr std::array<std::string_view, 4> kKinds = {"organisation", "team", "key", "end_users"};
constexpr std::array<std::string_view, kRoleCount> kRoles = {"viewer", "analyst", "operator",
                                                             "admin"};
// Changes are rare: the log is folded into the file when it has grown to this many pages.
constexpr int kCheckpointPages = 64;

struct Blob {
  explicit Blob(const Digest& digest)
      : bytes(reinterpret_cast<const char*>(digest.data()), digest.size()) {}
  explicit Blob(std::string_view given) : bytes(given) {}
  std::string_view bytes;
};

void bind(store::Statement& statement, int index, int64_t value) {
  statement.bind(index, value);
}
void bind(store::Statement& statement, int index, std::string_view text) {
  statement.bind(index, text);
}
void bind(store::Statement& statement, int index, const Blob& blob) {
  statement.bind_blob(index, blob.bytes);
}

template <size_t N>
std::optional<size_t> index_of(const std::array<std::string_view, N>& names,
                               std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return i;
  return std::nullopt;
}

Error damaged(std::string_view what) {
  return Error(Outcome::Bug, "the control store holds " + std::string(what) +
                                 " that this program does not know; a newer sluice made it, or it "
                                 "was changed by hand");
}

Result<Digest> digest_in(const store::Statement& row, int column) {
  Digest digest;
  const std::string_view bytes = row.text(column);
  if (bytes.size() != digest.size()) return damaged("a digest");
  std::memcpy(digest.data(), bytes.data(), bytes.size());
  return digest;
}

// `each` is called with every row; it says what is wrong with one.
template <class Each>
Result<void> for_each_row(const store::Database& database, std::string_view sql, Each&& each) {
  auto rows = database.prepare(sql);
  if (!rows) return std::move(rows).error();
  for (;;) {
    const Result<bool> row = rows->step();
    if (!row) return Error(Outcome::Bug, row.error().message());
    if (!*row) return {};
    if (Result<void> taken = each(*rows); !taken) return taken;
  }
}

}  // namespace

std::string_view name_of(ObjectKind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

std::string_view name_of(Role role) {
  return kRoles[static_cast<size_t>(role)];
}

std::optional<Role> role_named(std::string_view name) {
  const std::optional<size_t> index = index_of(kRoles, name);
  return index ? std::optional(static_cast<Role>(*index)) : std::nullopt;
}

Result<ControlStore> ControlStore::open(const std::string& path) {
  Result<store::Database> database =
      store::open_store(path, store::control_schema(), {.outlives_power_cuts = true});
  if (!database) return std::move(database).error();
  return ControlStore(*std::move(database));
}

Result<ControlStore> ControlStore::open(const std::string& path, const Digest& pepper) {
  Result<ControlStore> found = open(path);
  if (!found) return found;
  ControlStore opened = *std::move(found);
  if (Result<void> same = opened.check_pepper(pepper); !same) return std::move(same).error();
  return opened;
}

Result<void> ControlStore::check_pepper(const Digest& pepper) {
  auto kept = database_.prepare("SELECT value FROM fact WHERE name = 'pepper'");
  if (!kept) return std::move(kept).error();
  const Result<bool> row = kept->step();
  if (!row) return Error(Outcome::Bug, row.error().message());
  if (*row) {
    if (kept->text(0) == hex_of(pepper)) return {};
    return Error(Outcome::BadRequest,
                 "this is not the pepper that the keys in " + database_.path() +
                     " were made with: none of them would be known; give back the old one "
                     "(governance.pepper, or the file key-pepper in server.data_dir)",
                 "governance.pepper");
  }
  auto insert = database_.prepare("INSERT INTO fact VALUES ('pepper', ?)");
  if (!insert) return std::move(insert).error();
  const std::string hex = hex_of(pepper);
  insert->bind(1, std::string_view(hex));
  return insert->run();
}

Result<ControlContent> ControlStore::read() const {
  ControlContent content;
  const auto object = [&](const store::Statement& row) -> Result<void> {
    const std::optional<size_t> kind = index_of(kKinds, row.text(0));
    if (!kind) return damaged("a kind of object");
    content.objects.push_back({.kind = static_cast<ObjectKind>(*kind),
                               .name = std::string(row.text(1)),
                               .revision = row.integer(2),
                               .body = std::string(row.text(3)),
                               .created_micros = row.integer(4),
                               .changed_micros = row.integer(5)});
    return {};
  };
  const auto text = [&](const store::Statement& row) -> Result<void> {
    const Result<Digest> digest = digest_in(row, 0);
    if (!digest) return Error(Outcome::Bug, digest.error().message());
    content.texts.push_back({.key = std::string(row.text(1)),
                             .digest = *digest,
                             .shown = std::string(row.text(2)),
                             .made_micros = row.integer(3),
                             .until_micros = row.integer(4)});
    return {};
  };
  const auto token = [&](const store::Statement& row) -> Result<void> {
    const std::optional<Role> role = role_named(row.text(1));
    const Result<Digest> digest = digest_in(row, 2);
    if (!role || !digest) return damaged("an admin token");
    content.tokens.push_back({.name = std::string(row.text(0)),
                              .role = *role,
                              .digest = *digest,
                              .created_micros = row.integer(3)});
    return {};
  };
  if (auto done = for_each_row(database_,
                               "SELECT kind, name, revision, body, created, changed FROM object"
                               " ORDER BY kind, name",
                               object);
      !done)
    return std::move(done).error();
  if (auto done = for_each_row(
          database_, "SELECT digest, key, shown, made, until FROM key_text ORDER BY key, made",
          text);
      !done)
    return std::move(done).error();
  if (auto done = for_each_row(
          database_, "SELECT name, role, digest, created FROM admin_token ORDER BY name", token);
      !done)
    return std::move(done).error();
  const auto revocation = [&](const store::Statement& row) -> Result<void> {
    const Result<Digest> digest = digest_in(row, 0);
    if (!digest) return Error(Outcome::Bug, digest.error().message());
    content.revoked.push_back({.text = *digest, .key = std::string(row.text(1))});
    return {};
  };
  if (auto done = for_each_row(database_, "SELECT digest, key FROM revoked", revocation); !done)
    return std::move(done).error();
  return content;
}

Result<StoredSecrets> read_secrets(const store::Database& database) {
  StoredSecrets stored;
  const Result<int64_t> there =
      database.integer("SELECT count(*) FROM sqlite_master WHERE name = 'secret'");
  if (!there) return Error(Outcome::Bug, there.error().message());
  if (*there == 0) return stored;
  const auto check = [&](const store::Statement& row) -> Result<void> {
    stored.check = std::string(row.text(0));
    return {};
  };
  const auto secret = [&](const store::Statement& row) -> Result<void> {
    stored.secrets.push_back({.name = std::string(row.text(0)),
                              .version = row.integer(1),
                              .wrapped = std::string(row.text(2)),
                              .sealed = std::string(row.text(3)),
                              .changed_micros = row.integer(4)});
    return {};
  };
  if (auto done =
          for_each_row(database, "SELECT value FROM fact WHERE name = 'secrets_key'", check);
      !done)
    return std::move(done).error();
  if (auto done = for_each_row(
          database, "SELECT name, version, wrapped, sealed, changed FROM secret ORDER BY name",
          secret);
      !done)
    return std::move(done).error();
  return stored;
}

Result<ControlStore::Change> ControlStore::begin() {
  Result<store::Transaction> transaction = store::Transaction::begin(database_);
  if (!transaction) return std::move(transaction).error();
  return Change(database_, *std::move(transaction));
}

template <class... Values>
void ControlStore::Change::run(std::string_view sql, const Values&... values) {
  if (!state_) return;
  Result<store::Statement> statement = database_.prepare(sql);
  if (!statement) {
    state_ = std::move(statement).error();
    return;
  }
  int index = 0;
  (bind(*statement, ++index, values), ...);
  state_ = statement->run();
}

int64_t ControlStore::Change::audit(AuditNote note, int64_t wall_micros) {
  if (!state_) return 0;
  Result<AuditEntry> entry = append_audit(database_, std::move(note), wall_micros);
  if (entry) return entry->seq;
  state_ = std::move(entry).error();
  return 0;
}

void ControlStore::Change::put(const StoredObject& object) {
  run("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?)", name_of(object.kind),
      std::string_view(object.name), object.revision, std::string_view(object.body),
      object.created_micros, object.changed_micros);
}

void ControlStore::Change::remove(ObjectKind kind, std::string_view name) {
  run("DELETE FROM object WHERE kind = ? AND name = ?", name_of(kind), name);
}

void ControlStore::Change::add(const StoredText& text) {
  run("INSERT INTO key_text VALUES (?, ?, ?, ?, ?)", Blob(text.digest), std::string_view(text.key),
      std::string_view(text.shown), text.made_micros, text.until_micros);
}

void ControlStore::Change::end_texts(std::string_view key, int64_t until_micros) {
  run("UPDATE key_text SET until = ? WHERE key = ? AND until = 0", until_micros, key);
}

void ControlStore::Change::forget_texts(std::string_view key, int64_t before_micros) {
  run("DELETE FROM key_text WHERE key = ? AND until != 0 AND until < ?", key, before_micros);
}

void ControlStore::Change::remove_texts(std::string_view key) {
  run("DELETE FROM key_text WHERE key = ?", key);
}

void ControlStore::Change::add(const Revocation& revoked, int64_t wall_micros) {
  run("INSERT OR IGNORE INTO revoked VALUES (?, ?, ?)", Blob{revoked.text},
      std::string_view(revoked.key), wall_micros);
}

void ControlStore::Change::put(const StoredToken& token) {
  run("INSERT OR REPLACE INTO admin_token VALUES (?, ?, ?, ?)", std::string_view(token.name),
      name_of(token.role), Blob(token.digest), token.created_micros);
}

void ControlStore::Change::remove_token(std::string_view name) {
  run("DELETE FROM admin_token WHERE name = ?", name);
}

void ControlStore::Change::use_secrets_key(const std::string& check) {
  if (!state_) return;
  const Result<StoredSecrets> stored = read_secrets(database_);
  if (!stored) {
    state_ = Error(stored.error().outcome(), stored.error().message());
  } else if (!stored->secrets.empty() && stored->check != check) {
    state_ = Error(Outcome::BadRequest,
                   "the secrets in " + database_.path() + " were stored with another key");
  }
  replace_secrets_key(check);
}

void ControlStore::Change::replace_secrets_key(const std::string& check) {
  run("INSERT OR REPLACE INTO fact VALUES ('secrets_key', ?)", std::string_view(check));
}

void ControlStore::Change::put(const SealedSecret& secret) {
  run("INSERT OR REPLACE INTO secret VALUES (?, ?, ?, ?, ?)", std::string_view(secret.name),
      secret.version, Blob(secret.wrapped), Blob(secret.sealed), secret.changed_micros);
}

void ControlStore::Change::remove_secret(std::string_view name) {
  run("DELETE FROM secret WHERE name = ?", name);
}

Result<void> ControlStore::Change::commit() {
  if (!state_) return std::move(state_);
  if (Result<void> done = transaction_.commit(); !done) return done;
  // What was committed is safe with or without: the next change tries again.
  if (database_.wal_pages() > kCheckpointPages) [[maybe_unused]]
    const Result<void> folded = database_.checkpoint();
  return {};
}

Result<void> note_in_chain(const std::string& path, AuditNote note, int64_t wall_micros) {
  Result<ControlStore> store = ControlStore::open(path);
  if (!store) return std::move(store).error();
  Result<ControlStore::Change> change = store->begin();
  if (!change) return std::move(change).error();
  change->audit(std::move(note), wall_micros);
  return change->commit();
}

Result<size_t> rekey_secrets(const std::string& path, const SecretsKey& from, const SecretsKey& to,
                             const std::string& actor, int64_t wall_micros) {
  Result<ControlStore> store = ControlStore::open(path);
  if (!store) return std::move(store).error();
  Result<ControlStore::Change> change = store->begin();
  if (!change) return std::move(change).error();
  const Result<StoredSecrets> stored = read_secrets(store->database());
  if (!stored) return Error(stored.error().outcome(), stored.error().message());
  if (!stored->secrets.empty() && stored->check != from.check())
    return Error(Outcome::BadRequest, "the secrets in " + path + " were stored with another key");
  change->audit({.actor = actor,
                 .action = "secret.rekey",
                 .target = "",
                 .before = "",
                 .after = R"({"secrets":)" + std::to_string(stored->secrets.size()) + "}"},
                wall_micros);
  for (const SealedSecret& each : stored->secrets) {
    const Result<SealedSecret> moved = from.rewrap(each, to);
    if (!moved) return Error(moved.error().outcome(), moved.error().message());
    change->put(*moved);
  }
  change->replace_secrets_key(to.check());
  if (Result<void> done = change->commit(); !done) return std::move(done).error();
  return stored->secrets.size();
}

}  // namespace sluice::governance
