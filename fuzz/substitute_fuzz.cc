// Any text as a configured value: where it names an environment of Pulumi ESC or a stored secret,
// it does so in a form that can be asked for, and no error tells a secret.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "app/config_substitute.h"
#include "app/esc_client.h"
#include "app/esc_value.h"

namespace {

using sluice::Error;
using sluice::Outcome;
using sluice::Result;
using namespace sluice::app;

constexpr std::string_view kSecret = "sk-live-0123456789abcdef";

std::optional<std::string> variable(std::string_view name) {
  if (name.size() % 2 == 0) return std::nullopt;
  if (name.ends_with("_FILE")) return "/run/key";
  return std::string(kSecret);
}

Result<std::string> kept(std::string_view name) {
  if (name.size() % 2 == 0) return Error(Outcome::BadRequest, "there is none");
  return std::string(kSecret);
}

Result<std::string> esc(std::string_view environment, std::string_view path) {
  const auto name = read_esc_name(environment);
  if (!name || !check_esc_path(path)) std::abort();
  return kept(path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Surroundings around{.env = variable, .read_file = kept, .esc = esc};
  around.secret = kept;
  const Substituted got = substitute(text, around);
  const bool quoted = text.find(kSecret) != std::string_view::npos;
  if (got.fault && got.fault->message.empty()) std::abort();
  if (got.fault && !quoted && got.fault->message.find(kSecret) != std::string::npos) std::abort();
  if (text.find('$') == std::string_view::npos && (got.fault || got.text != text)) std::abort();
  if (got.sealed && got.from.empty()) std::abort();
  // What is in the text as it stands may be quoted; so it may hold nothing that came from
  // elsewhere.
  if (got.from.empty() && !quoted && got.text.find(kSecret) != std::string::npos) std::abort();
  for (const std::string& from : got.from)
    if (text.find(from) == std::string_view::npos) std::abort();
  return 0;
}
