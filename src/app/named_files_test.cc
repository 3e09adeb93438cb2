#include "app/named_files.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/certs.h"

namespace sluice::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class NamedFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::string path = folder_ + name;
    std::ofstream(path) << text;
    written_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const auto& path : written_) std::filesystem::remove(path);
  }
  // "key: message" of the only fault.
  std::string fault() const {
    const auto faults = faults_in_files(settings_);
    EXPECT_THAT(faults, SizeIs(1));
    return faults.empty() ? "" : faults.front().key + " " + faults.front().message;
  }

  const std::string folder_ = testing::TempDir();
  const std::string gone_ = folder_ + "no-such-file";
  test::TestAuthority authority_;
  Settings settings_;

 private:
  std::vector<std::string> written_;
};

TEST_F(NamedFiles, ThatCanBeUsedAreNoFault) {
  const auto files = authority_.issue("server");
  settings_.server.tls = {.cert_file = files.cert, .key_file = files.key, .client_ca_file = ""};
  provider_of(settings_, "p").tls.ca_file = authority_.ca_file();
  settings_.log.access = {.target = LogTarget::File, .path = folder_ + "access-to-be.log"};
  EXPECT_THAT(faults_in_files(settings_), IsEmpty());
}

TEST_F(NamedFiles, NoneAreNamedByTheDefaults) {
  EXPECT_THAT(faults_in_files(Settings{}), IsEmpty());
}

TEST_F(NamedFiles, CFG_4_TheKeyOfSnowflakeMustBeOne) {
  CortexSettings& cortex = provider_of(settings_, "c").cortex;
  cortex.account = "org-account";
  cortex.user = "writer";
  cortex.private_key_file = gone_;
  EXPECT_THAT(fault(), HasSubstr("providers.c.private_key_file `providers.c.private_key_file`: "
                                 "cannot read " +
                                 gone_));
  cortex.private_key_file = write("no-key.pem", "no key at all\n");
  EXPECT_THAT(fault(), HasSubstr("the private key is no PEM text"));
}

TEST_F(NamedFiles, OfTheServersTlsMustBeThereAndBelongTogether) {
  const auto files = authority_.issue("server");
  settings_.server.tls = {.cert_file = gone_, .key_file = files.key, .client_ca_file = ""};
  EXPECT_THAT(fault(), HasSubstr("server.tls.cert_file `server.tls.cert_file`: cannot read " +
                                 gone_ + ": No such file or directory"));
  settings_.server.tls.cert_file = write("garbage.pem", "nothing of use\n");
  EXPECT_THAT(fault(), HasSubstr("cannot use the certificate"));
  settings_.server.tls.cert_file = authority_.issue("other").cert;
  EXPECT_THAT(fault(), HasSubstr("key values mismatch"));
}

TEST_F(NamedFiles, OfAProvidersTlsMustHoldCertificates) {
  auto& tls = provider_of(settings_, "p").tls;
  tls.ca_file = folder_;
  EXPECT_THAT(fault(), HasSubstr("providers.p.tls.ca_file"));
  tls.ca_file = write("garbage.pem", "nothing of use\n");
  EXPECT_THAT(fault(), HasSubstr("providers.p.tls `providers.p.tls`: cannot use"));
}

TEST_F(NamedFiles, OfPricesMustBeACatalogue) {
  settings_.prices.file = gone_;
  EXPECT_THAT(fault(), HasSubstr("prices.file"));
  settings_.prices.file = folder_;
  EXPECT_THAT(fault(), HasSubstr("Is a directory"));
  settings_.prices.file = write("prices.json", "{");
  EXPECT_THAT(fault(), HasSubstr("prices.json"));
}

TEST_F(NamedFiles, ALogIsMadeButNotItsDirectory) {
  settings_.log.access = {.target = LogTarget::File, .path = gone_ + "/access.log"};
  EXPECT_THAT(fault(), HasSubstr("log.access `log.access`: cannot write " + gone_));
  settings_.log.access.path = folder_;
  EXPECT_THAT(fault(), HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace sluice::app
