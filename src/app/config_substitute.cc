#include "app/config_substitute.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <utility>

#include "app/config_value.h"
#include "app/esc_client.h"
#include "app/esc_value.h"

namespace sluice::app {
namespace {

constexpr size_t kMaxSecretFile = 64 * 1024;
constexpr std::string_view kFile = "file:";
constexpr std::string_view kEsc = "esc:";
constexpr std::string_view kSecret = "secret:";
constexpr std::string_view kOrElse = ":-";

bool is_variable_name(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

// Editors and `echo` end a file with a line break that is no part of the secret.
std::string without_last_break(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Looked content_of(std::string_view path, std::string name, const Surroundings& around) {
  auto content = around.read_file(path);
  if (!content)
    return {.name = std::move(name),
            .fault = Fault{Rule::UnreadableSecret, fmt::format("cannot read the file {}: {}", path,
                                                               content.error().message())}};
  if (content->size() > kMaxSecretFile)
    return {.name = std::move(name),
            .fault = Fault{Rule::UnreadableSecret,
                           fmt::format("the file {} is larger than 64 KiB", path)}};
  return {.value = without_last_break(*std::move(content)), .name = std::move(name), .fault = {}};
}

// `inner` is what stands behind "esc:".
Looked esc_value_of(std::string_view inner, const Surroundings& around) {
  const size_t colon = inner.find(':');
  const std::string_view environment = inner.substr(0, colon);
  const std::string_view path =
      colon == std::string_view::npos ? std::string_view() : inner.substr(colon + 1);
  const bool readable = read_esc_name(environment) && check_esc_path(path);
  if (!readable)
    return {.fault = Fault{Rule::BadSubstitution,
                           fmt::format("`${{esc:{}}}` names no value of an environment", inner),
                           "write ${esc:ORG/PROJECT/ENV:path.to.value}, or ENV@VERSION"}};
  Result<std::string> value = around.esc ? around.esc(environment, path)
                                         : Error(Outcome::BadRequest, "cannot be opened from here");
  if (value) return {.value = *std::move(value), .name = std::string(kEsc), .fault = {}};
  return {.fault = Fault{
              Rule::UnopenedEnvironment,
              fmt::format("the ESC environment {}: {}", environment, value.error().message())}};
}

Looked secret_of(std::string_view name, const Surroundings& around) {
  if (!is_name(name))
    return {.fault =
                Fault{Rule::BadSubstitution, fmt::format("`${{secret:{}}}` names no secret", name),
                      "a name consists of letters, digits, '.', '_' and '-'"}};
  Result<std::string> value =
      around.secret ? around.secret(name) : Error(Outcome::BadRequest, "cannot be read from here");
  if (value) return {.value = *std::move(value), .name = std::string(kSecret), .fault = {}};
  return {.fault = Fault{Rule::UnopenedSecret,
                         fmt::format("the secret {}: {}", name, value.error().message())}};
}

// `inner` is what stands between the braces.
Looked resolve(std::string_view inner, const Surroundings& around) {
  if (inner.starts_with(kFile)) {
    const auto path = inner.substr(kFile.size());
    if (path.empty()) return {.fault = Fault{Rule::BadSubstitution, "${file:} names no file"}};
    return content_of(path, "file", around);
  }
  if (inner.starts_with(kSecret)) return secret_of(inner.substr(kSecret.size()), around);
  if (inner.starts_with(kEsc)) return esc_value_of(inner.substr(kEsc.size()), around);
  const size_t or_else = inner.find(kOrElse);
  const auto name = inner.substr(0, or_else);
  if (!is_variable_name(name))
    return {.fault = Fault{Rule::BadSubstitution, fmt::format("`${{{}}}` names no variable", inner),
                           "write ${NAME}, ${NAME:-default}, ${file:/path}, ${secret:NAME} or "
                           "${esc:ORG/PROJECT/ENV:path}; $$ is a dollar sign"}};
  auto found = look_up(name, around);
  if (found.fault) return found;
  if (or_else != std::string_view::npos && (!found.value || found.value->empty()))
    found.value = std::string(inner.substr(or_else + kOrElse.size()));
  if (!found.value)
    found.fault =
        Fault{Rule::UnsetVariable, fmt::format("the environment variable {} is not set", name),
              fmt::format("set {0} or {0}_FILE, or write ${{{0}:-default}}", name)};
  return found;
}

}  // namespace

Looked look_up(std::string_view name, const Surroundings& around) {
  if (auto value = around.env(name))
    return {.value = std::move(value), .name = std::string(name), .fault = {}};
  std::string twin = fmt::format("{}_FILE", name);
  const auto path = around.env(twin);
  if (!path) return {.value = {}, .name = std::string(name), .fault = {}};
  return content_of(*path, std::move(twin), around);
}

Substituted substitute(std::string_view text, const Surroundings& around) {
  Substituted out;
  while (!text.empty()) {
    const size_t dollar = std::min(text.find('$'), text.size());
    out.text += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out.text += '$';
      text.remove_prefix(2);
    } else if (text.starts_with("${")) {
      const size_t end = text.find('}');
      if (end == std::string_view::npos) {
        out.fault =
            Fault{Rule::BadSubstitution, "`${` without its `}`", "write $$ for a dollar sign"};
        return out;
      }
      const auto inner = text.substr(2, end - 2);
      auto resolved = resolve(inner, around);
      out.from.push_back(std::string(text.substr(0, end + 1)));
      out.sealed = out.sealed || inner.starts_with(kEsc) || inner.starts_with(kSecret);
      if (inner.starts_with(kSecret)) out.secrets.emplace_back(inner.substr(kSecret.size()));
      if (resolved.fault) {
        out.fault = std::move(resolved.fault);
        return out;
      }
      out.text += *resolved.value;
      text.remove_prefix(end + 1);
    } else if (!text.empty()) {
      out.text += '$';
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace sluice::app
