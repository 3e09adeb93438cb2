#include "providers/lab_esc.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <simdjson.h>
#include <utility>
#include <vector>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kBase = "/api/esc/environments/";
constexpr std::string_view kSecretMark = "fn::secret";
constexpr Nanos kMinute = 60 * kSecond;
constexpr Nanos kHour = 60 * kMinute;
constexpr Nanos kUsualLifetime = 2 * kHour;
constexpr size_t kMostSessions = 1000;

LabEsc::Answer error(int status, std::string_view message) {
  LabEsc::Answer answer{.status = status, .body = fmt::format(R"({{"code":{},"message":)", status)};
  append_json(answer.body, message);
  answer.body += "}\n";
  return answer;
}

LabEsc::Answer no_environment(std::string_view name) {
  return error(404, fmt::format("Not Found: environment '{}' not found", name));
}

// "2h0m0s" as Go writes it; nothing: it is none.
std::optional<Nanos> read_duration(std::string_view text) {
  constexpr std::pair<std::string_view, Nanos> kUnits[] = {
      {"ms", kMillisecond}, {"h", kHour}, {"m", kMinute}, {"s", kSecond}};
  Nanos sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    int64_t count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    if (read.ec != std::errc() || count < 0 || count > 1'000'000) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(read.ptr - text.data()));
    const auto unit = std::ranges::find_if(
        kUnits, [text](const auto& each) { return text.starts_with(each.first); });
    if (unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit->first.size());
    sum += count * unit->second;
  }
  return sum;
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  for (size_t end = 0; end != std::string_view::npos;) {
    end = path.find('/');
    parts.emplace_back(path.substr(0, end));
    if (end != std::string_view::npos) path.remove_prefix(end + 1);
  }
  return parts;
}

// As the API gives a value: wrapped, level by level. Null is a node without `value`.
void append_node(std::string& out, dom::element value, bool secret) {
  dom::object object;
  dom::array list;
  dom::element inner;
  if (value.get(object) == simdjson::SUCCESS && object.size() == 1 &&
      object[kSecretMark].get(inner) == simdjson::SUCCESS)
    return append_node(out, inner, true);
  out += '{';
  if (value.get(object) == simdjson::SUCCESS) {
    out += "\"value\":{";
    const char* separator = "";
    for (const auto [name, member] : object) {
      out += std::exchange(separator, ",");
      append_json(out, name);
      out += ':';
      append_node(out, member, secret);
    }
    out += "},";
  } else if (value.get(list) == simdjson::SUCCESS) {
    out += "\"value\":[";
    const char* separator = "";
    for (const dom::element item : list) {
      out += std::exchange(separator, ",");
      append_node(out, item, secret);
    }
    out += "],";
  } else if (!value.is_null()) {
    out += "\"value\":" + std::string(simdjson::minify(value)) + ",";
  }
  out += secret ? R"("secret":true,"trace":{}})" : R"("trace":{}})";
}

std::string session_body(dom::object environment) {
  std::string out = R"({"exprs":{},"properties":{)";
  const char* separator = "";
  for (const auto [name, member] : environment) {
    out += std::exchange(separator, ",");
    append_json(out, name);
    out += ':';
    append_node(out, member, false);
  }
  return out + R"(},"schema":{}})" + "\n";
}

bool is_good(std::string_view authorization) {
  constexpr std::string_view kScheme = "token pul-";
  return authorization.starts_with(kScheme) && authorization.size() > kScheme.size() &&
         !authorization.substr(kScheme.size()).starts_with("invalid");
}

}  // namespace

LabEsc::Answer LabEsc::answer(std::string_view method, std::string_view path,
                              std::string_view query, std::string_view authorization,
                              const LabEscSource& source, Nanos now) {
  if (!is_good(authorization))
    return error(401, "Unauthorized: No credentials provided or are invalid.");
  if (!path.starts_with(kBase)) return error(404, "Not Found");
  const std::vector<std::string> parts = split(path.substr(kBase.size()));
  if (parts.size() < 4) return error(404, "Not Found");
  const std::string environment = fmt::format("{}/{}/{}", parts[0], parts[1], parts[2]);
  const std::vector<std::string> rest(parts.begin() + 3, parts.end());
  const bool of_version = rest.size() == 3 && rest[0] == "versions" && rest[2] == "open";
  const bool opens = of_version || (rest.size() == 1 && rest[0] == "open");
  if (opens && method == "POST") {
    const std::string name = of_version ? environment + "@" + rest[1] : environment;
    return open(environment, name, query, source, now);
  }
  if (rest.size() == 2 && rest[0] == "open" && method == "GET")
    return get(environment, rest[1], now);
  return opens ? error(405, "Method Not Allowed") : error(404, "Not Found");
}

LabEsc::Answer LabEsc::open(const std::string& environment, const std::string& name,
                            std::string_view query, const LabEscSource& source, Nanos now) {
  constexpr std::string_view kDuration = "duration=";
  std::optional<Nanos> lifetime = kUsualLifetime;
  if (query.starts_with(kDuration)) lifetime = read_duration(query.substr(kDuration.size()));
  if (!lifetime) return error(400, "Bad Request: invalid duration");
  if (!source) return no_environment(name);
  const Result<std::string> text = source();
  if (!text) return error(500, "Internal Server Error: " + text.error().message());
  dom::parser parser;
  const simdjson::padded_string padded(*text);
  dom::element root;
  dom::object all;
  dom::object values;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root.get(all) != simdjson::SUCCESS)
    return error(500, "Internal Server Error: the lab's environments are no JSON object");
  if (all[name].get(values) != simdjson::SUCCESS) return no_environment(name);
  Session session{
      .environment = environment, .body = session_body(values), .until = now + *lifetime};
  const std::lock_guard guard(lock_);
  std::erase_if(sessions_, [now](const auto& each) { return each.second.until <= now; });
  if (sessions_.size() >= kMostSessions) sessions_.erase(sessions_.begin());
  const std::string id = fmt::format("lab-{:012x}", ++opened_);
  sessions_.emplace(id, std::move(session));
  return {.status = 200, .body = fmt::format(R"({{"id":"{}"}})", id) + "\n"};
}

LabEsc::Answer LabEsc::get(const std::string& environment, const std::string& session, Nanos now) {
  const std::lock_guard guard(lock_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || found->second.environment != environment ||
      found->second.until <= now)
    return error(404, "Not Found: open environment session not found");
  return {.status = 200, .body = found->second.body};
}

}  // namespace sluice::providers
