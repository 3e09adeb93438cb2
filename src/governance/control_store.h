// control.db: what the admin API made - organisations, teams, keys, what end users may spend - and
// who may use it. Every change and its audit row are one transaction, on the disk before it is
// confirmed. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "governance/audit_chain.h"
#include "governance/revocations.h"
#include "governance/sealed_secret.h"
#include "governance/virtual_key.h"
#include "store/sqlite.h"

namespace sluice::governance {

enum class ObjectKind : uint8_t { Organisation, Team, Key, EndUsers };
// "organisation", "team", "key", "end_users".
std::string_view name_of(ObjectKind kind);

// What an administrator may do; each may do what the ones before may.
enum class Role : uint8_t { Viewer, Analyst, Operator, Admin };
inline constexpr size_t kRoleCount = 4;
// "viewer", "analyst", "operator", "admin".
std::string_view name_of(Role role);
std::optional<Role> role_named(std::string_view name);

struct StoredObject {
  ObjectKind kind = ObjectKind::Key;
  std::string name;      // empty of EndUsers: there is one
  int64_t revision = 0;  // number of the audit row of its last change
  std::string body;      // JSON
  int64_t created_micros = 0;
  int64_t changed_micros = 0;
};

// What is kept of a key's text.
struct StoredText {
  std::string key;
  Digest digest{};
  std::string shown;
  int64_t made_micros = 0;
  int64_t until_micros = 0;  // 0: as long as the key
};

struct StoredToken {
  std::string name;
  Role role = Role::Viewer;
  Digest digest{};
  int64_t created_micros = 0;
};

struct ControlContent {
  std::vector<StoredObject> objects;
  std::vector<StoredText> texts;
  std::vector<StoredToken> tokens;
  std::vector<Revocation> revoked;
};

struct StoredSecrets {
  std::string check;  // SecretsKey::check() of the key they are sealed with; empty: none yet
  std::vector<SealedSecret> secrets;  // by name
};
// Also of a store that an older program made, and beside one that writes to it.
Result<StoredSecrets> read_secrets(const store::Database& database);

// A row of the audit chain of the control.db at `path`, of a change that is made elsewhere; beside
// a gateway or without one.
Result<void> note_in_chain(const std::string& path, AuditNote note, int64_t wall_micros);

// Seals all secrets of the control.db at `path` anew, with an audit row: all or none. How many.
// Errors: `from` is not their key.
Result<size_t> rekey_secrets(const std::string& path, const SecretsKey& from, const SecretsKey& to,
                             const std::string& actor, int64_t wall_micros);

class ControlStore {
 public:
  // `pepper`: KeyDigester::fingerprint(). Errors: another pepper than the one this store was made
  // with, and all that store::open_store() refuses.
  static Result<ControlStore> open(const std::string& path, const Digest& pepper);
  // For those who do nothing with keys.
  static Result<ControlStore> open(const std::string& path);

  Result<ControlContent> read() const;
  const store::Database& database() const { return database_; }

  // All of it or nothing; rolls back unless committed. Calls after one that failed do nothing, and
  // commit() says why.
  class Change {
   public:
    // First of all: the number it gives is the revision of what is put.
    int64_t audit(AuditNote note, int64_t wall_micros);
    void put(const StoredObject& object);
    void remove(ObjectKind kind, std::string_view name);
    void add(const StoredText& text);
    // The texts that are good for as long as the key are good until then.
    void end_texts(std::string_view key, int64_t until_micros);
    // Those that ended before.
    void forget_texts(std::string_view key, int64_t before_micros);
    void remove_texts(std::string_view key);
    void add(const Revocation& revoked, int64_t wall_micros);
    void put(const StoredToken& token);
    void remove_token(std::string_view name);
    // Before a secret is put: fails where others were sealed with another key.
    void use_secrets_key(const std::string& check);
    // For a key that all of them are sealed with now.
    void replace_secrets_key(const std::string& check);
    void put(const SealedSecret& secret);
    void remove_secret(std::string_view name);
    Result<void> commit();

   private:
    friend class ControlStore;
    Change(store::Database& database, store::Transaction transaction)
        : database_(database), transaction_(std::move(transaction)) {}
    template <class... Values>
    void run(std::string_view sql, const Values&... values);

    store::Database& database_;
    store::Transaction transaction_;
    Result<void> state_;
  };
  Result<Change> begin();

 private:
  explicit ControlStore(store::Database database) : database_(std::move(database)) {}
  Result<void> check_pepper(const Digest& pepper);

  store::Database database_;
};

}  // namespace sluice::governance
