// What a certificate says, in the store and as a file.
#include "migrate/verify/certificate.h"

#include <boost/json.hpp>

#include "crypto/sha256.h"
#include "migrate/verify/verify_testing.h"

namespace reeve::migrate {
namespace {

TEST_F(VerifyTest, TheDigestIsThatOfTheStoredTextWhichHoldsTheProof) {
  Copied("acme", Equal(), Phase::kCopied, 4, kAsOf + 1);
  MustRun();
  const std::string text = Text(catalog::ReeveCertificates(), "acme", "certificate");
  EXPECT_EQ(Text(catalog::ReeveCertificates(), "acme", "digest"), crypto::Sha256Hex(text));
  for (const char* space : {": ", ", ", "{ ", " }", "\n"}) EXPECT_EQ(text.find(space), std::string::npos) << space;
  const boost::json::object json = boost::json::parse(text).as_object();
  EXPECT_EQ(json.at("format").as_string(), "reeve-certificate/1");
  EXPECT_EQ(json.at("tenant").as_string(), "acme");
  EXPECT_EQ(std::string_view(json.at("customer_id").as_string()), CustomerIdOf("acme"));
  EXPECT_EQ(json.at("phase").as_string(), "verified");
  EXPECT_EQ(json.at("attempt").as_int64(), 4);
  EXPECT_EQ(json.at("as_of").as_string(), "2026-11-22T18:03:00.000001Z");
  EXPECT_EQ(json.at("source").as_string(), "export:/estate");
  EXPECT_EQ(json.at("source_sha256").as_string(), "src");
  EXPECT_EQ(json.at("target").as_string(), "memory:");
  EXPECT_EQ(json.at("quarantined_rows").as_int64(), 7);
  EXPECT_EQ(json.at("tables").at("customer_api_keys").at("rows_expected").as_int64(), 2);
  EXPECT_EQ(json.at("tables").at("customer_api_keys").at("sha256_found").as_string(), "aa");
  EXPECT_EQ(json.at("keys").at("usable").as_int64(), 1);
  EXPECT_EQ(json.at("usage").at("runs").as_int64(), 60);
  EXPECT_EQ(json.at("credentials").at("unproven").as_int64(), 2);
  EXPECT_EQ(json.at("declared").at("revoked in central").as_int64(), 1);
}

TEST_F(VerifyTest, CertificatesAreWrittenAsFilesWhoseDigestIsTheirs) {
  const std::string long_name(300, 'x');
  Copied("acme", Equal());
  Copied("bolt", Different());
  Copied(long_name, Equal());
  options_.certificates_dir = dir_.path("certs/today");
  MustRun();
  EXPECT_EQ(crypto::Sha256Hex(dir_.Read("certs/today/acme.json")), Text(catalog::ReeveCertificates(), "acme", "digest"));
  EXPECT_TRUE(dir_.Has("certs/today/" + CustomerIdOf(long_name) + ".json"));
  EXPECT_FALSE(dir_.Has("certs/today/bolt.json"));
}

}  // namespace
}  // namespace reeve::migrate
