// Which of a client's header fields an upstream may see (acceptance NET-1, TR-5).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/http1.h"
#include "providers/kind.h"

namespace sluice::providers {

// Never passed, whatever the configuration says: credentials, cookies, hop-by-hop fields, what
// steers an intermediary, and what the gateway states itself.
bool is_never_passed(Kind kind, std::string_view name);

class PassList {
 public:
  // The usual fields of `kind` and `dialect`, with `extra` and without `dropped`. Any case of
  // letters.
  PassList(Kind kind, Dialect dialect, const std::vector<std::string>& extra,
           const std::vector<std::string>& dropped);

  bool has(std::string_view name) const;
  // Appends the fields of `client` that pass. Fields its Connection field names do not.
  void append(std::string& out, const net::Headers& client) const;

 private:
  std::vector<std::string> names_;  // lower case
  uint64_t lengths_ = 0;            // bit n: some name is n long
};

}  // namespace sluice::providers
