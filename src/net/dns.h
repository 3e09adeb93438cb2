// Names to addresses, off the loops: the system's resolver on a thread of its own, with a cache.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "net/socket.h"

namespace sluice::net {

// Safe to use from several loops. A literal address is answered at once. An answer is kept for
// `fresh`; when asking anew fails, the last good answer is used on, for at most `stale`. Both
// address families, interleaved (RFC 8305).
class Resolver {
 public:
  struct Options {
    Nanos fresh = 30 * kSecond;
    Nanos stale = 3600 * kSecond;
  };
  // What asks the outside world: blocking. Tests pass their own.
  using Lookup = std::function<Result<std::vector<Address>>(const std::string& host)>;

  explicit Resolver(const Clock& clock);
  Resolver(const Clock& clock, Options options, Lookup lookup);
  ~Resolver();

  // The port of every address is `port`. Errors: DnsError, or why `until` ended. The answer arrives
  // on `loop`.
  Task<Result<std::vector<Address>>> resolve(Loop& loop, std::string host, uint16_t port,
                                             Until until);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sluice::net
