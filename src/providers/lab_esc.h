// Pulumi ESC's REST API, as far as a gateway asks it: open an environment, get what is in it. As
// strict as the real one, with Pulumi's shape of an error. May be used from several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace sluice::providers {

// What the environments hold now: a JSON object, by "ORG/PROJECT/ENV", or "ORG/PROJECT/ENV@VERSION"
// for a version or tag. Values are plain JSON; {"fn::secret": VALUE} marks one as a secret.
using LabEscSource = std::function<Result<std::string>()>;

class LabEsc {
 public:
  struct Answer {
    int status = 200;
    std::string body;  // JSON
  };
  // Any path below /api/esc/. An opening reads the source; the session keeps what it read.
  Answer answer(std::string_view method, std::string_view path, std::string_view query,
                std::string_view authorization, const LabEscSource& source, Nanos now);

 private:
  struct Session {
    std::string environment;  // without a version
    std::string body;
    Nanos until = 0;
  };
  Answer open(const std::string& environment, const std::string& name, std::string_view query,
              const LabEscSource& source, Nanos now);
  Answer get(const std::string& environment, const std::string& session, Nanos now);

  std::mutex lock_;
  std::map<std::string, Session> sessions_;
  uint64_t opened_ = 0;
};

}  // namespace sluice::providers
