// The lists of models and prices that providers gave last, and when each is to be fetched anew.
// Pure bookkeeping of the main thread: times are passed in, fetching is somebody else's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/time.h"
#include "gateway/snapshot.h"
#include "providers/model_list.h"
#include "telemetry/price.h"

namespace sluice::app {

class ModelLists {
 public:
  struct Due {
    size_t provider = 0;  // in the settings followed
    uint64_t ticket = 0;
  };

  // A configuration is in force. What a provider gave is kept while it has the same kind and
  // address; one that failed lately may be better now, and is asked at once.
  void follow(const Settings& settings, Nanos now);

  // Those to be fetched now, one at a time each: until took() or failed() with its ticket, a
  // provider is not due again.
  std::vector<Due> due(Nanos now);

  // How a fetch ended. Null: the ticket is of a configuration that is gone.
  const std::string* took(uint64_t ticket, providers::ModelList list, Nanos now,
                          int64_t wall_micros);
  struct Failure {
    const std::string* provider = nullptr;
    bool news = false;  // not the same that was told the last time
  };
  Failure failed(uint64_t ticket, const std::string& why, Nanos now);

  // `base` with what the lists say above its catalogs.
  std::shared_ptr<const telemetry::PriceTable> priced(const telemetry::PriceTable& base) const;
  // Models of the providers whose own configuration lists none.
  std::shared_ptr<const gateway::ListedModels> shown() const;

 private:
  struct Entry {
    std::string provider;
    std::string source;  // kind and address
    size_t index = 0;    // in the settings
    uint64_t ticket = 0;
    Nanos refresh = 0;
    bool show = false;
    bool asked = false;
    Nanos next = 0;
    Nanos pause = 0;     // before the next try, after a failure; 0: none
    std::string reason;  // of that failure
    std::string day;     // "2026-11-23", of what is here
    providers::ModelList list;
  };
  Entry* asked_with(uint64_t ticket);

  std::vector<Entry> entries_;  // in the order of the configuration
  uint64_t last_ticket_ = 0;
};

}  // namespace sluice::app
