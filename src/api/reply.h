// What the HTTP faces share: small replies, and paths as people type them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/server.h"

namespace sluice::api {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kText = "text/plain; charset=utf-8";

// Replies and swallows a client that is gone: these replies leave no ledger row that would have to
// say so.
Task<void> send_text(net::ServerExchange& http, int status, std::string_view type,
                     std::string body);
// An error in OpenAI's envelope; `headers` are further complete lines.
Task<void> send_error(net::ServerExchange& http, const Error& error, std::string headers = "");

// Without one trailing slash.
std::string_view trimmed_path(std::string_view path);

}  // namespace sluice::api
