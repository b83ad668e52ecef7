#include "crypto/mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>

#include "base/error.h"

namespace reeve::crypto {

std::string HmacSha256(std::string_view key, std::string_view bytes) {
  REEVE_ASSERT(key.size() <= INT_MAX);
  std::string mac(32, '\0');
  unsigned size = 0;
  const auto* text = reinterpret_cast<const unsigned char*>(bytes.data());
  REEVE_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text, bytes.size(), reinterpret_cast<unsigned char*>(mac.data()), &size) != nullptr);
  REEVE_ASSERT(size == mac.size());
  return mac;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace reeve::crypto
