// Certificates and the facts of audit events about a verification: texts made from a verdict (docs/formats/certificate.md).
//
// Pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "migrate/witness/verdict.h"

namespace reeve::migrate {

inline constexpr std::string_view kCertificateFormat = "reeve-certificate/1";

struct CertificateHead {
  std::string customer_id;
  std::string phase;          // the one it leads to
  int64_t attempt = 0;
  Micros as_of = 0;
  Micros verified_at = 0;
  std::string source;         // URL of the estate
  std::string source_digest;  // of what the copier read; may be empty
  std::string target;         // URL of the store
};

// One JSON object without white space, members in the order of the format. Its SHA-256 is the certificate's digest.
// REQUIRES: verdict.equal and nothing in `verdict.failed`
[[nodiscard]] std::string CertificateText(const CertificateHead& head, const witness::Verdict& verdict);

// Facts of customer.verified and customer.verification_failed: counts and digests only, so that the same finding is the same event
// whenever and however often it is made.
[[nodiscard]] std::string VerificationFacts(const witness::Verdict& verdict);

// One difference for people: "missing_in_central: customer_api_keys 1a2b3c…: …".
[[nodiscard]] std::string DescribeDifference(const witness::Difference& difference);

}  // namespace reeve::migrate
