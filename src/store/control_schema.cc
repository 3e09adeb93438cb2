// The shape of control.db: what the admin API made, and who changed what.
#include "store/schema.h"

namespace sluice::store {
namespace {

constexpr int64_t kControlId = 0x534c4354;  // "SLCT"

// fact         what is true of the installation; 'pepper': fingerprint of the one that all digests
//              are made with; 'secrets_key': what tells the key of all secrets from another
// object       kind: organisation, team, key, end_users; name: '' of end_users
//   revision   seq of the audit row of its last change
//   body       its settings, JSON, as they were written
// key_text     what is kept of the texts of keys
//   digest     HMAC-SHA256 under the pepper
//   shown      enough to tell two apart: "sk-sluice-…x7Kq"
//   until      microseconds since 1970; 0: good for as long as the key
// admin_token  who may use the admin API; role: viewer, analyst, operator, admin
// audit        one row per change, never written again
//   before, after  JSON, secrets masked; '' where there is nothing
//   prev       hash of the row before, zeros of the first
//   hash       SHA-256 of prev and the row: governance/audit_chain.h
constexpr char kControlSql[] = R"sql(
CREATE TABLE fact (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE object (
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  revision INTEGER NOT NULL,
  body     TEXT NOT NULL,
  created  INTEGER NOT NULL,
  changed  INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_text (
  digest BLOB PRIMARY KEY,
  key    TEXT NOT NULL,
  shown  TEXT NOT NULL,
  made   INTEGER NOT NULL,
  until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE admin_token (
  name    TEXT PRIMARY KEY,
  role    TEXT NOT NULL,
  digest  BLOB NOT NULL UNIQUE,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq    INTEGER PRIMARY KEY,
  time   INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  before TEXT NOT NULL,
  after  TEXT NOT NULL,
  prev   BLOB NOT NULL,
  hash   BLOB NOT NULL
) STRICT;
)sql";

// revoked      texts of keys that open nothing any more, on any instance
//   digest     SHA-256 of a text out of a configuration file, key_text.digest of another
constexpr char kRevokedSql[] = R"sql(
CREATE TABLE revoked (
  digest BLOB PRIMARY KEY,
  key    TEXT NOT NULL,
  made   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// secret       what is kept encrypted: governance/sealed_secret.h
//   version    counts from 1, with every change
constexpr char kSecretSql[] = R"sql(
CREATE TABLE secret (
  name    TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  sealed  BLOB NOT NULL,
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr Migration kControlMigrations[] = {
    {1, "objects, keys, admin tokens and the audit chain", kControlSql},
    {2, "texts of keys that are revoked on all instances", kRevokedSql},
    {3, "secrets", kSecretSql},
};
constexpr Schema kControl{.application_id = kControlId, .migrations = kControlMigrations};

}  // namespace

const Schema& control_schema() {
  return kControl;
}

}  // namespace sluice::store
