#include "net/pool.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::net {
namespace {

constexpr size_t kSpareHeads = 16;

}  // namespace

std::string authority_of(const std::string& host, uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

void Connection::on_cancel() {
  pool_->drop(this);  // destroys this
}

// An idle peer has nothing to say: an end, an error or bytes nobody asked for all mean the same. A
// TLS stream may still digest a session ticket here.
bool Connection::is_quiet() {
  const Readiness& readiness = stream_->readiness();
  if (readiness.hung_up()) return false;
  if (!unsure_ && !readiness.ready(Readiness::kIn)) return true;
  std::array<char, 64> unexpected;
  return stream_->try_read(unexpected).status == IoStatus::Again;
}

Pool::Pool(Loop& loop, std::shared_ptr<const Origin> origin)
    : loop_(loop), origin_(std::move(origin)) {
  const bool tls = origin_->tls != nullptr;
  const std::string authority = authority_of(origin_->host, origin_->port);
  const bool usual_port = origin_->port == (tls ? 443 : 80);
  append_header(fixed_fields_, "Host",
                usual_port ? std::string_view(authority).substr(0, authority.rfind(':'))
                           : std::string_view(authority));
  if (!tls && !origin_->proxy_host.empty()) {
    absolute_prefix_ = "http://" + authority;
    if (!origin_->proxy_authorization.empty()) {
      append_header(fixed_fields_, "Proxy-Authorization", origin_->proxy_authorization);
    }
  }
}

std::unique_ptr<Connection> Pool::take() {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    connection->stream().cancel_on_hang_up(nullptr);
    connection->hang_up_.detach(connection.get());
    connection->pool_ = nullptr;
    const bool expired = loop_.now() - connection->idle_since_ >= origin_->idle_timeout;
    if (!expired && connection->is_quiet()) return connection;
  }
  return nullptr;
}

Slot Pool::take_slot() {
  if (open_ >= origin_->max_connections) return Slot();
  ++open_;
  return Slot(this);
}

void Pool::put(std::unique_ptr<Connection> connection) {
  if (closed_ || connection->stream().readiness().hung_up()) return;
  if (first_ != nullptr) {
    if (!connection->is_quiet()) return;
    connection->idle_since_ = loop_.now();
    grant(Place{std::move(connection), Slot()});
    return;
  }
  if (idle_.size() >= origin_->max_idle) idle_.erase(idle_.begin());
  Connection& idle = *connection;
  idle.idle_since_ = loop_.now();
  idle.pool_ = this;
  idle.hang_up_.attach(&idle);
  idle.stream().cancel_on_hang_up(&idle.hang_up_);
  idle_.push_back(std::move(connection));
  if (!armed()) loop_.timers().arm(*this, loop_.now() + origin_->idle_timeout);
}

void Pool::close() {
  closed_ = true;
  idle_.clear();
  disarm();
}

void Pool::drop(Connection* connection) {
  const auto found = std::find_if(idle_.begin(), idle_.end(),
                                  [&](const auto& idle) { return idle.get() == connection; });
  if (found != idle_.end()) idle_.erase(found);
}

// Armed once for the oldest, however many connections come and go meanwhile.
void Pool::on_timer() {
  const auto fresh = std::find_if(idle_.begin(), idle_.end(), [&](const auto& idle) {
    return loop_.now() - idle->idle_since_ < origin_->idle_timeout;
  });
  idle_.erase(idle_.begin(), fresh);
  if (!idle_.empty()) {
    loop_.timers().arm(*this, idle_.front()->idle_since_ + origin_->idle_timeout);
  }
}

void Slot::give_back() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->release_slot();
}

void Pool::release_slot() {
  if (first_ != nullptr) {
    grant(Place{nullptr, Slot(this)});
  } else {
    --open_;
  }
}

void Pool::grant(Place place) {
  PoolWait& wait = *first_;
  leave(wait);
  wait.place_ = std::move(place);
  loop_.defer(wait);
}

void Pool::enqueue(PoolWait& wait) {
  wait.queued_ = true;
  wait.previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = &wait;
  last_ = &wait;
  ++waiting_;
}

void Pool::leave(PoolWait& wait) {
  (wait.previous_ == nullptr ? first_ : wait.previous_->next_) = wait.next_;
  (wait.next_ == nullptr ? last_ : wait.next_->previous_) = wait.previous_;
  wait.queued_ = false;
  --waiting_;
}

PoolWait::PoolWait(Pool& pool, Until until) : Wait(pool.loop(), until), pool_(pool) {}

// What it was given and nobody took goes to the next; so does the slot, by its own destructor.
PoolWait::~PoolWait() {
  if (queued_) pool_.leave(*this);
  if (place_.connection != nullptr) pool_.put(std::move(place_.connection));
}

void PoolWait::await_suspend(std::coroutine_handle<> coroutine) {
  pool_.enqueue(*this);
  suspend(coroutine);
}

ResponseHead Pool::take_head() {
  if (heads_.empty()) return {};
  ResponseHead head = std::move(heads_.back());
  heads_.pop_back();
  return head;
}

void Pool::give_head(ResponseHead head) {
  if (heads_.size() >= kSpareHeads) return;
  head.headers.clear();
  heads_.push_back(std::move(head));
}

}  // namespace sluice::net
