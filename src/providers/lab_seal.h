// Opaque values the lab hands out and knows again: signatures of thoughts, encrypted reasoning.
// A keyed hash with a fixed key: it finds what a gateway altered, and keeps no secret.
#pragma once

#include <string>
#include <string_view>

namespace sluice::providers {

// The signature of `text`.
std::string lab_signature(std::string_view text);
// A value of its own, made from `name`.
std::string lab_sealed(std::string_view name);
// True if lab_sealed() made `value`; `name` empty: of any name.
bool lab_seal_holds(std::string_view value, std::string_view name = "");

}  // namespace sluice::providers
