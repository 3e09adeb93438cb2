#include "net/redis.h"

#include <array>
#include <openssl/evp.h>
#include <utility>

namespace sluice::net {
namespace {

std::string sha1_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace

RedisScript::RedisScript(std::string source)
    : source_(std::move(source)), sha1_(sha1_hex(source_)) {}

RedisClient::RedisClient(Loop& loop, Resolver& resolver, RedisOptions options)
    : loop_(loop), options_(std::move(options)) {
  if (options_.url.mode == RedisUrl::Mode::Cluster) {
    cluster_ = std::make_unique<RedisCluster>(loop_, resolver, options_);
  } else {
    node_ = std::make_unique<RedisNode>(loop_, RedisDialer(loop_, resolver, options_), options_);
  }
}

Task<Result<RedisReply>> RedisClient::command(RedisCommand command, Until until) {
  Task<Result<RedisReply>> sent = cluster_ != nullptr
                                      ? cluster_->command(std::move(command), until)
                                      : node_->command(std::move(command), false, until);
  Result<RedisReply> reply = co_await std::move(sent);
  if (reply && reply->is_error()) co_return redis_error(reply->text);
  co_return std::move(reply);
}

Task<Result<RedisReply>> RedisClient::eval(const RedisScript& script,
                                           std::span<const std::string_view> keys,
                                           std::span<const std::string_view> arguments,
                                           Until until) {
  RedisCommand by_hash("EVALSHA", script.sha1(), keys.size());
  for (const std::string_view key : keys) by_hash.add(key);
  for (const std::string_view argument : arguments) by_hash.add(argument);
  return run_script(script, std::move(by_hash), until);
}

Task<Result<RedisReply>> RedisClient::run_script(const RedisScript& script, RedisCommand by_hash,
                                                 Until until) {
  Result<RedisReply> reply = co_await command(by_hash, until);
  if (reply || redis_fault(reply.error()) != RedisFault::NoScript) co_return std::move(reply);
  RedisCommand by_source("EVAL", script.source());
  by_source.add_words(by_hash, 2);
  co_return co_await command(std::move(by_source), until);
}

RedisStatus RedisClient::status() const {
  return cluster_ != nullptr ? cluster_->status() : node_->status();
}

}  // namespace sluice::net
