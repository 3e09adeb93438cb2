#include "net/http1.h"

#include <array>
#include <charconv>

#include "net/http1_scan.h"

namespace sluice::net {
namespace {

constexpr std::string_view kStatusLines[] = {"100 Continue",
                                             "101 Switching Protocols",
                                             "200 OK",
                                             "201 Created",
                                             "202 Accepted",
                                             "204 No Content",
                                             "206 Partial Content",
                                             "301 Moved Permanently",
                                             "302 Found",
                                             "303 See Other",
                                             "304 Not Modified",
                                             "307 Temporary Redirect",
                                             "308 Permanent Redirect",
                                             "400 Bad Request",
                                             "401 Unauthorized",
                                             "402 Payment Required",
                                             "403 Forbidden",
                                             "404 Not Found",
                                             "405 Method Not Allowed",
                                             "406 Not Acceptable",
                                             "407 Proxy Authentication Required",
                                             "408 Request Timeout",
                                             "409 Conflict",
                                             "410 Gone",
                                             "411 Length Required",
                                             "412 Precondition Failed",
                                             "413 Content Too Large",
                                             "414 URI Too Long",
                                             "415 Unsupported Media Type",
                                             "417 Expectation Failed",
                                             "421 Misdirected Request",
                                             "422 Unprocessable Content",
                                             "424 Failed Dependency",
                                             "425 Too Early",
                                             "426 Upgrade Required",
                                             "428 Precondition Required",
                                             "429 Too Many Requests",
                                             "431 Request Header Fields Too Large",
                                             "499 Client Closed Request",
                                             "500 Internal Server Error",
                                             "501 Not Implemented",
                                             "502 Bad Gateway",
                                             "503 Service Unavailable",
                                             "504 Gateway Timeout",
                                             "505 HTTP Version Not Supported",
                                             "529 Overloaded"};

// "000001002...999"
constexpr std::array<char, 3000> make_numbers() {
  std::array<char, 3000> digits{};
  for (size_t i = 0; i < 1000; ++i) {
    digits[3 * i] = static_cast<char>('0' + i / 100);
    digits[3 * i + 1] = static_cast<char>('0' + i / 10 % 10);
    digits[3 * i + 2] = static_cast<char>('0' + i % 10);
  }
  return digits;
}
constexpr std::array<char, 3000> kNumbers = make_numbers();

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_letters(const char* a, const char* b, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& header : list_) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (const Header& header : list_) {
    if (!same_name(header.name, name)) continue;
    std::string_view rest = header.value;
    for (;;) {
      const size_t comma = rest.find(',');
      if (same_name(trimmed(rest.substr(0, comma)), token)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

std::string_view status_line_text(int status) {
  for (const std::string_view line : kStatusLines) {
    const int number = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (number == status) return line;
  }
  if (status < 100 || status > 999) return "000";
  return {kNumbers.data() + 3 * static_cast<size_t>(status), 3};
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {  // most of them
    out.append("HTTP/1.1 200 OK\r\n");
    return;
  }
  const std::string_view text = status_line_text(status);
  out.append("HTTP/1.1 ").append(text);
  // RFC 9112 wants the space even where no phrase follows.
  out.append(text.size() == 3 ? " \r\n" : "\r\n");
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_header(std::string& out, std::string_view name, uint64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  append_header(out, name, {digits, static_cast<size_t>(end - digits)});
}

bool is_header_value(std::string_view value) {
  const char* const end = value.data() + value.size();
  return http1::skip_text(value.data(), end) == end;
}

void append_chunk_size(std::string& out, size_t size) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, size, 16);
  out.append(digits, end).append("\r\n");
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  append_chunk_size(out, data.size());
  out.append(data).append("\r\n");
}

bool is_hop_by_hop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return same_name(name, "te");
    case 7:
      return same_name(name, "trailer") || same_name(name, "upgrade");
    case 10:
      return same_name(name, "connection") || same_name(name, "keep-alive");
    case 16:
      return same_name(name, "proxy-connection");
    case 17:
      return same_name(name, "transfer-encoding");
    case 18:
      return same_name(name, "proxy-authenticate");
    case 19:
      return same_name(name, "proxy-authorization");
    default:
      return false;
  }
}

}  // namespace sluice::net
