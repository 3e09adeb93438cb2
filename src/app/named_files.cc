#include "app/named_files.h"

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "app/file_content.h"
#include "app/telemetry_stack.h"
#include "net/tls.h"
#include "providers/snowflake_jwt.h"

namespace sluice::app {
namespace {

std::string reason(int code) {
  return std::generic_category().message(code);
}

class FileTrial {
 public:
  std::vector<FileFault> run(const Settings& settings) {
    try_server(settings.server.tls);
    for (const ProviderSettings& provider : settings.providers) try_provider(provider);
    try_prices(settings);
    if (settings.log.access.target == LogTarget::File) try_log(settings.log.access.path);
    return std::move(faults_);
  }

 private:
  void add(std::string key, const std::string& message) {
    std::string told = fmt::format("`{}`: {}", key, message);
    faults_.push_back({.key = std::move(key), .message = std::move(told)});
  }

  // False if there is a file and it cannot be read.
  bool readable(const std::string& key, const std::string& path) {
    if (path.empty()) return true;
    const Result<std::string> text = file_content(path);
    if (!text) add(key, fmt::format("cannot read {}: {}", path, text.error().message()));
    return text.has_value();
  }

  void try_server(const ServerTls& tls) {
    const bool cert = readable("server.tls.cert_file", tls.cert_file);
    const bool key = readable("server.tls.key_file", tls.key_file);
    const bool ca = readable("server.tls.client_ca_file", tls.client_ca_file);
    if (tls.cert_file.empty() || !cert || !key || !ca) return;
    const auto context = net::TlsServerContext::make({.cert_file = tls.cert_file,
                                                      .key_file = tls.key_file,
                                                      .client_ca_file = tls.client_ca_file});
    if (!context) add("server.tls", context.error().message());
  }

  void try_provider(const ProviderSettings& provider) {
    const UpstreamTls& tls = provider.tls;
    const std::string section = fmt::format("providers.{}.tls", provider.name);
    const bool ca = readable(section + ".ca_file", tls.ca_file);
    const bool cert = readable(section + ".cert_file", tls.cert_file);
    const bool key = readable(section + ".key_file", tls.key_file);
    try_snowflake_key(provider);
    if ((tls.ca_file.empty() && tls.cert_file.empty()) || !ca || !cert || !key) return;
    const auto context = net::TlsClientContext::make(
        {.ca_file = tls.ca_file, .cert_file = tls.cert_file, .key_file = tls.key_file});
    if (!context) add(section, context.error().message());
  }

  void try_snowflake_key(const ProviderSettings& provider) {
    const CortexSettings& own = provider.cortex;
    const std::string setting = fmt::format("providers.{}.private_key_file", provider.name);
    if (own.private_key_file.empty() || !readable(setting, own.private_key_file)) return;
    Result<std::string> pem = file_content(own.private_key_file);
    if (!pem) return;  // gone since it was tried
    const auto key = providers::SnowflakeJwt::make({.account = own.account,
                                                    .user = own.user,
                                                    .private_key = Secret(*std::move(pem)),
                                                    .passphrase = own.private_key_passphrase});
    if (!key) add(setting, key.error().message());
  }

  void try_prices(const Settings& settings) {
    const PriceSettings& prices = settings.prices;
    if (prices.url.empty() && !prices.file.empty() && !readable("prices.file", prices.file)) return;
    if (const auto table = load_prices(settings); !table)
      add("prices.file", table.error().message());
  }

  // It is made when it is not there; its directory is not.
  void try_log(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code failed;
    const std::string folder = fs::path(path).parent_path().string();
    const bool there = fs::exists(path, failed);
    const std::string& needed = there ? path : folder.empty() ? kHere : folder;
    if (fs::is_directory(path, failed))
      add("log.access", fmt::format("cannot write {}: {}", path, reason(EISDIR)));
    else if (access(needed.c_str(), W_OK) != 0)
      add("log.access", fmt::format("cannot write {}: {}: {}", path, needed, reason(errno)));
  }

  const std::string kHere = ".";
  std::vector<FileFault> faults_;
};

}  // namespace

std::vector<FileFault> faults_in_files(const Settings& settings) {
  return FileTrial().run(settings);
}

}  // namespace sluice::app
