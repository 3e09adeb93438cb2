#include "app/esc_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <simdjson.h>
#include <utility>

#include "app/blocking_call.h"
#include "app/config_proxy.h"
#include "app/config_value.h"

namespace sluice::app {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kTokenVariable = "PULUMI_ACCESS_TOKEN";
constexpr std::string_view kUrlVariable = "PULUMI_BACKEND_URL";
constexpr std::string_view kHome = "https://api.pulumi.com";
// What the esc CLI asks for; the values are read at once.
constexpr std::string_view kLifetime = "2h0m0s";
constexpr Nanos kPatience = 15 * kSecond;
constexpr size_t kLongestReason = 300;
constexpr int kOk = 200;

Error failed(std::string message) {
  return Error(Outcome::BadRequest, std::move(message));
}

std::string shortened(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestReason))
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return out;
}

// What the API says is wrong: its message, or the first of its diagnostics.
std::string reason_in(std::string_view body) {
  dom::parser parser;
  const simdjson::padded_string padded(body);
  dom::element root;
  std::string_view words;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return "";
  if (root["diagnostics"].at(0)["summary"].get(words) == simdjson::SUCCESS) return shortened(words);
  return root["message"].get(words) == simdjson::SUCCESS ? shortened(words) : "";
}

class EscClient {
 public:
  static Result<EscClient> make(const Surroundings& around, const std::stop_token& stop) {
    Looked token = look_up(kTokenVariable, around);
    if (token.fault) return failed(token.fault->message);
    if (!token.value || token.value->empty())
      return failed(fmt::format("neither {0} nor {0}_FILE is set", kTokenVariable));
    if (!is_header_value(*token.value)) return failed(fmt::format("{} is no token", token.name));
    BaseUrl url;
    std::string text = around.env(kUrlVariable).value_or("");
    if (text.empty()) text = kHome;
    if (const auto fault = assign(url, text, {}))
      return failed(fmt::format("{}: {}", kUrlVariable, fault->message));
    auto origin = origin_of(url, ProxyEnvironment::read(around).choose(url));
    if (!origin) return failed(origin.error().message());
    return EscClient(std::move(url), *std::move(origin), Secret(*std::move(token.value)), stop);
  }

  // The body of a reply 200.
  Result<std::string> call(std::string_view method, const std::string& path) const {
    Result<CallAnswer> answer = blocking_call(
        {.origin = origin_,
         .head = fmt::format("{} {}/api/esc/environments/{} HTTP/1.1\r\n"
                             "accept: application/vnd.pulumi+8\r\n"
                             "content-type: application/json\r\nauthorization: token {}\r\n",
                             method, url_.path, path, token_.reveal()),
         .body = "",
         .patience = kPatience},
        stop_);
    if (!answer) return Error(answer.error().outcome(), answer.error().message());
    if (answer->status == kOk) return std::move(answer->body);
    const std::string reason = reason_in(answer->body);
    return failed(fmt::format("{} answered {}{}{}", url_.host, answer->status,
                              reason.empty() ? "" : ": ", reason));
  }

 private:
  EscClient(BaseUrl url, std::shared_ptr<const net::Origin> origin, Secret token,
            const std::stop_token& stop)
      : url_(std::move(url)), origin_(std::move(origin)), token_(std::move(token)), stop_(stop) {}

  BaseUrl url_;
  std::shared_ptr<const net::Origin> origin_;
  Secret token_;
  std::stop_token stop_;
};

bool is_session(std::string_view id) {
  return !id.empty() && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

Result<std::string> session_in(std::string_view body) {
  dom::parser parser;
  const simdjson::padded_string padded(body);
  dom::element root;
  std::string_view id;
  if (parser.parse(padded).get(root) == simdjson::SUCCESS &&
      root["id"].get(id) == simdjson::SUCCESS && is_session(id))
    return std::string(id);
  const std::string reason = reason_in(body);
  return failed(reason.empty() ? "the reply names no session" : reason);
}

}  // namespace

std::optional<EscName> read_esc_name(std::string_view text) {
  EscName name;
  const size_t at = text.find('@');
  if (at != std::string_view::npos) {
    name.version = std::string(text.substr(at + 1));
    if (!is_name(name.version)) return std::nullopt;
    text = text.substr(0, at);
  }
  name.path = std::string(text);
  for (int part = 0; part < 3; ++part) {
    const size_t end = std::min(text.find('/'), text.size());
    const std::string_view word = text.substr(0, end);
    const bool last = end == text.size();
    if (!is_name(word) || word == "." || word == ".." || last != (part == 2)) return std::nullopt;
    if (!last) text.remove_prefix(end + 1);
  }
  return name;
}

Result<Secret> open_esc(const EscName& name, const Surroundings& around,
                        const std::stop_token& stop) {
  const Result<EscClient> client = EscClient::make(around, stop);
  if (!client) return Error(client.error().outcome(), client.error().message());
  const std::string version = name.version.empty() ? "" : "/versions/" + name.version;
  Result<std::string> opened =
      client->call("POST", fmt::format("{}{}/open?duration={}", name.path, version, kLifetime));
  if (!opened) return std::move(opened).error();
  const Result<std::string> session = session_in(*opened);
  if (!session) return Error(session.error().outcome(), session.error().message());
  Result<std::string> content = client->call("GET", fmt::format("{}/open/{}", name.path, *session));
  if (!content) return std::move(content).error();
  return Secret(*std::move(content));
}

}  // namespace sluice::app
