#include "app/worker.h"

#include <utility>
#include <vector>

namespace sluice::app {
namespace {

// How often a draining loop looks whether its last exchange is done.
constexpr Nanos kDrainLook = 5 * kMillisecond;

Task<void> report_idle(net::Loop& loop, const net::Server& server, std::atomic<bool>& idle) {
  while (!server.idle()) {
    const Until look(loop.after(kDrainLook));
    co_await net::Sleep(loop, look);
  }
  idle.store(true, std::memory_order_release);
}

}  // namespace

Worker::Worker(const Parts& parts, InForce in_force)
    : loop_(parts.clock),
      client_(loop_, parts.resolver),
      shared_{.loop = loop_,
              .client = client_,
              .ledger = parts.ledger,
              .ids = IdSource::from_os(parts.lane, parts.last_key),
              .snapshot = std::move(in_force.snapshot),
              .out = {},
              .lane = parts.lane,
              .directory = std::move(in_force.directory),
              .accounts = &parts.accounts,
              .limits = parts.limits,
              .bodies = &parts.bodies,
              .tokens = tokens::TokenCounter(parts.tokenizers)},
      api_(shared_, parts.health),
      server_(loop_, api_, in_force.options),
      lane_(parts.lane) {}

Worker::~Worker() {
  stop();
}

Result<net::Address> Worker::listen(const net::Address& address, net::StreamWrapper wrap) {
  return server_.listen(address, std::move(wrap));
}

void Worker::start() {
  thread_ = NamedThread("loop-" + std::to_string(lane_), [this] { loop_.run(); });
}

void Worker::apply(InForce in_force, std::function<void()> applied) {
  loop_.post([this, in_force = std::move(in_force), applied = std::move(applied)]() mutable {
    shared_.snapshot = std::move(in_force.snapshot);
    shared_.directory = std::move(in_force.directory);
    server_.set_options(in_force.options);
    std::vector<const net::Origin*> origins;
    for (const auto& upstream : shared_.snapshot->upstreams) {
      origins.push_back(upstream->origin().get());
    }
    client_.keep_only(origins);
    applied();
  });
}

void Worker::show(std::shared_ptr<const gateway::ListedModels> listed,
                  std::function<void()> applied) {
  loop_.post([this, listed = std::move(listed), applied = std::move(applied)]() mutable {
    shared_.listed = std::move(listed);
    applied();
  });
}

void Worker::drain() {
  loop_.post([this] {
    server_.drain();
    loop_.tasks().spawn(report_idle(loop_, server_, idle_));
  });
}

void Worker::cancel_all() {
  loop_.post([this] { server_.cancel_all(); });
}

void Worker::stop() {
  loop_.stop();
  thread_.join();
}

}  // namespace sluice::app
