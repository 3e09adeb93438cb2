#include "gateway/wishes.h"

#include <charconv>
#include <string>
#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::string_view kPrefix = "x-sluice-";
constexpr double kLongestTimeout = 86'400;

Error wrong(const net::Header& header, std::string_view takes) {
  return Error(Outcome::BadRequest,
               "the header " + std::string(header.name) + " takes " + std::string(takes),
               std::string(header.name));
}

// One of two words.
Result<bool> either(const net::Header& header, std::string_view yes, std::string_view no) {
  if (header.value == yes) return true;
  if (header.value == no) return false;
  return wrong(header, std::string(yes) + " or " + std::string(no));
}

Result<void> read_timeout(const net::Header& header, Wishes& wishes) {
  double seconds = 0;
  const char* const end = header.value.data() + header.value.size();
  const auto [stop, error] = std::from_chars(header.value.data(), end, seconds);
  const bool sane =
      error == std::errc() && stop == end && seconds > 0 && seconds <= kLongestTimeout;
  if (!sane) return wrong(header, "a number of seconds, at most 86400");
  wishes.timeout = static_cast<Nanos>(seconds * kSecond);
  return {};
}

struct Attribute {
  std::string_view name;
  std::string_view Wishes::*member;
};
constexpr Attribute kAttributes[] = {
    {"conversation", &Wishes::conversation}, {"session", &Wishes::session},
    {"workflow", &Wishes::workflow},         {"execution", &Wishes::execution},
    {"mcp-server", &Wishes::mcp_server},     {"metadata", &Wishes::metadata},
};

}  // namespace

Result<void> read_wish(const net::Header& header, Wishes& wishes) {
  if (!net::begins_with_name(header.name, kPrefix)) return {};
  const std::string_view name = header.name.substr(kPrefix.size());
  if (net::same_name(name, "task")) wishes.task = header.value;
  if (net::same_name(name, "timeout")) return read_timeout(header, wishes);
  if (net::same_name(name, "data")) {
    Result<bool> restricted = either(header, "restricted", "open");
    if (!restricted) return std::move(restricted).error();
    wishes.restricted = *restricted;
  }
  if (net::same_name(name, "fallback")) {
    Result<bool> fallback = either(header, "on", "off");
    if (!fallback) return std::move(fallback).error();
    wishes.fallback = *fallback;
  }
  if (net::same_name(name, "cost")) {
    Result<bool> cost = either(header, "on", "off");
    if (!cost) return std::move(cost).error();
    wishes.cost = *cost;
  }
  for (const auto& [own, member] : kAttributes) {
    if (!net::same_name(name, own)) continue;
    wishes.*member = header.value;
    wishes.attributes = true;
  }
  return {};
}

}  // namespace sluice::gateway
