#include "app/config_value.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <span>

namespace sluice::app {
namespace {

struct Unit {
  std::string_view name;
  int64_t size;
};

// Longest first among equals, so that printing finds the roundest unit.
constexpr auto kDurationUnits =
    std::to_array<Unit>({{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});
constexpr auto kSizeUnits = std::to_array<Unit>({{"GiB", 1LL << 30},
                                                 {"GB", 1'000'000'000},
                                                 {"MiB", 1LL << 20},
                                                 {"MB", 1'000'000},
                                                 {"KiB", 1LL << 10},
                                                 {"KB", 1'000},
                                                 {"B", 1}});

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<int64_t> integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A number and one of `units`, as a whole count of the smallest unit.
std::optional<int64_t> measured(std::string_view text, std::span<const Unit> units) {
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  auto name = text.substr(digits);
  while (name.starts_with(' ')) name.remove_prefix(1);
  const auto amount = number(text.substr(0, digits));
  if (!amount) return std::nullopt;
  for (const auto& unit : units) {
    if (unit.name != name) continue;
    const double total = *amount * static_cast<double>(unit.size);
    if (total > 1e15 || total != std::floor(total)) return std::nullopt;
    return static_cast<int64_t>(total);
  }
  return std::nullopt;
}

std::string measure(int64_t value, std::span<const Unit> units) {
  for (const auto& unit : units)
    if (value != 0 && value % unit.size == 0)
      return fmt::format("{}{}", value / unit.size, unit.name);
  return "0";
}

// `show` prints a bound in the setting's own unit.
template <class Show>
std::optional<Fault> outside(int64_t value, const Limits& limits, Show show) {
  if (value >= limits.min && value <= limits.max) return std::nullopt;
  if (limits.max == std::numeric_limits<int64_t>::max())
    return Fault{Rule::OutOfRange, fmt::format("must be at least {}", show(limits.min))};
  return Fault{Rule::OutOfRange,
               fmt::format("must be between {} and {}", show(limits.min), show(limits.max))};
}

std::string show_duration(int64_t value) {
  return measure(value, kDurationUnits);
}
std::string show_size(int64_t value) {
  return measure(value, kSizeUnits);
}
std::string show_count(int64_t value) {
  return fmt::format("{}", value);
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos &&
         host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

// "host:port", "[v6]:port", "host" when a default port is given.
std::optional<Address> host_and_port(std::string_view text, std::optional<uint16_t> fallback) {
  Address out;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return std::nullopt;
    out.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    const size_t end = std::min(text.find(':'), text.size());
    if (!is_host(text.substr(0, end))) return std::nullopt;
    out.host = text.substr(0, end);
    text.remove_prefix(end);
  }
  if (text.empty() && fallback) {
    out.port = *fallback;
    return out;
  }
  if (!text.starts_with(':')) return std::nullopt;
  const auto port = integer(text.substr(1));
  if (!port || *port < 0 || *port > 65535) return std::nullopt;
  out.port = static_cast<uint16_t>(*port);
  return out;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int byte = 0;
    const char* const first = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(first, first + 2, byte, 16).ptr != first + 2)
      return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace

std::optional<Fault> assign(std::string& to, std::string_view text, const Limits&) {
  if (text.empty()) return Fault{Rule::BadValue, "must not be empty"};
  if (text.find('\0') != std::string_view::npos)
    return Fault{Rule::BadValue, "must not hold a zero byte"};
  to = text;
  return std::nullopt;
}

std::optional<Fault> assign(bool& to, std::string_view text, const Limits&) {
  const bool yes = text == "true" || text == "on" || text == "yes";
  const bool no = text == "false" || text == "off" || text == "no";
  if (!yes && !no) return Fault{Rule::BadValue, "expected true or false"};
  to = yes;
  return std::nullopt;
}

std::optional<Fault> assign(int64_t& to, std::string_view text, const Limits& limits) {
  const auto value = integer(text);
  if (!value) return Fault{Rule::BadValue, "expected a whole number"};
  if (auto fault = outside(*value, limits, show_count)) return fault;
  to = *value;
  return std::nullopt;
}

std::optional<Fault> assign(Duration& to, std::string_view text, const Limits& limits) {
  const auto value = text == "0" ? 0 : measured(text, kDurationUnits);
  if (!value) {
    const bool bare = number(text).has_value();
    return Fault{Rule::BadValue, "expected a duration such as 500ms, 30s, 10m or 1h",
                 bare ? "add the unit: s, ms, m or h" : ""};
  }
  if (auto fault = outside(*value, limits, show_duration)) return fault;
  to = Duration(*value);
  return std::nullopt;
}

std::optional<Fault> assign(Bytes& to, std::string_view text, const Limits& limits) {
  auto value = measured(text, kSizeUnits);
  if (!value) value = integer(text);
  if (!value || *value < 0)
    return Fault{Rule::BadValue, "expected a size such as 4096, 64KiB, 32MB or 1GiB"};
  if (auto fault = outside(*value, limits, show_size)) return fault;
  to.count = static_cast<uint64_t>(*value);
  return std::nullopt;
}

std::optional<Fault> assign(Secret& to, std::string_view text, const Limits&) {
  if (text.empty()) return Fault{Rule::BadValue, "must not be empty"};
  if (!is_header_value(text))
    return Fault{Rule::BadValue, "must be one line without control characters or outer blanks"};
  to = Secret(std::string(text));
  return std::nullopt;
}

std::optional<Fault> assign(Address& to, std::string_view text, const Limits&) {
  if (text.starts_with(':'))
    return Fault{Rule::BadAddress, "expected host:port",
                 "127.0.0.1:PORT for this machine only, 0.0.0.0:PORT for everybody"};
  auto address = host_and_port(text, std::nullopt);
  if (!address) return Fault{Rule::BadAddress, "expected host:port, such as 127.0.0.1:8080"};
  to = *std::move(address);
  return std::nullopt;
}

std::optional<Fault> assign(BaseUrl& to, std::string_view text, const Limits&) {
  BaseUrl out;
  out.tls = text.starts_with("https://");
  if (!out.tls && !text.starts_with("http://"))
    return Fault{Rule::BadUrl, "must begin with https:// or http://"};
  auto rest = text.substr(text.find("//") + 2);
  if (rest.find_first_of("?#") != std::string_view::npos)
    return Fault{Rule::BadUrl, "must have no query and no fragment"};
  const size_t slash = std::min(rest.find('/'), rest.size());
  const auto authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos)
    return Fault{Rule::BadUrl, "must hold no credentials", "use api_key or headers"};
  const auto address = host_and_port(authority, out.tls ? 443 : 80);
  if (!address || address->port == 0) return Fault{Rule::BadUrl, "has no usable host and port"};
  auto path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  const bool clean =
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 127; });
  if (!clean) return Fault{Rule::BadUrl, "has a character in its path that must be %-encoded"};
  out.host = address->host;
  out.port = address->port;
  out.path = path;
  to = std::move(out);
  return std::nullopt;
}

std::optional<Fault> assign(Proxy& to, std::string_view text, const Limits&) {
  Proxy out;
  if (text == "none" || text == "environment") {
    out.mode = text == "none" ? ProxyMode::None : ProxyMode::Environment;
    to = std::move(out);
    return std::nullopt;
  }
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme))
    return Fault{Rule::BadUrl,
                 "expected `none`, `environment` or http://[user:password@]host:port"};
  auto rest = text.substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    auto credentials = percent_decoded(rest.substr(0, at));
    if (!credentials || !is_header_value(*credentials))
      return Fault{Rule::BadUrl, "has credentials that are not %-encoded properly"};
    out.credentials = Secret(*std::move(credentials));
    rest.remove_prefix(at + 1);
  }
  const auto address = host_and_port(rest, 80);
  if (!address || address->port == 0) return Fault{Rule::BadUrl, "has no usable host and port"};
  out.mode = ProxyMode::Url;
  out.host = address->host;
  out.port = address->port;
  to = std::move(out);
  return std::nullopt;
}

std::optional<Fault> assign(LogSink& to, std::string_view text, const Limits& limits) {
  LogSink out;
  if (text == "off") {
    out.target = LogTarget::Off;
  } else if (text != "stdout") {
    out.target = LogTarget::File;
    if (auto fault = assign(out.path, text, limits)) return fault;
  }
  to = std::move(out);
  return std::nullopt;
}

std::optional<Fault> assign(Price& to, std::string_view text, const Limits&) {
  const auto value = number(text);
  if (!value || *value < 0 || *value > 1e6)
    return Fault{Rule::BadValue, "expected a price without its currency, such as 2.50"};
  to = Price{.known = true, .dollars = *value};
  return std::nullopt;
}

std::optional<Fault> assign(Percent& to, std::string_view text, const Limits& limits) {
  const bool signed_ = text.ends_with('%');
  const auto value = number(text.substr(0, text.size() - (signed_ ? 1 : 0)));
  if (!signed_ || !value) {
    return Fault{Rule::BadValue, "expected a share such as 10%",
                 !signed_ && value ? "add the sign: %" : ""};
  }
  // A share, unless the row allows for more than all of it.
  const int64_t most = limits.max == Limits{}.max ? 100 : limits.max;
  if (*value < static_cast<double>(limits.min) || *value > static_cast<double>(most)) {
    return Fault{Rule::OutOfRange, fmt::format("must be between {}% and {}%", limits.min, most)};
  }
  to.percent = *value;
  return std::nullopt;
}

std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(int64_t value) {
  return fmt::format("{}", value);
}
std::string text_of(Duration value) {
  return measure(value.count(), kDurationUnits);
}
std::string text_of(Bytes value) {
  return measure(static_cast<int64_t>(value.count), kSizeUnits);
}
std::string text_of(const Secret& value) {
  return masked(value);
}

std::string text_of(const Address& value) {
  return fmt::format("{}:{}", bracketed(value.host), value.port);
}

std::string text_of(const BaseUrl& value) {
  if (value.empty()) return "";
  const bool usual = value.port == (value.tls ? 443 : 80);
  return fmt::format("{}://{}{}{}", value.tls ? "https" : "http", bracketed(value.host),
                     usual ? "" : fmt::format(":{}", value.port), value.path);
}

std::string text_of(const Proxy& value) {
  if (value.mode == ProxyMode::None) return "none";
  if (value.direct()) return "environment";
  return fmt::format("http://{}{}:{}", value.credentials.empty() ? "" : "…@", bracketed(value.host),
                     value.port);
}

std::string text_of(const LogSink& value) {
  if (value.target == LogTarget::Off) return "off";
  return value.target == LogTarget::Stdout ? "stdout" : value.path;
}

std::string text_of(const Price& value) {
  return value.known ? fmt::format("{}", value.dollars) : "";
}

std::string text_of(Percent value) {
  return fmt::format("{}%", value.percent);
}

std::string text_of(const WordMap& value) {
  std::string out;
  for (const auto& [name, word] : value)
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, word);
  return "{" + out + "}";
}

std::string text_of(const Subtree& value) {
  return value.json;
}

bool is_name(std::string_view text, std::string_view also) {
  if (text.empty() || text.size() > 128) return false;
  return std::all_of(text.begin(), text.end(), [also](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-' ||
           also.find(c) != std::string_view::npos;
  });
}

bool is_header_name(std::string_view text) {
  return is_name(text, "!#$%&'*+^`|~");
}

bool is_header_value(std::string_view text) {
  if (text.starts_with(' ') || text.ends_with(' ')) return false;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace sluice::app
