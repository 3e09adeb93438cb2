// The shape of bodies.db: what was asked and answered, of the keys that keep it. Apart from the
// ledger, so that neither its size nor its faults are the ledger's.
#include "store/schema.h"

namespace sluice::store {
namespace {

constexpr int64_t kBodiesId = 0x534c4244;  // "SLBD"

// bodies          one row per exchange of a key that keeps bodies
//   key           of `exchange` in the ledger: milliseconds since 1970 | lane | sequence
//   request_tail  the other half of the request id
//   owner         name of the key that asked
//   user          the end user, as the caller said; '' where none was said
//   dropped       1: there was no room for the bodies; both are null
//   *_size        bytes of the whole body; more than are kept: it was cut
//   request       out of its content coding; null: none came
//   answer        as it was sent, events and comments of a stream included; null: none was sent
constexpr char kBodiesSql[] = R"sql(
CREATE TABLE bodies (
  key          INTEGER PRIMARY KEY,
  request_tail INTEGER NOT NULL,
  owner        TEXT NOT NULL,
  user         TEXT NOT NULL,
  endpoint     TEXT NOT NULL,
  status       INTEGER NOT NULL,
  stream       INTEGER NOT NULL,
  dropped      INTEGER NOT NULL,
  request_size INTEGER NOT NULL,
  answer_size  INTEGER NOT NULL,
  request      BLOB,
  answer       BLOB
) STRICT;
CREATE INDEX bodies_by_owner ON bodies (owner);
CREATE INDEX bodies_by_user ON bodies (user) WHERE user <> '';
)sql";

constexpr Migration kBodiesMigrations[] = {
    {1, "prompts and answers of keys that keep them", kBodiesSql},
};
constexpr Schema kBodies{.application_id = kBodiesId, .migrations = kBodiesMigrations};

}  // namespace

const Schema& bodies_schema() {
  return kBodies;
}

}  // namespace sluice::store
