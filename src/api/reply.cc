#include "api/reply.h"

#include <utility>

#include "wire/openai.h"

namespace sluice::api {

Task<void> send_text(net::ServerExchange& http, int status, std::string_view type,
                     std::string body) {
  std::string headers;
  net::append_header(headers, "content-type", type);
  [[maybe_unused]] const Result<void> sent = co_await http.reply(status, headers, body);
}

Task<void> send_error(net::ServerExchange& http, const Error& error, std::string headers) {
  net::append_header(headers, "content-type", kJson);
  const std::string body = openai::encode_error(error);
  [[maybe_unused]] const Result<void> sent =
      co_await http.reply(http_status_of(error.outcome()), headers, body);
}

std::string_view trimmed_path(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace sluice::api
