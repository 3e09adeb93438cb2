// Percent-encoding (RFC 3986), as it stands in URLs and in W3C baggage.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// "a%2Fb" is "a/b". A `%` without two hex digits behind it stands for itself.
std::string percent_decoded(std::string_view text);
// All but letters, digits and "-._~" as %XX: fit for a segment of a path, or a query's value.
std::string percent_encoded(std::string_view text);

}  // namespace sluice
