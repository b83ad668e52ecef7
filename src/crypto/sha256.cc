#include "crypto/sha256.h"

#include <openssl/evp.h>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::crypto {

namespace {

// Fetched once: the shorthands of the library look the algorithm up at every call.
const EVP_MD* Algorithm() {
  static EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kAlgorithm;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  REEVE_ASSERT(context_ != nullptr && EVP_DigestInit_ex(context_, Algorithm(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::Update(std::string_view bytes) {
  REEVE_ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::Finish() {
  std::string digest(32, '\0');
  FinishInto(reinterpret_cast<uint8_t*>(digest.data()));
  return digest;
}

void Sha256::FinishInto(uint8_t* digest) {
  unsigned size = 0;
  REEVE_ASSERT(EVP_DigestFinal_ex(context_, digest, &size) == 1);
  REEVE_ASSERT(size == 32 && EVP_DigestInit_ex(context_, nullptr, nullptr) == 1);
}

Digest Sha256Digest(std::string_view bytes) {
  thread_local Sha256 hasher;
  Digest digest;
  hasher.Update(bytes);
  hasher.FinishInto(digest.data());
  return digest;
}

std::string Sha256Of(std::string_view bytes) {
  thread_local Sha256 hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

std::string Sha256Hex(std::string_view bytes) { return HexEncode(Sha256Of(bytes)); }

std::string DeterministicId(std::string_view prefix, std::string_view kind,
                            std::initializer_list<std::string_view> parts) {
  std::string text = fmt::format("reeve/{}/v1", kind);
  for (const std::string_view part : parts) {
    text.push_back('\0');
    text += part;
  }
  return std::string(prefix) + HexEncode(Sha256Of(text)).substr(0, 24);
}

}  // namespace reeve::crypto
