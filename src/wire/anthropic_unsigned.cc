// Thinking blocks without a signature: thoughts that came from a provider of another dialect.
#include <vector>

#include "wire/anthropic.h"
#include "wire/json_members.h"

namespace sluice::anthropic {
namespace {

bool is_unsigned(std::string_view block) {
  const json::Members members(block);
  return members.text("type") == "thinking" && members.text("signature").empty();
}

// The message without such blocks; empty if nothing else is in it.
std::string signed_part_of(std::string_view message) {
  const std::string_view content = json::Members(message)["content"];
  const std::vector<std::string_view> blocks = json::elements_of(content);
  std::string kept;
  size_t count = 0;
  for (const std::string_view block : blocks) {
    if (is_unsigned(block)) continue;
    kept.append(count++ == 0 ? "" : ",").append(block);
  }
  if (count == blocks.size()) return std::string(message);
  if (count == 0) return "";
  const auto before = static_cast<size_t>(content.data() - message.data());
  std::string out(message.substr(0, before));
  out.append("[").append(kept).append("]");
  return out.append(message.substr(before + content.size()));
}

}  // namespace

bool may_hold_unsigned_thoughts(std::string_view body) {
  constexpr std::string_view kSignature = "\"signature\"";
  size_t at = body.find(kSignature);
  while (at != std::string_view::npos) {
    at = body.find_first_not_of(" \t\r\n:", at + kSignature.size());
    if (at == std::string_view::npos) return false;
    if (body.substr(at).starts_with("\"\"")) return true;
    at = body.find(kSignature, at);
  }
  return false;
}

std::string without_unsigned_thoughts(std::string_view body) {
  const std::string_view messages = json::Members(body)["messages"];
  std::string kept;
  for (const std::string_view message : json::elements_of(messages)) {
    const std::string part = signed_part_of(message);
    if (!part.empty()) kept.append(kept.empty() ? "" : ",").append(part);
  }
  const auto before = static_cast<size_t>(messages.data() - body.data());
  std::string out(body.substr(0, before));
  out.append("[").append(kept).append("]");
  return out.append(body.substr(before + messages.size()));
}

}  // namespace sluice::anthropic
