#include "net/refused_address.h"

#include <gtest/gtest.h>
#include <optional>
#include <vector>

#include "net/client_connect.h"
#include "net/loop.h"

namespace sluice::net {
namespace {

Address at(std::string_view ip) {
  const bool v6 = ip.find(':') != std::string_view::npos;
  return *Address::parse(v6 ? "[" + std::string(ip) + "]:80" : std::string(ip) + ":80");
}

TEST(RefusedAddress, SEC_4_MetadataAndLinkLocalAddressesAreRefusedInEveryForm) {
  for (const char* ip : {"169.254.169.254",
                         "169.254.170.2",
                         "169.254.0.1",
                         "169.254.255.255",
                         "100.100.100.200",
                         "168.63.129.16",
                         "192.0.0.192",
                         "fd00:ec2::254",
                         "fd20:ce::254",
                         "fd00:c1::a9fe:a9fe",
                         "fe80::1",
                         "febf::1",
                         "fe80::a9fe:a9fe",
                         "::ffff:169.254.169.254",
                         "::ffff:a9fe:a9fe",
                         "::169.254.169.254",
                         "64:ff9b::169.254.169.254",
                         "64:ff9b::a9fe:a9fe",
                         "2002:a9fe:a9fe::1",
                         "::ffff:100.100.100.200"})
    EXPECT_TRUE(is_refused(at(ip))) << ip;
}

TEST(RefusedAddress, SEC_4_WhereModelsAreServedIsNot) {
  for (const char* ip :
       {"127.0.0.1", "10.0.0.7", "192.168.1.2", "172.16.0.1", "100.64.0.1", "169.253.255.255",
        "169.255.0.0", "100.100.100.201", "8.8.8.8", "::1", "fd00:ec2::255", "fc00::1",
        "2001:db8::1", "::ffff:127.0.0.1", "64:ff9b::8.8.8.8", "2002:0808:0808::1", "fec0::1"})
    EXPECT_FALSE(is_refused(at(ip))) << ip;
  EXPECT_FALSE(is_refused(Address::unix_socket("/run/x")));
}

Task<void> connect_into(std::optional<Result<std::unique_ptr<Socket>>>& to, Loop& loop,
                        std::vector<Address> addresses) {
  to = co_await connect_to_any(loop, std::move(addresses), Until(loop.after(5 * kSecond)));
}

// Whatever a name was when it was configured, this is what it means now.
TEST(RefusedAddress, SEC_4_NothingIsConnectedToWhereANameLeadsThere) {
  const SystemClock clock;
  Loop loop(clock);
  std::optional<Result<std::unique_ptr<Socket>>> done;
  const std::vector<Address> addresses = {at("169.254.169.254"), at("fd00:ec2::254")};
  loop.tasks().spawn(connect_into(done, loop, addresses));
  ASSERT_TRUE(done) << "nothing was waited for";
  ASSERT_FALSE(*done);
  EXPECT_EQ(done->error().outcome(), Outcome::ConnectError);
  EXPECT_EQ(done->error().message(),
            "169.254.169.254 is link-local or holds a cloud's metadata: it is never called");
}

}  // namespace
}  // namespace sluice::net
