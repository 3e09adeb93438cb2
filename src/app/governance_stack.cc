#include "app/governance_stack.h"

#include <array>
#include <cstring>
#include <openssl/rand.h>
#include <unistd.h>

#include "app/file_content.h"
#include "app/secret_file.h"

namespace sluice::app {
namespace {

static_assert(telemetry::kSpendQuarterMicros == governance::kQuarterMicros);

constexpr std::string_view kPepperFile = "/key-pepper";

// A new one. Without it no key of this installation is
// known any more, so it is made once and never written over.
Result<Secret> make_pepper(const std::string& path) {
  std::array<uint8_t, 32> random;
  if (RAND_bytes(random.data(), random.size()) != 1)
    return Error(Outcome::Bug, "the system gives no random numbers");
  governance::Digest digest;
  std::memcpy(digest.data(), random.data(), digest.size());
  Secret pepper(governance::hex_of(digest));
  if (Result<void> written = write_secret_file(path, pepper); !written)
    return std::move(written).error();
  return pepper;
}

Result<Secret> find_pepper(const Settings& settings) {
  if (!settings.governance.pepper.empty()) return settings.governance.pepper;
  const std::string path = settings.server.data_dir + std::string(kPepperFile);
  if (::access(path.c_str(), F_OK) != 0) return make_pepper(path);
  const auto content = file_content(path);
  if (!content || content->size() < 32)
    return Error(Outcome::Bug, path +
                                   " cannot be read, or is not what this program wrote; without "
                                   "it no key is known");
  return Secret(*content);
}

std::unordered_map<std::string, governance::SpendHistory> history_of(
    const std::vector<telemetry::SpendSums>& spent) {
  std::unordered_map<std::string, governance::SpendHistory> history;
  for (const telemetry::SpendSums& each : spent) {
    governance::SpendHistory& to = history[each.subject];
    to.total = each.total;
    for (const auto& [quarter, charged] : each.quarters) to.quarters.push_back({quarter, charged});
  }
  return history;
}

}  // namespace

Result<std::unique_ptr<GovernanceStack>> GovernanceStack::open(
    const Settings& settings, const Clock& clock, std::vector<telemetry::SpendSums> spent) {
  Result<Secret> pepper = find_pepper(settings);
  if (!pepper) return std::move(pepper).error();
  return std::unique_ptr<GovernanceStack>(
      new GovernanceStack(clock, *std::move(pepper), history_of(spent)));
}

Result<std::shared_ptr<const governance::Directory>> GovernanceStack::build(
    governance::DirectoryParts parts) {
  return governance::Directory::build(std::move(parts), accounts_, digester_, clock_.wall_micros());
}

}  // namespace sluice::app
