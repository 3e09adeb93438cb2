#include "governance/directory.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace sluice::governance {
namespace {

// No key is longer: what is, is not worth a digest.
constexpr size_t kLongestKey = 512;

Error twice(std::string_view kind, const std::string& name) {
  return Error(Outcome::BadRequest, "two " + std::string(kind) + " are called '" + name + "'",
               std::string(kind) + "." + name);
}

template <class Each>
const Each* named_in(const std::vector<Each>& list, std::string_view name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Each& each) { return each.name == name; });
  return found == list.end() ? nullptr : &*found;
}

Result<std::vector<AddressRange>> ranges_of(const Key& key) {
  std::vector<AddressRange> ranges;
  for (const std::string& text : key.rights.addresses) {
    Result<AddressRange> range = AddressRange::parse(text);
    if (!range) {
      return Error(Outcome::BadRequest, range.error().message(), "keys." + key.name + ".addresses");
    }
    ranges.push_back(*range);
  }
  return ranges;
}

}  // namespace

size_t Directory::DigestHash::operator()(const Digest& digest) const {
  size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

Result<std::shared_ptr<const Directory>> Directory::build(DirectoryParts parts, Accounts& accounts,
                                                          const KeyDigester& digester,
                                                          int64_t wall_micros) {
  std::shared_ptr<Directory> built(new Directory(digester));
  std::sort(parts.keys.begin(), parts.keys.end(),
            [](const Key& a, const Key& b) { return a.name < b.name; });
  // Everything is looked at before any account gets a new policy.
  for (size_t i = 0; i < parts.keys.size(); ++i) {
    Key& key = parts.keys[i];
    if (i > 0 && key.name == built->entries_.back().key.name) return twice("keys", key.name);
    const Team* team = named_in(parts.teams, key.team);
    if (!key.team.empty() && team == nullptr) {
      return Error(Outcome::BadRequest, "there is no team '" + key.team + "'",
                   "keys." + key.name + ".team");
    }
    Result<std::vector<AddressRange>> ranges = ranges_of(key);
    if (!ranges) return std::move(ranges).error();
    for (const KeyDigest& kept : key.digests) {
      if (!built->slots_.emplace(kept.digest, Slot{i, kept}).second) {
        return Error(Outcome::BadRequest, "another key has the same text", "keys." + key.name);
      }
      built->has_plain_ |= !kept.peppered;
    }
    Entry entry;
    entry.organisation = std::string(kDefaultOrganisation);
    if (team != nullptr && !team->organisation.empty()) entry.organisation = team->organisation;
    if (team != nullptr) entry.metadata = team->metadata;
    entry.metadata.insert(entry.metadata.end(), key.metadata.begin(), key.metadata.end());
    entry.addresses = *std::move(ranges);
    entry.key = std::move(key);
    built->entries_.push_back(std::move(entry));
  }
  for (Entry& entry : built->entries_) {
    entry.account = accounts.of(Level::Key, entry.key.name);
    entry.account->use(entry.key.policy, wall_micros);
    if (!entry.key.team.empty()) entry.team = accounts.of(Level::Team, entry.key.team);
    entry.organisation_account = accounts.of(Level::Organisation, entry.organisation);
    // One that is declared no longer, or never was, has no limits.
    if (named_in(parts.organisations, entry.organisation) == nullptr)
      entry.organisation_account->use({}, wall_micros);
  }
  // Whoever is laid down nothing any more, or is gone, is counted and not limited.
  for (const auto& account : accounts.all(Level::Team))
    if (named_in(parts.teams, account->subject()) == nullptr) account->use({}, wall_micros);
  for (const auto& account : accounts.all(Level::Organisation))
    if (named_in(parts.organisations, account->subject()) == nullptr) account->use({}, wall_micros);
  for (const auto& account : accounts.all(Level::Key))
    if (built->named(account->subject()) == nullptr) account->use({}, wall_micros);
  for (const Team& team : parts.teams)
    accounts.of(Level::Team, team.name)->use(team.policy, wall_micros);
  for (const Organisation& organisation : parts.organisations)
    accounts.of(Level::Organisation, organisation.name)->use(organisation.policy, wall_micros);
  accounts.use_for_users(parts.end_users, wall_micros);
  return std::shared_ptr<const Directory>(std::move(built));
}

const Directory::Slot* Directory::slot_of(const Digest& digest, bool peppered) const {
  const auto found = slots_.find(digest);
  if (found == slots_.end() || found->second.kept.peppered != peppered) return nullptr;
  return same_digest(found->first, digest) ? &found->second : nullptr;
}

Directory::Found Directory::find(std::string_view presented, std::string_view address,
                                 int64_t wall_micros) const {
  if (presented.empty()) return {nullptr, KeyFault::Missing};
  if (presented.size() > kLongestKey) return {nullptr, KeyFault::Unknown};
  const Slot* slot = slot_of(digester_.of(presented), true);
  if (slot == nullptr && has_plain_) slot = slot_of(sha256_of(presented), false);
  if (slot == nullptr) return {nullptr, KeyFault::Unknown};
  const Entry& entry = entries_[slot->entry];
  if (entry.key.revoked || slot->kept.revoked) return {&entry, KeyFault::Revoked};
  const int64_t expires = entry.key.expires_micros;
  const int64_t until = slot->kept.until_micros;
  if ((expires != 0 && wall_micros >= expires) || (until != 0 && wall_micros >= until))
    return {&entry, KeyFault::Expired};
  const auto holds = [&](const AddressRange& range) { return range.holds(address); };
  if (!entry.addresses.empty() &&
      std::none_of(entry.addresses.begin(), entry.addresses.end(), holds)) {
    return {&entry, KeyFault::Address};
  }
  return {&entry, std::nullopt};
}

const Directory::Entry* Directory::named(std::string_view name) const {
  const auto found = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const Entry& entry, std::string_view want) { return entry.key.name < want; });
  return found == entries_.end() || found->key.name != name ? nullptr : &*found;
}

}  // namespace sluice::governance
