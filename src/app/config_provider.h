// What follows from a provider's settings, and what they must not say together. Part of
// config_finish.
#pragma once

#include <string>
#include <string_view>

#include "app/config_proxy.h"
#include "app/config_reader.h"

namespace sluice::app {

// Notes a value that follows from others.
void note(Reader& reader, const std::string& path, std::string source, std::string value);
// Complains about `path` if `broken`: it needs something else.
void needs(Reader& reader, bool broken, const std::string& path, std::string message,
           std::string hint = "");
void check_pair(Reader& reader, const std::string& prefix, const std::string& cert,
                const std::string& key);
// The rows of an entry of `each` that have to be given.
void check_required(Reader& reader, std::string_view each, const std::string& name);

void derive_provider(Reader& reader, ProviderSettings& provider, const ProxyEnvironment& proxies);
void check_provider(Reader& reader, const ProviderSettings& provider);

}  // namespace sluice::app
