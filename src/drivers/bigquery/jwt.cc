#include "drivers/bigquery/jwt.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/encoding.h"

namespace reeve::bigquery {
namespace {

constexpr int kKeyBitsMin = 2048;

struct BioCloser {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct ContextCloser {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// A key with a passphrase must not ask on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

struct SigningKey::Key {
  explicit Key(EVP_PKEY* opened) : key(opened) {}
  ~Key() { EVP_PKEY_free(key); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  EVP_PKEY* const key;
};

Result<SigningKey> SigningKey::Parse(const Secret& pem) {
  const std::string_view text = pem.Reveal();
  const std::unique_ptr<BIO, BioCloser> bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<size_t>(text.size(), 1 << 20))));
  if (bio == nullptr) return Fail(Code::kFailed, "out of memory");
  EVP_PKEY* const opened = PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr);
  ERR_clear_error();
  if (opened == nullptr) return Fail(Code::kAuthNeeded, "its private key cannot be read");
  auto key = std::make_shared<const Key>(opened);
  if (EVP_PKEY_get_base_id(opened) != EVP_PKEY_RSA || EVP_PKEY_get_bits(opened) < kKeyBitsMin)
    return Fail(Code::kAuthNeeded, "its private key is no RSA key of {} bits or more", kKeyBitsMin);
  return SigningKey(std::move(key));
}

Result<std::string> SigningKey::Sign(std::string_view header, std::string_view claims) const {
  std::string token = Base64Url(header) + '.' + Base64Url(claims);
  const std::unique_ptr<EVP_MD_CTX, ContextCloser> context(EVP_MD_CTX_new());
  const auto* const bytes = reinterpret_cast<const unsigned char*>(token.data());
  size_t size = 0;
  bool good = context != nullptr && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->key) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, bytes, token.size()) == 1;
  std::string signature(size, '\0');
  good = good && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, token.size()) == 1;
  ERR_clear_error();
  if (!good) return Fail(Code::kFailed, "a token could not be signed");
  signature.resize(size);
  return token + '.' + Base64Url(signature);
}

std::string Base64Url(std::string_view bytes) {
  std::string text = Base64Encode(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (text.ends_with('=')) text.pop_back();
  return text;
}

}  // namespace reeve::bigquery
