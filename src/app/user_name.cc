#include "app/user_name.h"

#include <pwd.h>
#include <unistd.h>

namespace sluice::app {

std::string user_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? "uid " + std::to_string(geteuid()) : entry->pw_name;
}

}  // namespace sluice::app
