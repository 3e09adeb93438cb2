// Any bytes as a stored secret or as the key to it: what was not sealed with the key does not open.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "governance/sealed_secret.h"

namespace {

using sluice::governance::SealedSecret;
using sluice::governance::SecretsKey;

constexpr std::string_view kName = "openai";
constexpr std::string_view kValue = "sk-live-0123456789abcdef";

SecretsKey fixed_key() {
  return *SecretsKey::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
}

// The bytes of `text` take the place of those that were sealed, as far as they reach.
std::string changed(std::string sealed, std::string_view text) {
  for (size_t i = 0; i < sealed.size() && i < text.size(); ++i)
    sealed[i] = static_cast<char>(sealed[i] ^ text[i]);
  return sealed;
}

void try_key(std::string_view text) {
  const auto key = SecretsKey::parse(text);
  if (!key) {
    // The same words whatever the text: none of it is quoted.
    if (key.error().message() != SecretsKey::parse("").error().message()) std::abort();
    return;
  }
  const auto sealed = key->seal(kName, 7, text);
  if (!sealed || !key->open(*sealed) || key->open(*sealed)->reveal() != text) std::abort();
}

void try_row(std::string_view text) {
  static const SealedSecret good = *fixed_key().seal(kName, 1, kValue);
  SealedSecret row = good;
  const size_t half = text.size() / 2;
  row.wrapped = changed(good.wrapped, text.substr(0, half));
  row.sealed = changed(good.sealed, text.substr(half));
  const auto value = fixed_key().open(row);
  const bool same = row.wrapped == good.wrapped && row.sealed == good.sealed;
  if (value.has_value() != same) std::abort();
  if (!value && value.error().message().find(kValue) != std::string::npos) std::abort();
  row.wrapped = text.substr(0, half);
  row.sealed = text.substr(half);
  if (fixed_key().open(row)) std::abort();
}

}  // namespace

// The first byte says which of the two it is.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  data[0] % 2 == 0 ? try_key(text) : try_row(text);
  return 0;
}
