#include "app/list_fetcher.h"

#include <fmt/format.h>
#include <utility>

namespace sluice::app {
namespace {

// Nobody waits for a list, so it may take its time; but one that hangs is asked for anew.
constexpr Nanos kPatience = 60 * kSecond;
// Of one page. OpenRouter's whole list is below one.
constexpr uint64_t kMostBytes = 16 << 20;

// What the provider has said so far, and how much of it at a time.
std::string query_of(size_t offset, size_t page) {
  return offset == 0 ? "" : fmt::format("?offset={}&limit={}", offset, page);
}

}  // namespace

ListFetcher::ListFetcher(net::Loop& loop, net::Resolver& resolver)
    : loop_(loop), client_(loop, resolver) {}

void ListFetcher::fetch(Job job) {
  loop_.post([this, job = std::move(job)] { loop_.tasks().spawn(run(job)); });
}

std::vector<ListFetcher::Fetched> ListFetcher::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(fetched_, {});
}

Task<void> ListFetcher::run(Job job) {
  const providers::Upstream& upstream = *job.snapshot->upstreams[job.provider];
  Result<providers::ModelList> list = co_await fetch_all(upstream);
  client_.keep_only({});  // the next time is hours away
  const std::lock_guard lock(mutex_);
  fetched_.push_back({job.ticket, std::move(list)});
}

Task<Result<providers::ModelList>> ListFetcher::fetch_all(const providers::Upstream& upstream) {
  const Until until(loop_.after(kPatience));
  providers::ModelList all;
  size_t page_size = 0;
  for (;;) {
    Result<providers::ModelList> page =
        co_await fetch_page(upstream, query_of(all.models.size(), page_size), until);
    if (!page) co_return std::move(page).error();
    if (page_size == 0) page_size = page->models.size();
    all.has_prices = page->has_prices;
    for (providers::ListedModel& model : page->models) all.models.push_back(std::move(model));
    if (!page->more || page->models.empty()) co_return all;
    if (all.models.size() > providers::kMostListedModels) {
      co_return Error(Outcome::UpstreamBadReply, "the list of models is too long");
    }
  }
}

Task<Result<providers::ModelList>> ListFetcher::fetch_page(const providers::Upstream& upstream,
                                                           std::string query, Until until) {
  // Any key will do; none left in service may be the very reason to ask with the first.
  const size_t key = upstream.keys().pick(loop_.now(), 0).value_or(0);
  std::string head;
  if (Result<void> made = upstream.append_list_head(head, query, key, loop_.wall_micros()); !made)
    co_return std::move(made).error();
  const net::CallRequest request{.head = head, .body = {}};
  net::CallTrace trace;
  Result<net::CallReply> reply =
      co_await client_.call(upstream.origin(), request, upstream.timeouts(), until, trace);
  if (!reply) co_return std::move(reply).error();
  const Result<std::string_view> body = co_await reply->read_all(kMostBytes, until);
  if (!body) co_return Error(body.error().outcome(), body.error().message());
  co_return read(upstream, *reply, *body);
}

Result<providers::ModelList> ListFetcher::read(const providers::Upstream& upstream,
                                               const net::CallReply& reply, std::string_view body) {
  constexpr int kOk = 200;
  const net::ResponseHead& head = reply.head();
  if (head.status == kOk) return providers::read_model_list(upstream.kind(), body);
  const providers::UpstreamFailure failure =
      upstream.classify(head.status, head.headers, body, loop_.wall_micros());
  return Error(failure.outcome, fmt::format("status {}: {}", head.status, failure.message));
}

}  // namespace sluice::app
