// Reading and printing one configured value: text to type and back. Pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "app/config_names.h"
#include "app/config_substitute.h"
#include "app/settings_types.h"

namespace sluice::app {

// Bounds in the type's own unit: milliseconds, bytes, or a plain count.
struct Limits {
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
};

// Reads `text` into `to`; on a fault `to` is unchanged. The message says what is wrong without
// quoting the text, which may be a secret.
std::optional<Fault> assign(std::string& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(bool& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(int64_t& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(Duration& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(Bytes& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(Secret& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(Address& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(BaseUrl& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(Proxy& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(LogSink& to, std::string_view text, const Limits& limits);
std::optional<Fault> assign(Price& to, std::string_view text, const Limits& limits);
// Limits are whole percents.
std::optional<Fault> assign(Percent& to, std::string_view text, const Limits& limits);

template <class Choice>
  requires std::is_enum_v<Choice>
std::optional<Fault> assign(Choice& to, std::string_view text, const Limits&) {
  constexpr auto kNames = names_of(Choice{});
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != text) continue;
    to = static_cast<Choice>(i);
    return std::nullopt;
  }
  auto hint = did_you_mean(text, kNames);
  return Fault{Rule::UnknownChoice, "expected " + listed(kNames), std::move(hint)};
}

// As one would write it in the file, secrets masked.
std::string text_of(const std::string& value);
std::string text_of(bool value);
std::string text_of(int64_t value);
std::string text_of(Duration value);
std::string text_of(Bytes value);
std::string text_of(const Secret& value);
std::string text_of(const Address& value);
std::string text_of(const BaseUrl& value);
std::string text_of(const Proxy& value);
std::string text_of(const LogSink& value);
std::string text_of(const Price& value);
std::string text_of(Percent value);
std::string text_of(const WordMap& value);
std::string text_of(const Subtree& value);

template <class Choice>
  requires std::is_enum_v<Choice>
std::string text_of(Choice value) {
  return std::string(names_of(Choice{})[static_cast<size_t>(value)]);
}

// Letters, digits, '.', '_', '-', and what `also` adds; 1 to 128 of them.
bool is_name(std::string_view text, std::string_view also = "");
// A header field name (RFC 9110 token).
bool is_header_name(std::string_view text);
// A header value that cannot break out of its line.
bool is_header_value(std::string_view text);

}  // namespace sluice::app
