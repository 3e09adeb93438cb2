// Any bytes as another gateway's configuration: a refusal that says why, or a configuration that
// loads where its variables are set.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "app/commands/import.h"

namespace {

std::optional<std::string> variable(std::string_view name) {
  if (name.starts_with("SLUICE_")) return std::nullopt;
  return name == "SNOWFLAKE_ACCOUNT" ? "account" : "http://127.0.0.1:1";
}

sluice::Result<std::string> file(std::string_view) {
  return sluice::Error(sluice::Outcome::BadRequest, "No such file or directory");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::app;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto from : {ImportFrom::Portkey, ImportFrom::LiteLlm}) {
    const auto result = import_configuration(from, "fuzz.yaml", text, ReportFormat::Json);
    if (result.exit_code == kExitInvalid) {
      if (!result.out.empty() || result.err.empty()) std::abort();
      continue;
    }
    LoadInput input;
    input.file_name = "imported.yaml";
    input.text = result.out;
    input.around.env = variable;
    input.around.read_file = file;
    if (!load(input).loaded) std::abort();
  }
  return 0;
}
