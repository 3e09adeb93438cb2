#include "providers/lab_prompt_cache.h"

namespace sluice::providers {
namespace {

constexpr size_t kMaxEntries = 65'536;
// So many blocks before a mark are tried, as Anthropic documents it.
constexpr size_t kLookBack = 20;
constexpr Nanos kFiveMinutes = 300 * kSecond;
constexpr Nanos kOneHour = 3'600 * kSecond;

using Keep = LabRequest::Keep;

}  // namespace

// A read keeps what it reads for as long again.
bool LabPromptCache::touch(uint64_t key, Nanos now) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.expires <= now) return false;
  found->second.expires = now + found->second.lifetime;
  return true;
}

LabCacheUse LabPromptCache::use(const std::vector<LabRequest::Part>& parts, uint64_t owner,
                                Nanos now) {
  const std::lock_guard guard(lock_);
  LabCacheUse use;
  size_t known = 0;  // parts read from the cache
  size_t reach = 0;
  for (size_t at = parts.size(); at > 0 && known == 0; --at) {
    if (parts[at - 1].keep != Keep::No) reach = kLookBack + 1;
    if (reach == 0) continue;
    --reach;
    if (touch(parts[at - 1].hash ^ owner, now)) known = at;
  }
  int64_t since_mark = 0;
  for (size_t at = 0; at < parts.size(); ++at) {
    const LabRequest::Part& part = parts[at];
    (at < known ? use.read : since_mark) += part.tokens;
    if (part.keep == Keep::No || at < known) continue;
    const bool hour = part.keep == Keep::OneHour;
    (hour ? use.write_1h : use.write) += since_mark;
    since_mark = 0;
    if (entries_.size() >= kMaxEntries) entries_.clear();
    const Nanos lifetime = hour ? kOneHour : kFiveMinutes;
    entries_[part.hash ^ owner] = Entry{now + lifetime, lifetime};
  }
  return use;
}

void LabPromptCache::reset() {
  const std::lock_guard guard(lock_);
  entries_.clear();
}

}  // namespace sluice::providers
