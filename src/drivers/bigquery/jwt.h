// JSON Web Tokens signed with RS256 (RFC 7515, RFC 7518 section 3.3): what a service account's key makes. Verifies nothing. A SigningKey may be used from
// any thread.
//
//   token := base64url(header) "." base64url(claims) "." base64url(RSASSA-PKCS1-v1_5 with SHA-256 of all before)     base64url without padding
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace reeve::bigquery {

class SigningKey {
 public:
  // From a PEM text (PKCS #8 or PKCS #1) of an RSA key of 2048 bits or more. kAuthNeeded otherwise.
  [[nodiscard]] static Result<SigningKey> Parse(const Secret& pem);

  // `header` and `claims` are JSON.
  [[nodiscard]] Result<std::string> Sign(std::string_view header, std::string_view claims) const;

 private:
  struct Key;
  explicit SigningKey(std::shared_ptr<const Key> key) : key_(std::move(key)) {}
  std::shared_ptr<const Key> key_;
};

[[nodiscard]] std::string Base64Url(std::string_view bytes);

}  // namespace reeve::bigquery
