// Base64 (RFC 4648, standard alphabet, padded).
#pragma once

#include <string>
#include <string_view>

namespace sluice {

std::string base64_encode(std::string_view bytes);

}  // namespace sluice
