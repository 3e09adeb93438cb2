// `sluice lab`: the fake provider, on a port of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::app {

struct LabArguments {
  std::string listen = "127.0.0.1:9000";
  uint64_t seed = 0;
  std::vector<std::string> faults;  // "reset=5%": see lab_chance.h
  int64_t price_factor = 1;         // on all its prices
  std::string cert_file;            // empty: plain HTTP
  std::string key_file;
  // The Snowflake user whose key-pair JWTs are good; empty: nobody's are.
  std::string snowflake_account;
  std::string snowflake_user;
  std::vector<std::string> snowflake_key_files;  // public keys, PEM: one, or two while they rotate
  std::string esc_file;  // what its Pulumi ESC environments hold; empty: there are none
  std::string snowflake_pat = "pat-lab";
};

// Serves until SIGTERM or SIGINT; returns the exit code.
int lab(const LabArguments& arguments);

}  // namespace sluice::app
