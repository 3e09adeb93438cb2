// Fetches the lists of models that providers keep: a GET or a few on the loop it is given, away
// from those that serve. By the provider's own way: its TLS, its proxy, its key.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/snapshot.h"
#include "net/client.h"
#include "net/loop.h"
#include "providers/model_list.h"

namespace sluice::app {

class ListFetcher {
 public:
  struct Job {
    std::shared_ptr<const gateway::Snapshot> snapshot;  // that has the provider
    size_t provider = 0;
    uint64_t ticket = 0;  // given back with the answer
  };
  struct Fetched {
    uint64_t ticket = 0;
    Result<providers::ModelList> list;
  };

  // Both outlive it. It is to be destroyed when the loop turns no more.
  ListFetcher(net::Loop& loop, net::Resolver& resolver);

  // From any thread. Each job has one answer, sooner or later.
  void fetch(Job job);
  // Those that are here. From any thread.
  std::vector<Fetched> take();

 private:
  Task<void> run(Job job);
  Task<Result<providers::ModelList>> fetch_all(const providers::Upstream& upstream);
  Task<Result<providers::ModelList>> fetch_page(const providers::Upstream& upstream,
                                                std::string query, Until until);
  Result<providers::ModelList> read(const providers::Upstream& upstream,
                                    const net::CallReply& reply, std::string_view body);

  net::Loop& loop_;
  net::Client client_;
  std::mutex mutex_;
  std::vector<Fetched> fetched_;
};

}  // namespace sluice::app
