#include "net/dns.h"

#include <arpa/inet.h>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <pthread.h>
#include <signal.h>
#include <thread>
#include <utility>

namespace sluice::net {
namespace {

// How long a caller waits for a new answer while an outdated one is at hand (a slow resolver must
// not be felt), and how long a failing resolver is left in peace meanwhile.
constexpr Nanos kPatience = 500 * kMillisecond;
constexpr Nanos kAskAgain = 5 * kSecond;

using Addresses = std::vector<Address>;
using Answer = std::shared_ptr<const Result<Addresses>>;

Address with_port(const Address& address, uint16_t port) {
  sockaddr_storage storage;
  std::memcpy(&storage, address.get(), address.length());
  if (storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  }
  return Address(reinterpret_cast<const sockaddr*>(&storage), address.length());
}

Addresses with_port(const Addresses& addresses, uint16_t port) {
  Addresses result;
  result.reserve(addresses.size());
  for (const Address& address : addresses) result.push_back(with_port(address, port));
  return result;
}

std::optional<Address> literal(const std::string& host, uint16_t port) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  return std::nullopt;
}

// The families in turn, beginning with the one the system puts first (RFC 8305 section 4).
Addresses interleave(const Addresses& sorted) {
  Addresses first;
  Addresses second;
  for (const Address& address : sorted) {
    (address.family() == sorted.front().family() ? first : second).push_back(address);
  }
  Addresses result;
  for (size_t i = 0; i < first.size() || i < second.size(); ++i) {
    if (i < first.size()) result.push_back(first[i]);
    if (i < second.size()) result.push_back(second[i]);
  }
  return result;
}

Result<Addresses> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (status != 0) {
    return Error(Outcome::DnsError,
                 "cannot resolve '" + host +
                     "': " + (status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status)));
  }
  Addresses addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    addresses.emplace_back(entry->ai_addr, entry->ai_addrlen);
  }
  freeaddrinfo(found);
  return addresses;
}

// A coroutine that waits for an answer. Shared with the resolver's thread and with the mail on its
// way, because the coroutine may be gone before either is done.
struct Waiter {
  explicit Waiter(Loop& where) : loop(where) {}
  Loop& loop;
  Bell bell;      // the loop's thread only
  Answer answer;  // likewise
};

struct Entry {
  Answer good;  // the last one that worked, or null
  Nanos good_since = 0;
  Nanos leave_alone_until = 0;  // after a failure, with an outdated answer at hand
  Nanos asked_at = 0;
  bool asking = false;
  std::vector<std::shared_ptr<Waiter>> waiters;
};

}  // namespace

struct Resolver::State {
  State(const Clock& the_clock, Options the_options, Lookup the_lookup)
      : clock(the_clock), options(the_options), lookup(std::move(the_lookup)) {}

  const Clock& clock;  // not touched by the thread, which may outlive it
  const Options options;
  const Lookup lookup;

  std::mutex lock;
  std::condition_variable work;
  std::deque<std::string> queue;
  std::map<std::string, Entry> entries;
  bool stopping = false;
  bool busy = false;
  std::thread thread;

  static void run(const std::shared_ptr<State>& state);
  void settle(const std::string& host, Result<Addresses> found);
  // The answer at hand if it will do, else null: `waiter` is then in line. `outdated` is what to
  // fall back to, or null.
  Answer ask(const std::string& host, const std::shared_ptr<Waiter>& waiter, Answer& outdated);
  void forget(const std::string& host, const std::shared_ptr<Waiter>& waiter);

  // Takes a waiter out of line when its coroutine ends, however it ends: the thread must not post
  // to a loop that may be gone.
  class Place {
   public:
    Place(std::shared_ptr<State> state, const std::string& host, std::shared_ptr<Waiter> waiter)
        : state_(std::move(state)), host_(host), waiter_(std::move(waiter)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { state_->forget(host_, waiter_); }

   private:
    std::shared_ptr<State> state_;
    const std::string& host_;
    std::shared_ptr<Waiter> waiter_;
  };
};

Resolver::Resolver(const Clock& clock) : Resolver(clock, Options(), ask_system) {}

Resolver::Resolver(const Clock& clock, Options options, Lookup lookup)
    : state_(std::make_shared<State>(clock, options, std::move(lookup))) {
  // Signals are for the thread that waits for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  state_->thread = std::thread(State::run, state_);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(state_->thread.native_handle(), "sluice-dns");
}

Resolver::~Resolver() {
  bool busy;
  {
    const std::lock_guard lock(state_->lock);
    state_->stopping = true;
    busy = state_->busy;
  }
  state_->work.notify_one();
  // A lookup can hang for half a minute: the thread then ends by itself, with a share of the state.
  if (busy) {
    state_->thread.detach();
  } else {
    state_->thread.join();
  }
}

void Resolver::State::run(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->lock);
  for (;;) {
    state->work.wait(lock, [&] { return state->stopping || !state->queue.empty(); });
    if (state->stopping) return;
    const std::string host = std::move(state->queue.front());
    state->queue.pop_front();
    state->busy = true;
    lock.unlock();
    Result<Addresses> found = state->lookup(host);
    lock.lock();
    state->busy = false;
    state->settle(host, std::move(found));
  }
}

// Under the lock, so that no waiter's loop can go away meanwhile.
void Resolver::State::settle(const std::string& host, Result<Addresses> found) {
  Entry& entry = entries[host];
  entry.asking = false;
  if (found && found->empty()) {
    found = Error(Outcome::DnsError, "cannot resolve '" + host + "': no address");
  }
  Answer answer;
  if (found) {
    answer = std::make_shared<const Result<Addresses>>(interleave(*found));
    entry.good = answer;
    entry.good_since = entry.asked_at;
  } else if (entry.good != nullptr) {
    answer = entry.good;
    entry.leave_alone_until = entry.asked_at + kAskAgain;
  } else {
    answer = std::make_shared<const Result<Addresses>>(std::move(found));
  }
  for (const std::shared_ptr<Waiter>& waiter : entry.waiters) {
    waiter->loop.post([waiter, answer] {
      waiter->answer = answer;
      waiter->bell.ring();
    });
  }
  entry.waiters.clear();
}

Answer Resolver::State::ask(const std::string& host, const std::shared_ptr<Waiter>& waiter,
                            Answer& outdated) {
  const Nanos now = clock.monotonic();
  const std::lock_guard guard(lock);
  Entry& entry = entries[host];
  if (entry.good != nullptr) {
    const Nanos age = now - entry.good_since;
    if (age < options.fresh) return entry.good;
    if (age >= options.fresh + options.stale) {
      entry.good = nullptr;
    } else if (now < entry.leave_alone_until) {
      return entry.good;
    }
  }
  outdated = entry.good;
  entry.waiters.push_back(waiter);
  if (!entry.asking) {
    entry.asking = true;
    entry.asked_at = now;
    queue.push_back(host);
    work.notify_one();
  }
  return nullptr;
}

void Resolver::State::forget(const std::string& host, const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard guard(lock);
  std::erase(entries[host].waiters, waiter);
}

Task<Result<Addresses>> Resolver::resolve(Loop& loop, std::string host, uint16_t port,
                                          Until until) {
  if (const std::optional<Address> address = literal(host, port)) {
    co_return Addresses{*address};
  }
  const auto waiter = std::make_shared<Waiter>(loop);
  Answer outdated;
  Answer answer = state_->ask(host, waiter, outdated);
  if (answer == nullptr) {
    const State::Place place(state_, host, waiter);
    const Until patience = outdated != nullptr ? until.earlier(loop.after(kPatience)) : until;
    const Wake wake = co_await waiter->bell.listen(loop, patience);
    if (wake == Wake::Cancelled) {
      co_return Error(until.cancel()->why(), "given up while resolving '" + host + "'");
    }
    answer = wake == Wake::Ready ? waiter->answer : outdated;
    if (answer == nullptr) {
      co_return Error(Outcome::ConnectTimeout, "resolving '" + host + "' took too long");
    }
  }
  if (!*answer) co_return Error(answer->error().outcome(), answer->error().message());
  co_return with_port(**answer, port);
}

}  // namespace sluice::net
