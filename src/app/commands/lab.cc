#include "app/commands/lab.h"

#include <fstream>
#include <iostream>
#include <iterator>

#include "app/commands/check.h"
#include "app/file_content.h"
#include "app/signals.h"
#include "app/tls_wrapper.h"
#include "base/thread.h"
#include "net/server.h"
#include "providers/lab.h"

namespace sluice::app {
namespace {

constexpr timespec kWait{.tv_sec = 3600, .tv_nsec = 0};

int refuse(const Error& error) {
  std::cerr << "sluice lab: " << error.message() << "\n";
  return kExitInvalid;
}

// Who may call the lab's Cortex.
Result<providers::LabSnowflakeAuth> snowflake_auth(const LabArguments& arguments) {
  Secret pat(arguments.snowflake_pat);
  std::vector<std::string> keys;
  for (const std::string& file : arguments.snowflake_key_files) {
    std::ifstream in(file);
    keys.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (in.bad() || keys.back().empty())
      return Error(Outcome::BadRequest, "cannot read the public key '" + file + "'");
  }
  if (keys.empty()) return providers::LabSnowflakeAuth({}, std::move(pat));
  auto made = providers::LabSnowflakeKeys::make(arguments.snowflake_account,
                                                arguments.snowflake_user, keys);
  if (!made) return std::move(made).error();
  return providers::LabSnowflakeAuth(*std::move(made), std::move(pat));
}

}  // namespace

int lab(const LabArguments& arguments) {
  const sigset_t signals = block_signals();
  raise_file_limit();
  const Result<net::Address> address = net::Address::parse(arguments.listen);
  if (!address) return refuse(address.error());
  net::StreamWrapper wrap;
  if (!arguments.cert_file.empty()) {
    Result<net::StreamWrapper> tls = make_tls_wrapper(
        {.cert_file = arguments.cert_file, .key_file = arguments.key_file, .client_ca_file = ""});
    if (!tls) return refuse(tls.error());
    wrap = *std::move(tls);
  }

  SystemClock clock;
  net::Loop loop(clock);
  Result<providers::LabSnowflakeAuth> snowflake = snowflake_auth(arguments);
  if (!snowflake) return refuse(snowflake.error());
  Result<std::vector<providers::LabChance>> chances =
      providers::parse_lab_chances(arguments.faults);
  if (!chances) return refuse(chances.error());
  providers::LabState state;
  state.options.chances = *std::move(chances);
  if (!arguments.esc_file.empty())
    state.options.esc = [file = arguments.esc_file] { return file_content(file); };
  state.options.price_factor = arguments.price_factor;
  state.options.snowflake = *std::move(snowflake);
  providers::Lab handler(state, arguments.seed);
  net::Server server(loop, handler, {});
  if (Result<void> free = net::Listener::check_free(*address); !free) return refuse(free.error());
  const Result<net::Address> listening = server.listen(*address, wrap);
  if (!listening) return refuse(listening.error());
  const char* scheme = arguments.cert_file.empty() ? "http://" : "https://";
  std::cout << "{\"msg\":\"serving\",\"lab\":\"" << scheme << listening->text() << "\"}"
            << std::endl;

  NamedThread thread("lab", [&loop] { loop.run(); });
  while (!asks_to_stop(await_signal(signals, kWait))) {
  }
  loop.stop();
  thread.join();
  return kExitOk;
}

}  // namespace sluice::app
