// Certificates for tests, made with OpenSSL when they are needed: a private authority in a
// directory of its own, and what it signs. Files vanish with the object.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <string>

namespace sluice::test {

struct CertificateFiles {
  std::string cert;  // PEM
  std::string key;   // PEM
};

class TestAuthority {
 public:
  struct Options {
    std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";  // subjectAltName
    bool expired = false;
    bool self_signed = false;
  };

  TestAuthority() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-certs-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    key_ = new_key();
    certificate_ = make(key_.get(), "Test Authority", "", Options(), true);
    ca_file_ = write("ca.pem", certificate_.get(), nullptr);
  }
  ~TestAuthority() { std::filesystem::remove_all(directory_); }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // PEM of the authority's own certificate.
  const std::string& ca_file() const { return ca_file_; }

  // A certificate for a server or a client, signed by this authority unless told otherwise.
  CertificateFiles issue(const std::string& name) { return issue(name, Options()); }
  CertificateFiles issue(const std::string& name, const Options& options) {
    const Key key = new_key();
    const Certificate certificate = make(key.get(), name, options.names, options, false);
    CertificateFiles files;
    files.cert = write(name + ".pem", certificate.get(), nullptr);
    files.key = write(name + ".key", nullptr, key.get());
    return files;
  }

 private:
  template <auto kFree>
  struct Free {
    template <class T>
    void operator()(T* object) const {
      kFree(object);
    }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
  using Certificate = std::unique_ptr<X509, Free<X509_free>>;

  static Key new_key() { return Key(EVP_EC_gen("P-256")); }

  static void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    if (extension == nullptr) throw std::runtime_error("bad extension: " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  Certificate make(EVP_PKEY* key, const std::string& name, const std::string& alternative,
                   const Options& options, bool authority) {
    Certificate certificate(X509_new());
    X509* x509 = certificate.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial_);
    constexpr long kDay = 24 * 60 * 60;
    X509_gmtime_adj(X509_getm_notBefore(x509), -3 * kDay);
    X509_gmtime_adj(X509_getm_notAfter(x509), options.expired ? -kDay : kDay);
    X509_set_pubkey(x509, key);
    X509_NAME* subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const bool own = authority || options.self_signed;
    X509* issuer = own ? x509 : certificate_.get();
    X509_set_issuer_name(x509, X509_get_subject_name(issuer));
    extend(x509, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(x509, issuer, NID_subject_key_identifier, "hash");
    if (!own) extend(x509, issuer, NID_authority_key_identifier, "keyid");
    if (authority) extend(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!alternative.empty()) extend(x509, issuer, NID_subject_alt_name, alternative);
    X509_sign(x509, own ? key : key_.get(), EVP_sha256());
    return certificate;
  }

  std::string write(const std::string& name, X509* certificate, EVP_PKEY* key) const {
    const std::string path = directory_ + "/" + name;
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + path);
    if (certificate != nullptr) PEM_write_X509(file, certificate);
    if (key != nullptr) PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    return path;
  }

  std::string directory_;
  long serial_ = 0;
  Key key_;
  Certificate certificate_;
  std::string ca_file_;
};

}  // namespace sluice::test
