#include "providers/lab_seal.h"

#include <cstdint>
#include <fmt/format.h>

#include "base/base64.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kKey = "the lab's own key";
// How the real ones begin.
constexpr std::string_view kSealPrefix = "gAAAAAlab";
constexpr size_t kNameDigits = 16;

std::string keyed_hash(std::string_view text) {
  const uint64_t first = lab_hash(text, lab_hash(kKey, 1));
  const uint64_t second = lab_hash(text, lab_hash(kKey, first));
  return fmt::format("{:016x}{:016x}", first, second);
}

}  // namespace

std::string lab_signature(std::string_view text) {
  return base64_encode(keyed_hash(text));
}

std::string lab_sealed(std::string_view name) {
  const std::string marked = fmt::format("{:016x}", lab_hash(name, 0));
  return fmt::format("{}{}{}", kSealPrefix, marked, keyed_hash(marked));
}

bool lab_seal_holds(std::string_view value, std::string_view name) {
  if (!value.starts_with(kSealPrefix)) return false;
  if (!name.empty()) return value == lab_sealed(name);
  value.remove_prefix(kSealPrefix.size());
  const std::string_view marked = value.substr(0, kNameDigits);
  return value.substr(marked.size()) == keyed_hash(marked);
}

}  // namespace sluice::providers
