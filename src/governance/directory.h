// Who may call: organisations, their teams, and the keys given to those. Immutable once built; a
// change builds a new one, which every loop gets before the change is confirmed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "governance/accounts.h"
#include "governance/policy.h"
#include "governance/rights.h"
#include "governance/virtual_key.h"

namespace sluice::governance {

inline constexpr std::string_view kDefaultOrganisation = "default";

struct Organisation {
  std::string name;
  Policy policy;
};

struct Team {
  std::string name;
  std::string organisation;
  Policy policy;
  Metadata metadata;
};

// What is kept of a key's text.
struct KeyDigest {
  Digest digest{};
  bool peppered = true;      // by KeyDigester; else plain SHA-256, as a configuration file has it
  int64_t until_micros = 0;  // good until then: a rotated key's old text; 0: for good
  // What other instances know it by: SHA-256 where the text is known, for peppers differ.
  Digest shared{};
  bool revoked = false;  // this text, here or on another instance
};

struct Key {
  std::string name;
  std::string team;         // empty: none
  std::string environment;  // "production", "staging": a label
  std::string shown;        // "sk-sluice-…x7Kq"
  std::vector<KeyDigest> digests;
  int64_t expires_micros = 0;  // 0: never
  bool revoked = false;
  Rights rights;
  Policy policy;
  bool restricted = false;    // its data must not leave: local targets only
  bool keeps_bodies = false;  // prompts and answers are stored
  Metadata metadata;
};

struct DirectoryParts {
  std::vector<Organisation> organisations;
  std::vector<Team> teams;
  std::vector<Key> keys;
  Policy end_users;
};

// Why a presented key opens nothing. Callers are told no more than "unknown, expired or revoked":
// who guesses keys shall not learn which it was. The ledger and the log say it.
enum class KeyFault : uint8_t { Missing, Unknown, Expired, Revoked, Address };

class Directory {
 public:
  struct Entry {
    Key key;
    std::string organisation;
    Metadata metadata;  // the team's, then the key's own
    std::vector<AddressRange> addresses;
    std::shared_ptr<Account> account;
    std::shared_ptr<Account> team;  // null: of none
    std::shared_ptr<Account> organisation_account;
  };
  struct Found {
    const Entry* entry = nullptr;  // of a key that was refused too, where it is known
    std::optional<KeyFault> fault;
  };

  // Gives the accounts their policies. `digester` outlives the directory. Errors name what is
  // missing or twice: "keys.a.team".
  static Result<std::shared_ptr<const Directory>> build(DirectoryParts parts, Accounts& accounts,
                                                        const KeyDigester& digester,
                                                        int64_t wall_micros);

  // Without any key nobody has to show one: the gateway then serves this machine only.
  bool open() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  // By the text of a key, and the address it comes from.
  Found find(std::string_view presented, std::string_view address, int64_t wall_micros) const;
  const Entry* named(std::string_view name) const;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  struct Slot {
    size_t entry;
    KeyDigest kept;
  };
  struct DigestHash {
    // Nobody can choose a keyed digest, so a piece of it is as good as any hash.
    size_t operator()(const Digest& digest) const;
  };
  explicit Directory(const KeyDigester& digester) : digester_(digester) {}
  const Slot* slot_of(const Digest& digest, bool peppered) const;

  const KeyDigester& digester_;
  std::vector<Entry> entries_;  // by name
  std::unordered_map<Digest, Slot, DigestHash> slots_;
  bool has_plain_ = false;
};

}  // namespace sluice::governance
